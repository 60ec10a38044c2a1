"""The whole: canaries and faults for a while, the wait for the last one, the proof."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import cycle
from uuid import UUID

import psutil
from django.db import Error, connections

from core.chaos.faults import FAULTS, Fault, NotDone
from core.chaos.proof import OPEN, FaultLine, Proof, judge
from core.chaos.stage import Stage, Strike
from core.errors import BrokerUnavailable
from core.models import Attempt
from core.options.timing import Timing

Say = Callable[[str], object]

#: Seconds between two faults; fewer in a short run.
PAUSE_SECONDS = 3.0
INTERRUPTED = "interrupted before its turn"


def patience(timing: Timing) -> float:
    """Return how long the last canaries may take after the last fault, s.

    Each may be hit twice: its message forgotten, then its worker frozen. A minute is
    for the processes that have to start.
    """
    once = timing.lease + timing.lost + timing.reserve + 6 * timing.rescue
    return 2 * once + 60


def perform(stage: Stage, seconds: float, within: float, say: Say) -> Proof:
    """Do all of it; a first Ctrl-C ends the faults, a second one the wait."""
    obstacles: dict[str, str] = {}
    with stage.interruption.blocked():
        stage.producer.start()
        try:
            _strike_in_turn(stage, seconds, obstacles, say)
        except KeyboardInterrupt:
            say("Interrupted: no more faults.")
        finally:
            stage.producer.stop()
        say(f"Waiting for the last canaries, {within:.0f} s at most.")
        try:
            stage.until(lambda: not stage.canaries(state__in=OPEN).exists(), within)
        except KeyboardInterrupt:
            say("Interrupted: not waiting for what is open.")
    return prove(stage, obstacles, within)


def _strike_in_turn(
    stage: Stage, seconds: float, obstacles: dict[str, str], say: Say
) -> None:
    start = time.monotonic()
    for turn, fault in enumerate(cycle(FAULTS)):
        stage.interruption.pause(min(PAUSE_SECONDS, seconds / 20))
        passed = time.monotonic() - start
        # However short it is to be: each has its turn once.
        if passed > seconds and turn >= len(FAULTS):
            return
        obstacles[fault.id] = _try(stage, fault)
        told = obstacles[fault.id] or "done"
        say(f"{passed:6.1f} s  {fault.id:<4} {fault.title}: {told}")


def _try(stage: Stage, fault: Fault) -> str:
    """Do a fault; return why it could not be done, "" if it was."""
    before = len(stage.strikes)
    try:
        if obstacle := fault.obstacle(stage):
            return obstacle
        fault.strike(stage)
    except (NotDone, BrokerUnavailable, psutil.Error) as error:
        problem = str(error)
    except Error as error:
        connections[stage.database].close()
        problem = f"the database failed: {error}"
    else:
        return ""
    del stage.strikes[before:]
    return problem


def prove(stage: Stage, obstacles: dict[str, str], within: float) -> Proof:
    """Read the tables."""
    rows = list(stage.canaries().values("pk", "state", "finished_at", "kwargs"))
    numbers = [row["kwargs"]["number"] for row in rows]
    states = {n: row["state"] for n, row in zip(numbers, rows, strict=True)}
    ids = {n: str(row["pk"]) for n, row in zip(numbers, rows, strict=True)}
    marks = Counter(stage.marks().values_list("number", flat=True))
    attempts = Attempt.objects.using(stage.database).filter(
        run__in=stage.canaries().values("pk")
    )
    ends = {row["pk"]: row["finished_at"] for row in rows}
    return Proof(
        told=stage.producer.told,
        found=judge(stage.producer.told, states, marks),
        ids=ids,
        faults=_lines(stage, obstacles, ends),
        outcomes=Counter(attempts.values_list("outcome", flat=True)),
        within=within,
        troubles=[strike.problem for strike in stage.strikes if strike.problem],
    )


def _lines(
    stage: Stage, obstacles: dict[str, str], ends: Mapping[UUID, datetime | None]
) -> list[FaultLine]:
    lines = []
    for fault in FAULTS:
        line = FaultLine(fault.id, fault.title, fault.touches)
        done = [strike for strike in stage.strikes if strike.fault == fault.id]
        line.done = len(done)
        line.touched = sum(strike.touched for strike in done)
        times = [seconds for strike in done for seconds in _recoveries(strike, ends)]
        line.slowest_recovery_s = round(max(times), 1) if times else None
        line.not_done_because = "" if done else obstacles.get(fault.id) or INTERRUPTED
        lines.append(line)
    return lines


def _recoveries(
    strike: Strike, ends: Mapping[UUID, datetime | None]
) -> Iterator[float]:
    """Return how long each canary that was hit took to end, and what was hurt."""
    if strike.seconds:
        yield strike.seconds
    for run_id in strike.hit:
        end = ends.get(run_id)
        if end is not None:
            yield max(0.0, (end - strike.at).total_seconds())
