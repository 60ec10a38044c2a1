"""Actions on schedules: the verbs of `core.schedules`, each in the audit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from core import schedules
from core.broker.handler import brokers
from core.control import audit
from core.control.audit import Account
from core.errors import CoreError
from core.models import Schedule


def pause(rows: Sequence[Schedule], *, by: str) -> int:
    """Pause schedules; return how many were not paused already."""
    return _each("pause_schedule", schedules.pause, rows, by)


def resume(rows: Sequence[Schedule], *, by: str) -> int:
    """End their pause; return how many were paused."""
    return _each("resume_schedule", schedules.resume, rows, by)


def run_now(rows: Sequence[Schedule], *, by: str) -> tuple[int, list[str]]:
    """Send what schedules send; return how many could, and why the others could not."""
    account = _account("run_schedule", rows, by)
    sent, problems = 0, []
    for row in rows:
        send = partial(schedules.run_now, row.name, driver=f"by hand: {by}")
        try:
            account.step(_database(row), send, _one)
            sent += 1
        except CoreError as error:
            problems.append(f"{row.name}: {error}")
    account.close()
    return sent, problems


def write(verb: str, row: Schedule, change: Callable[[], Any], *, by: str) -> None:
    """Make one change to a schedule; `verb` says which, and to what of it."""
    verb, _, what = verb.partition(" ")
    target = f"{row.name}: {what}" if what else row.name
    account = audit.account(by, f"{verb}_schedule", target, brokers.databases())
    account.step(_database(row), change, _one)
    account.close()


def _each(
    verb: str, step: Callable[[str], bool], rows: Sequence[Schedule], by: str
) -> int:
    account = _account(verb, rows, by)
    return account.steps((_database(row), partial(step, row.name)) for row in rows)


def _account(verb: str, rows: Sequence[Schedule], by: str) -> Account:
    names = ", ".join(row.name for row in rows)
    return audit.account(by, verb, names, brokers.databases())


def _database(row: Schedule) -> str:
    return row._state.db or "default"


def _one(_: Any) -> int:
    return 1
