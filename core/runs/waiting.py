"""The steps of a run that waits: written, reserved, published, cancelled, requeued."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from core.models import Run, State


def later(seconds: float) -> Any:
    """Return an expression for the database's time in so many seconds."""
    return Now() + timedelta(seconds=seconds)


def insert(database: str, rows: Sequence[Run]) -> None:
    """Write new runs, in the caller's transaction."""
    if len(rows) == 1:
        rows[0].save(using=database, force_insert=True)
    else:
        Run.objects.using(database).bulk_create(rows, batch_size=1000)


def has_backlog(database: str, broker: str, queue: str, priority: int) -> bool:
    """Say whether as urgent runs, or more urgent ones, wait for the relay."""
    return _due(database, broker, queue).filter(priority__lte=priority).exists()


def _due(database: str, broker: str, queue: str) -> QuerySet[Run]:
    return Run.objects.using(database).filter(
        broker=broker,
        queue_name=queue,
        state=State.PENDING,
        due_at__lte=Now(),
        relay_at__lte=Now(),
    )


def reserve(
    database: str, broker: str, queue: str, limit: int, seconds: float
) -> list[Run]:
    """Take the most urgent due runs for publishing; others leave them so long alone.

    Claims, not locks: nothing is locked while the broker is waited for, and what a
    killed relay had taken comes back by itself.
    """
    with transaction.atomic(using=database):
        rows = list(
            _due(database, broker, queue)
            .order_by("priority", "due_at")
            .select_for_update(skip_locked=True)
            .only("id", "actor_name", "queue_name", "attempt")[:limit]
        )
        ids = [run.pk for run in rows]
        if ids:
            Run.objects.using(database).filter(pk__in=ids).update(
                relay_at=later(seconds)
            )
    return rows


def give_back(database: str, ids: Sequence[UUID], seconds: float) -> None:
    """Let go of reserved runs that the broker did not take; try again in a while."""
    Run.objects.using(database).filter(pk__in=ids, state=State.PENDING).update(
        relay_at=later(seconds)
    )


def mark(database: str, rows: Sequence[Run], lost: float) -> None:
    """Note that these were published; one that has started since stays as it is.

    Also one that has started, failed and waits for its retry: its attempt differs.
    """
    by_attempt = defaultdict(list)
    for row in rows:
        by_attempt[row.attempt].append(row.pk)
    for attempt, ids in by_attempt.items():
        _mark(database, ids, attempt, lost)


def _mark(database: str, ids: Sequence[UUID], attempt: int, lost: float) -> None:
    waiting = Run.objects.using(database).filter(
        pk__in=ids, state=State.PENDING, attempt=attempt
    )
    _change_free(waiting, len(ids), state=State.QUEUED, relay_at=later(lost))


def forget(database: str, broker: str, queue: str, limit: int) -> int:
    """Take back published runs that nobody started in time; return how many."""
    overdue = Run.objects.using(database).filter(
        broker=broker, queue_name=queue, state=State.QUEUED, relay_at__lte=Now()
    )
    return _change_free(overdue, limit, state=State.PENDING, relay_at=Now())


def _change_free(runs: QuerySet[Run], limit: int, **changes: Any) -> int:
    """Change those of the runs that nobody has locked; return how many.

    What is locked is being claimed or changed already. Skipping it, two batches that
    overlap cannot deadlock.
    """
    with transaction.atomic(using=runs.db):
        free = runs.select_for_update(skip_locked=True).values_list("pk", flat=True)
        ids = list(free[:limit])
        if not ids:
            return 0
        return Run.objects.using(runs.db).filter(pk__in=ids).update(**changes)


def cancel(database: str, ids: Sequence[UUID]) -> int:
    """Stop runs that have not started; return how many."""
    waiting = Run.objects.using(database).filter(
        pk__in=ids, state__in=(State.PENDING, State.QUEUED)
    )
    return waiting.update(state=State.CANCELLED, finished_at=Now(), relay_at=None)


def requeue(database: str, ids: Sequence[UUID]) -> int:
    """Give dead and cancelled runs a new life, with all their retries."""
    ended = Run.objects.using(database).filter(
        pk__in=ids, state__in=(State.DEAD, State.CANCELLED)
    )
    return ended.update(
        state=State.PENDING,
        due_at=Now(),
        relay_at=Now(),
        retries=0,
        crashes=0,
        finished_at=None,
    )
