"""A new life for runs that have ended."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from core.models import Batch, Run, State
from core.runs.ends import NEVER, revive

#: The states that can be requeued.
REQUEUABLE = (State.DEAD, State.CANCELLED)
_NEW_LIFE: Mapping[str, Any] = {
    "state": State.PENDING,
    "due_at": Now(),
    "relay_at": Now(),
    "expires_at": None,
    "retries": 0,
    "crashes": 0,
    "lone_crashes": 0,
    "finished_at": None,
    "cancel_requested": False,
}


def requeue(
    database: str,
    ids: Sequence[UUID],
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Give dead and cancelled runs a new life, with all their retries.

    And with other values in the fields that `changes` names, as other arguments.

    What was cancelled because of them waits for them again. One that waited for
    another run, which has ended without letting it go, cannot be had this way: it is
    the other one that must be requeued.
    """
    with transaction.atomic(using=database):
        found = Run.objects.using(database).filter(pk__in=ids, state__in=REQUEUABLE)
        rows = list(found.order_by("pk").select_for_update())
        if changes:
            _write(database, rows, changes)
        runnable = [run for run in rows if run.due_at < NEVER]
        _write(database, runnable, _NEW_LIFE)
        revive(database, runnable)
        return len(runnable) + _wait_again(database, rows)


def _write(database: str, rows: Sequence[Run], changes: Mapping[str, Any]) -> None:
    keys = [run.pk for run in rows]
    Run.objects.using(database).filter(pk__in=keys).update(**changes)


def _wait_again(database: str, rows: Sequence[Run]) -> int:
    """Let those wait again whose predecessor is still to come."""
    waited = 0
    for run in rows:
        if run.due_at < NEVER or run.after is None:
            continue
        before = (
            Run.objects.using(database)
            .filter(pk=run.after)
            .exclude(state__in=(*REQUEUABLE, State.SUCCEEDED))
        )
        group = Batch.objects.using(database).filter(pk=run.after, remaining__gt=0)
        if before.exists() or group.exists():
            again = Run.objects.using(database).filter(pk=run.pk, state__in=REQUEUABLE)
            if again.update(state=State.PENDING, finished_at=None, error=""):
                revive(database, [run])
                waited += 1
            else:
                waited += 1  # by the revival of another one of the rows
    return waited
