"""Schedules that do not fire as they say."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from core.models import Fire, FireState, Schedule
from core.monitoring.snapshot import Snapshot
from core.schedules.missed import MISSED, TOO_LATE


@dataclass(frozen=True, slots=True)
class OverdueSnapshot(Snapshot):
    """A schedule with slots that nobody was there for, or that it cannot send."""

    name: str
    #: Seconds for which it has been due without a scheduler; None if it is not.
    overdue: float | None
    #: Rows of slots skipped in the period; one row may stand for several slots.
    missed: int
    #: It cannot be sent; its row has the reason.
    broken: bool


def overdue(database: str, period: timedelta, late: timedelta) -> list[OverdueSnapshot]:
    """Return the schedules of a database with something amiss.

    Those that have been due for longer than `late`, that missed slots in the period, or
    that cannot be sent. What is paused or retired is left out.
    """
    since = ExpressionWrapper(Now() - F("next_at"), output_field=DurationField())
    known = Schedule.objects.using(database).filter(paused=False, retired_at=None)
    due = known.filter(next_at__lt=Now() - late).annotate(since=since)
    waits = {row.name: row.since.total_seconds() for row in due}
    broken = set(known.exclude(error="").values_list("name", flat=True))
    missed = _missed(database, period)
    return [
        OverdueSnapshot(name, waits.get(name), missed[name], name in broken)
        for name in sorted({*waits, *broken, *missed})
    ]


def _missed(database: str, period: timedelta) -> Counter[str]:
    fires = Fire.objects.using(database).filter(
        state=FireState.SKIPPED,
        reason__in=(MISSED, TOO_LATE),
        decided_at__gte=Now() - period,
        schedule__paused=False,
        schedule__retired_at=None,
    )
    counts = fires.values_list("schedule__name").annotate(Count("pk")).order_by()
    return Counter(dict(counts))
