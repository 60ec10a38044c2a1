"""Schedules of another scheduler as ours: what would change, before it is done.

A backend finds them (SCHEDULE_IMPORTER) and says what they mean; nothing of it is
imported here.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from core.broker.handler import brokers
from core.errors import CoreError, InvalidOption
from core.interface.declarations import Declaration
from core.models import Origin, Schedule
from core.options import MAX_NAME
from core.registry import registry
from core.schedulable import check
from core.schedules.comparing import Comparison, Fires, compare
from core.schedules.registry import names
from core.triggers import Scheduled

Status = Literal["new", "there", "refused"]


@dataclass(frozen=True)
class Foreign:
    """One schedule of another scheduler."""

    name: str
    actor_name: str
    #: The same schedule here; None if there is none, see `problem`.
    said: Scheduled | None = None
    problem: str = ""
    paused: bool = False
    #: Options that are left out or differ.
    notes: tuple[str, ...] = ()
    #: Computes its fires after a moment in Celery; None if that is not possible.
    theirs: Fires | None = None
    #: The largest difference at which two fires count as equal.
    tolerance: timedelta = timedelta(0)


@dataclass(frozen=True)
class Plan:
    """The outcome of importing one schedule of another scheduler."""

    name: str
    actor_name: str
    status: Status
    #: Why it is refused.
    why: str = ""
    trigger: str = ""
    rule: str = ""
    zone: str = "UTC"
    paused: bool = False
    notes: tuple[str, ...] = ()
    #: None if Celery cannot compute its fires.
    comparison: Comparison | None = None
    #: The row to write, and its database.
    row: Schedule | None = field(default=None, repr=False)
    database: str = ""

    def asdict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        told = asdict(replace(self, row=None))
        del told["row"], told["database"]
        told["same"] = self.comparison and self.comparison.is_same
        return told


def plan(found: Iterable[Foreign], now: datetime | None = None) -> list[Plan]:
    """Say what an import would do with each, and which of its fires change from now on.

    One of a name that is there already, also earlier in `found`, is left out.
    """
    known = set(names())
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    plans = []
    for one in found:
        plans.append(_plan(one, now, is_there=one.name in known))
        known.add(one.name)
    return plans


def _plan(one: Foreign, now: datetime, *, is_there: bool) -> Plan:
    if is_there:
        return Plan(one.name, one.actor_name, "there")
    try:
        if one.said is None:
            return Plan(one.name, one.actor_name, "refused", one.problem)
        said, notes = _checked(one.name, one.actor_name, one.said)
    except CoreError as error:
        return Plan(one.name, one.actor_name, "refused", str(error))
    declaration = Declaration(one.name, one.actor_name, Origin.ADMIN, said)
    return Plan(
        one.name,
        one.actor_name,
        "new",
        trigger=str(said.trigger),
        rule=said.trigger.words(one.name),
        zone=said.trigger.tz,
        paused=one.paused,
        notes=(*one.notes, *notes),
        comparison=_compared(one, said, now),
        row=Schedule(**declaration.fields(), paused=one.paused),
        database=brokers.carrier(one.actor_name, said.options).database,
    )


def _checked(
    name: str, actor_name: str, said: Scheduled
) -> tuple[Scheduled, tuple[str, ...]]:
    """Return what can be said here, and what must be known; raise `CoreError`."""
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidOption("name", name, f"of 1 to {MAX_NAME} letters")
    actor = registry.get(actor_name)
    notes = []
    queue = said.options.get("queue_name")
    if queue and queue not in brokers.carrier(actor_name, {}).queues():
        options = {k: v for k, v in said.options.items() if k != "queue_name"}
        said = replace(said, options=options)
        notes.append(f"no actor has the queue {queue!r}: it goes to its actor's own")
    check(actor, said)
    if not actor.options.get("schedulable"):
        notes.append("to edit it in the admin, its actor needs schedulable=True")
    return said, tuple(notes)


def _compared(one: Foreign, said: Scheduled, now: datetime) -> Comparison | None:
    if one.theirs is None:
        return None
    return compare(said, one.name, one.theirs, now, one.tolerance)
