"""Reading what became of runs, and waiting for it without hammering the database."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from core.broker.handler import brokers
from core.errors import ResultFailure, ResultMissing, ResultTimeout, UnknownRun
from core.options import duration

#: Milliseconds that `get_result(block=True)` waits. Source: Dramatiq 2.2.
DEFAULT_TIMEOUT = 10_000
#: Seconds between two looks: the first, and the longest. At most five a second.
FIRST_LOOK, LONGEST_LOOK = 0.2, 1.0
#: Runs that are read in one query.
CHUNK = 500

#: A timedelta, or an int of milliseconds; None: the default.
Timeout = timedelta | int | None

ENDED = ("succeeded", "dead", "cancelled")


def states(ids: Sequence[str]) -> dict[str, str]:
    """Return the states of the runs that there are, by id."""
    return {run_id: row["state"] for run_id, row in _rows(ids, "state").items()}


def _rows(ids: Sequence[str], *fields: str) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), CHUNK):
        rows |= brokers.read(ids[start : start + CHUNK], fields)
    return rows


class Poll:
    """A deadline for several waits, with longer and longer pauses."""

    def __init__(self, block: bool, timeout: Timeout) -> None:
        self.block = block
        wait = duration("timeout", DEFAULT_TIMEOUT if timeout is None else timeout)
        self._deadline = time.monotonic() + wait / 1000
        self._pause = FIRST_LOOK

    def wait(self, what: str) -> None:
        """Pause before the next look, or raise: `ResultMissing`, `ResultTimeout`."""
        if not self.block:
            raise ResultMissing(f"{what} has not ended.")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ResultTimeout(
                f"{what} has not ended in time; manage.py tasks explain tells why."
            )
        time.sleep(min(self._pause, left))
        self._pause = min(self._pause * 1.25, LONGEST_LOOK)


def results(ids: Sequence[str], *, block: bool, timeout: Timeout) -> Iterator[Any]:
    """Return the results of runs in their order, each as soon as it is there.

    `timeout` in ms, of all together. Raises `ResultMissing`, `ResultTimeout`,
    `ResultFailure`.
    """
    poll = Poll(block, timeout)
    waiting = iter(ids)
    while chunk := list(islice(waiting, CHUNK)):
        yield from _of_chunk(chunk, poll)


def _of_chunk(chunk: list[str], poll: Poll) -> Iterator[Any]:
    while chunk:
        rows = _rows(chunk, "state", "result", "result_until", "error")
        while chunk and _row(rows, chunk[0])["state"] in ENDED:
            yield _result(chunk[0], rows[chunk[0]])
            chunk.pop(0)
        if chunk:
            poll.wait(f"Run {chunk[0]}")


def wait_for_end(ids: Sequence[str], timeout: Timeout) -> None:
    """Return when all runs have ended; raise `ResultTimeout` after `timeout` ms."""
    poll, waiting = Poll(True, timeout), list(ids)
    while waiting:
        rows = _rows(waiting, "state")
        waiting = [one for one in waiting if _row(rows, one)["state"] not in ENDED]
        if waiting:
            poll.wait(f"{len(waiting)} of {len(ids)} runs")


def completed_count(ids: Sequence[str]) -> int:
    """Return how many runs have succeeded; raise `ResultFailure` if one cannot."""
    rows = _rows(ids, "state", "error")
    for run_id in ids:
        if _row(rows, run_id)["state"] in ("dead", "cancelled"):
            raise _failure(run_id, rows[run_id])
    return sum(row["state"] == "succeeded" for row in rows.values())


def _row(rows: dict[str, dict[str, Any]], run_id: str) -> dict[str, Any]:
    if run_id not in rows:
        raise UnknownRun(run_id)
    return rows[run_id]


def _result(run_id: str, row: dict[str, Any]) -> Any:
    if row["state"] != "succeeded":
        raise _failure(run_id, row)
    if row["result_until"] is None:
        raise ResultMissing(
            f"The result of run {run_id} is not kept. Declare store_results=True."
        )
    if row["result_until"] < datetime.now(UTC):
        raise ResultMissing(f"The result of run {run_id} is older than its result_ttl.")
    return row["result"]


def _failure(run_id: str, row: dict[str, Any]) -> ResultFailure:
    kind, colon, words = row["error"].partition(": ")
    known = (kind, words) if colon else ("", row["error"])
    return ResultFailure(f"Run {run_id} is {row['state']}: {row['error']}", *known)
