"""Schedules: what each says, when it last fired, and when it will."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Self

from django.db.models import DateTimeField, OuterRef, Subquery
from django.db.models.functions import Now

from core import runs
from core.broker.handler import brokers
from core.errors import InvalidFilter
from core.models import Fire, FireState, Schedule
from core.monitoring.snapshot import Snapshot
from core.schedules import find
from core.schedules.missed import ON_TIME
from core.triggers import MOMENT

#: The years of a start time from which slots can be listed.
YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot(Snapshot):
    """One schedule."""

    name: str
    actor_name: str
    #: The trigger as Python code, and in words.
    trigger: str
    rule: str
    zone: str
    paused: bool
    #: The newest fired slot, and when it fired.
    last_slot: datetime | None
    last_at: datetime | None
    #: Its lateness in seconds.
    late: float | None
    #: The next slot; None if it is finished or retired.
    next_at: datetime | None
    #: It is due and no scheduler has looked at it.
    overdue: datetime | None
    origin: str
    retired_at: datetime | None
    fires: int
    error: str

    @classmethod
    def of(cls, row: Any) -> Self:
        """Freeze a row that `schedules` has read."""
        told = {name: getattr(row, name) for name in _KEPT}
        return cls(
            **told,
            **_said(row),
            last_slot=row.last_slot,
            last_at=row.last_at,
            late=row.last_at and (row.last_at - row.last_slot).total_seconds(),
            overdue=_overdue(row),
        )


_KEPT = ("name", "actor_name", "paused", "origin", "retired_at", "fires")


def _said(row: Any) -> dict[str, Any]:
    """Return what a row says; what cannot be read is told, and hides no other row."""
    try:
        trigger, timetable = row.when, row.timetable(row.said)
    except (ValueError, TypeError, LookupError) as error:
        written = str(row.trigger)
        return {
            **{"trigger": written, "rule": written, "zone": "UTC"},
            **{"next_at": None, "error": str(error)},
        }
    return {
        "trigger": str(trigger),
        "rule": trigger.words(row.name),
        "zone": trigger.tz,
        "next_at": timetable.next(row.moment) if row.next_at else None,
        "error": row.error,
    }


def _overdue(row: Any) -> datetime | None:
    late = row.next_at is not None and row.moment - row.next_at > ON_TIME
    return row.next_at if late else None


def schedules(*, retired: bool = False) -> list[ScheduleSnapshot]:
    """Return all schedules by name; the retired ones too if they are asked for."""
    found = [
        ScheduleSnapshot.of(row)
        for database in brokers.databases()
        for row in _rows(database)
        if retired or row.retired_at is None
    ]
    return sorted(found, key=lambda one: one.name)


def _rows(database: str) -> Any:
    return (
        Schedule.objects.using(database)
        .annotate(moment=Now(), last_slot=_last("slot"), last_at=_last("decided_at"))
        .order_by("name")
    )


def _last(field: str) -> "Subquery[Any]":
    fired = Fire.objects.filter(
        schedule=OuterRef("pk"), state=FireState.FIRED, slot__isnull=False
    )
    newest = fired.order_by("-slot").values(field)[:1]
    return Subquery(newest, output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Upcoming(Snapshot):
    """One slot to come, as the clocks of the schedule's zone show it, and in UTC."""

    local: datetime
    utc: datetime


def upcoming(
    name: str, count: int = 10, since: datetime | None = None
) -> list[Upcoming]:
    """Return the next slots of a schedule from a moment on; from now unless given.

    A moment without a zone is what the clocks of the schedule's show. No more than
    `max_fires` leaves, and none of one that is retired. Raises `UnknownSchedule`,
    `InvalidFilter` for the moment, and `InvalidTrigger` for a row that cannot be read.
    """
    row = find(name)
    said = row.said
    zone = said.trigger.zone
    if since is None:
        since = runs.now(row._state.db or "default")
    elif since.year not in YEARS:
        years = f"{YEARS[0]} to {YEARS[-1]}"
        raise InvalidFilter("from", since.isoformat(), f"give a year from {years}")
    if row.retired_at is not None:
        return []
    if said.max_fires is not None:
        count = min(count, said.max_fires - row.fires)
    first = since if since.tzinfo else since.replace(tzinfo=zone)
    slots = row.timetable(said).slots(first.astimezone(UTC) - MOMENT)
    return [
        Upcoming(slot.astimezone(zone), slot) for slot in islice(slots, max(0, count))
    ]
