"""Runs whose attempt ended without a word."""

import logging
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from core.models import Outcome, Run, State, Worker
from core.runs.failures import Failure, remember

logger = logging.getLogger(__name__)


def rescue(database: str, broker: str) -> int:
    """Send back the runs of workers that are gone; return how many."""
    living = Worker.objects.filter(name=OuterRef("worker"), lease_until__gt=Now())
    running = Run.objects.filter(broker=broker, state=State.RUNNING)
    return _rescue(database, running.exclude(Exists(living)), "its worker is gone")


def release(database: str, worker: str, active: Collection[UUID]) -> int:
    """Send back the runs that `worker` holds and does not run; return how many.

    They are left when an attempt ended while the database was away.
    """
    held = Run.objects.filter(worker=worker, state=State.RUNNING)
    return _rescue(database, held.exclude(pk__in=active), "its outcome was not saved")


def _rescue(database: str, gone: QuerySet[Run], why: str) -> int:
    with transaction.atomic(using=database):
        # A worker that settles right now holds the row: it is not gone.
        locked = gone.using(database).select_for_update(of=("self",), skip_locked=True)
        rows = list(locked[:500])
        Run.objects.using(database).filter(pk__in=[run.pk for run in rows]).update(
            state=State.PENDING,
            due_at=Now(),
            relay_at=Now(),
            crashes=F("crashes") + 1,
            error=why,
        )
        remember(database, rows, Failure(Outcome.CRASHED, why))
    for run in rows:
        logger.warning("Rescued %s %s: %s.", run.actor_name, run.pk, why)
    return len(rows)
