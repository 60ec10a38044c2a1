"""The operators' hands on schedules; each call leaves one row in the audit."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from core import schedules
from core.broker.handler import brokers
from core.control import audit
from core.control.audit import Account
from core.interface.messages import Message
from core.models import Fire, Schedule
from core.options import MAX_NAME
from core.schedules import Plan

#: Slots in one transaction.
BATCH = 500


def pause_schedules(names: Sequence[str] | None, *, by: str) -> int:
    """Pause these schedules, or all if None; return how many were not paused.

    Raises `UnknownSchedule` before anything is changed.
    """
    return _set_paused(names, _account(by, "pause_schedules", _names(names)), True)


def resume_schedules(names: Sequence[str] | None, *, by: str) -> int:
    """End the pause of these schedules, or of all; return how many were paused."""
    return _set_paused(names, _account(by, "resume_schedules", _names(names)), False)


def _set_paused(names: Sequence[str] | None, account: Account, paused: bool) -> int:
    verb = schedules.pause if paused else schedules.resume
    return account.steps(
        (row._state.db or "default", partial(verb, row.name))
        for row in _concerned(names, paused=paused)
    )


def schedules_to_set(names: Sequence[str] | None, *, paused: bool) -> list[str]:
    """Return the names of those that a pause, or its end, would change."""
    return [row.name for row in _concerned(names, paused=paused)]


def _concerned(names: Sequence[str] | None, *, paused: bool) -> list[Schedule]:
    if names is None:
        rows = schedules.living()
    else:
        rows = [schedules.find(name) for name in dict.fromkeys(names)]
    return [row for row in rows if row.paused != paused]


def _names(names: Sequence[str] | None) -> str:
    return "all" if names is None else ", ".join(names)


def run_schedule(name: str, *, by: str) -> Message[Any]:
    """Send what a schedule sends, now; no slot moves. Raises `UnknownSchedule`."""
    row = schedules.find(name)
    account = _account(by, "run_schedule", name)
    send = partial(schedules.run_now, name, driver=by[:MAX_NAME])
    return account.step(row._state.db or "default", send, lambda _: 1)


def backfill_schedule(
    name: str, since: datetime, until: datetime | None, *, by: str
) -> list[Fire]:
    """Fire the slots between two moments, inclusive, that have not; return them.

    `until` is now if None. Raises as `schedules.unfired` does, before anything is sent.
    """
    slots = schedules.unfired(name, since, until)
    account = _account(by, "backfill_schedule", f"{name}: {since} to {until or 'now'}")
    database = schedules.find(name)._state.db or "default"
    fires: list[Fire] = []
    for start in range(0, len(slots), BATCH):
        some = slots[start : start + BATCH]
        fire = partial(schedules.backfill, name, some, driver=by[:MAX_NAME])
        done = account.step(database, fire, len)
        fires += done
    account.close()
    return fires


def import_schedules(plans: Sequence[Plan], *, source: str, by: str) -> int:
    """Write the schedules that are new, as `core.schedules.plan` says; return how many.

    `source` goes to the audit.
    """
    new = [plan for plan in plans if plan.row is not None]
    names = ", ".join(plan.name for plan in new)
    account = _account(by, "import_schedules", f"{source}: {names}")
    for plan in new:
        account.step(plan.database, partial(_write, plan), lambda _: 1)
    account.close()
    return len(new)


def _write(plan: Plan) -> None:
    if plan.row is not None:
        plan.row.save(using=plan.database)


def _account(by: str, verb: str, target: str) -> Account:
    return audit.account(by, verb, target, brokers.databases())
