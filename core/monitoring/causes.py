"""Failures by their cause: the actor, the exception's type, the place in the code."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.models import Attempt
from core.monitoring.snapshot import Snapshot

#: The default period.
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ErrorSnapshot(Snapshot):
    """The failed attempts of one cause, in a period."""

    fingerprint: str
    actor_name: str
    #: The exception's type; or crashed, unknown, expired.
    kind: str
    #: The innermost function of your own code.
    place: str
    count: int
    first_seen: datetime
    last_seen: datetime
    #: The text and the run of the newest failure.
    error: str
    run_id: str


def errors(period: timedelta = A_DAY, limit: int = 100) -> list[ErrorSnapshot]:
    """Return what failed in a period by its cause, the latest first."""
    found = [
        group for database in brokers.databases() for group in _in(database, period)
    ]
    return sorted(found, key=lambda group: group.last_seen, reverse=True)[:limit]


def _in(database: str, period: timedelta) -> list[ErrorSnapshot]:
    failed = Attempt.objects.using(database).filter(
        finished_at__gte=Now() - period, fingerprint__gt=""
    )
    groups: dict[int, tuple[str, int, datetime, datetime]] = {
        example: tuple(group)
        for *group, example in failed.order_by()
        .values_list("fingerprint")
        .annotate(Count("pk"), Min("finished_at"), Max("finished_at"), Max("pk"))
    }
    examples = Attempt.objects.using(database).filter(pk__in=groups)
    rows = examples.select_related("run").defer("traceback")
    return [_snapshot(row, groups[row.pk]) for row in rows]


def _snapshot(
    row: Attempt, group: tuple[str, int, datetime, datetime]
) -> ErrorSnapshot:
    fingerprint, count, first_seen, last_seen = group
    return ErrorSnapshot(
        fingerprint=fingerprint,
        actor_name=row.run.actor_name,
        kind=row.kind,
        place=row.place,
        count=count,
        first_seen=first_seen,
        last_seen=last_seen,
        error=row.error,
        run_id=str(row.run_id),
    )
