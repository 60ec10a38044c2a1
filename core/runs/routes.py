"""Runs whose queue and priority are still to be decided."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from core.models import Run, State


def unrouted(database: str, broker: str, limit: int) -> list[Run]:
    """Return due runs whose route no sender has decided, the oldest first.

    It had ended, or they were not due yet.
    """
    found = Run.objects.using(database).filter(
        broker=broker,
        state=State.PENDING,
        routed=False,
        due_at__lte=Now(),
        relay_at__lte=Now(),
    )
    return list(found.order_by("due_at")[:limit])


def route(database: str, rows: Sequence[Run], queue: str, priority: int) -> list[Run]:
    """Give runs their queue and priority; return those for whom nobody else has."""
    with transaction.atomic(using=database):
        found = Run.objects.using(database).filter(
            pk__in=[row.pk for row in rows], state=State.PENDING, routed=False
        )
        mine = set(found.select_for_update().values_list("pk", flat=True))
        changed = Run.objects.using(database).filter(pk__in=mine)
        changed.update(queue_name=queue, priority=priority, routed=True)
    decided = [row for row in rows if row.pk in mine]
    for row in decided:
        row.queue_name, row.priority, row.routed = queue, priority, True
    return decided
