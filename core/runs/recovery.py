"""Runs whose attempt ended without a word."""

import logging
import time
from collections.abc import Callable, Collection
from functools import reduce
from math import inf
from operator import or_
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from core.models import Attempt, Outcome, Run, State, Worker
from core.runs.effects import abandon
from core.runs.ends import follow
from core.runs.failures import Failure, remember
from core.runs.waiting import ALONE, later

#: Crashes of a process with only this run, after which the run is dead.
POISON = 3
#: Crashes of any process after which a run is dead if it cannot run alone.
MOST_CRASHES = 20
#: Longest wait after a crash, in seconds.
LONGEST_WAIT = 60
#: Seconds back in which attempts with an unknown actor are looked for.
LATELY = 120

logger = logging.getLogger(__name__)


def rescue(database: str, broker: str, patience: float = inf) -> int:
    """Send back the runs of workers that are gone; return how many.

    0, if the database let this wait for more than `patience` seconds: the workers
    could not renew their leases either, and do so now.
    """
    living = Worker.objects.filter(name=OuterRef("worker"), lease_until__gt=Now())
    running = Run.objects.filter(broker=broker, state=State.RUNNING)
    gone = running.exclude(Exists(living))
    return _rescue(database, gone, "its worker is gone", patience)


def unknown(database: str, broker: str, seconds: float) -> QuerySet[Attempt]:
    """Return the last attempts of pending runs that found no worker with their actor.

    Those of the last `seconds`.
    """
    return Attempt.objects.using(database).filter(
        outcome=Outcome.UNKNOWN,
        finished_at__gt=later(-seconds),
        number=F("run__attempt"),
        run__broker=broker,
        run__state=State.PENDING,
    )


def welcome(database: str, broker: str, actors: Collection[str]) -> int:
    """Let runs be tried now that waited for a worker with these actors.

    Their pause is for the others. Returns how many.
    """
    found = unknown(database, broker, LATELY).filter(run__actor_name__in=actors)
    ids = list(found.values_list("run_id", flat=True))
    waiting = Run.objects.using(database).filter(pk__in=ids, state=State.PENDING)
    return waiting.filter(due_at__gt=Now()).update(due_at=Now(), relay_at=Now())


def given_away(database: str, worker: str, ids: Collection[Any]) -> list[UUID]:
    """Return those of the runs that were `worker`'s and are not any more."""
    found = Run.objects.using(database).filter(pk__in=ids)
    mine = Q(worker=worker, state__in=(State.RUNNING, State.SUCCEEDED))
    return list(found.exclude(mine).values_list("pk", flat=True))


def send_back_left(
    database: str, worker: str, active: Callable[[], Collection[UUID]]
) -> int:
    """Send back the runs that `worker` holds and does not run; return how many.

    They are left when an attempt ended while the database was away. What is active is
    asked after the rows are read, for a run is so before it is claimed; and an attempt
    that has settled meanwhile is none of those that are sent back.
    """
    running = Run.objects.using(database).filter(worker=worker, state=State.RUNNING)
    rows = list(running.values_list("pk", "attempt"))
    busy = set(active()) if rows else set()
    left = [Q(pk=pk, attempt=attempt) for pk, attempt in rows if pk not in busy]
    if not left:
        return 0
    return _rescue(
        database, running.filter(reduce(or_, left)), "its outcome was not saved"
    )


def _after(run: Run) -> dict[str, Any]:
    """Return what becomes of a run whose process died.

    The next time it runs alone. One that kills its process again and again waits
    longer each time, and is given up.
    """
    crashes = run.crashes + 1
    lone = run.lone_crashes + run.worker.startswith(ALONE)
    counts = {"crashes": crashes, "lone_crashes": lone, "limit_granted": False}
    if run.cancel_requested:
        return counts | {"state": State.CANCELLED, **_ENDED}
    if lone >= POISON or crashes >= MOST_CRASHES:
        return counts | {"state": State.DEAD, **_ENDED}
    wait = later(min(2**crashes - 2, LONGEST_WAIT))
    return counts | {"state": State.PENDING, "due_at": wait, "relay_at": wait}


_ENDED: dict[str, Any] = {"finished_at": Now(), "relay_at": None, "unique_key": None}


def _rescue(database: str, gone: QuerySet[Run], why: str, patience: float = inf) -> int:
    asked = time.monotonic()
    with transaction.atomic(using=database):
        # A worker that settles right now holds the row: it is not gone.
        locked = gone.using(database).select_for_update(of=("self",), skip_locked=True)
        rows = list(locked[:500])
        if time.monotonic() - asked > patience:
            return 0
        for run in rows:
            _rescue_one(database, run, why)
        remember(database, rows, Failure(Outcome.CRASHED, why))
        abandon(database, rows)
    for run in rows:
        logger.warning("Rescued %s %s: %s.", run.actor_name, run.pk, why)
    return len(rows)


def _rescue_one(database: str, run: Run, why: str) -> None:
    changes = _after(run)
    dead = changes["state"] == State.DEAD
    error = f"poison: {why}, {changes['lone_crashes']} times alone" if dead else why
    Run.objects.using(database).filter(pk=run.pk).update(error=error, **changes)
    if changes["state"] != State.PENDING:
        follow(database, [run], succeeded=False)
