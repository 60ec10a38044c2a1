"""Runs whose attempt ended without a word."""

import logging
from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from core.models import Outcome, Run, State, Worker
from core.runs.failures import Failure, remember
from core.runs.waiting import later

#: A run that was left so often by processes that died is dead.
POISON = 20
#: The longest wait of a run that crashed, s.
LONGEST_WAIT = 60

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


def _after(crashes: int) -> dict[str, Any]:
    """Return what becomes of a run that crashed so often.

    The first time it comes back at once. One that kills its process again and again
    waits longer each time, so that its neighbours get through, and is given up.
    """
    if crashes >= POISON:
        return {"state": State.DEAD, "finished_at": Now(), "relay_at": None}
    wait = later(min(2**crashes - 2, LONGEST_WAIT))
    return {"state": State.PENDING, "due_at": wait, "relay_at": wait}


def _rescue(database: str, gone: QuerySet[Run], why: str) -> int:
    with transaction.atomic(using=database):
        # A worker that settles right now holds the row: it is not gone.
        locked = gone.using(database).select_for_update(of=("self",), skip_locked=True)
        rows = list(locked[:500])
        by_crashes = defaultdict(list)
        for run in rows:
            by_crashes[run.crashes + 1].append(run.pk)
        for crashes, ids in by_crashes.items():
            crashed = Run.objects.using(database).filter(pk__in=ids)
            crashed.update(crashes=crashes, error=why, **_after(crashes))
        remember(database, rows, Failure(Outcome.CRASHED, why))
    for run in rows:
        logger.warning("Rescued %s %s: %s.", run.actor_name, run.pk, why)
    return len(rows)
