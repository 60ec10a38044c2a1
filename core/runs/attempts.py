"""The steps of one attempt, from its claim to its settling, each fenced."""

from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.models import Run, State
from core.runs.failures import Failure, remember
from core.runs.waiting import later

_NOW = {
    "postgresql": "STATEMENT_TIMESTAMP()",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
}
# Raw, because it needs RETURNING: the claim and the row in one round trip.
_CLAIM = """
    UPDATE core_run
    SET state = 'running', attempt = attempt + 1, worker = %s, started_at = {now},
        relay_at = NULL
    WHERE id = %s AND (state = 'queued' OR (state = 'pending' AND due_at <= {now}))
    RETURNING *
"""


def claim(database: str, run_id: UUID, worker: str) -> Run | None:
    """Make `worker` the owner of the run's next attempt. Of all copies one wins."""
    connection = connections[database]
    key = Run._meta.pk.get_db_prep_value(run_id, connection)
    sql = _CLAIM.format(now=_NOW[connection.vendor])
    return next(iter(Run.objects.using(database).raw(sql, [worker, key])), None)


def _held(database: str, run: Run) -> QuerySet[Run]:
    """Return the run if this attempt still owns it: the fence."""
    return Run.objects.using(database).filter(
        pk=run.pk, state=State.RUNNING, attempt=run.attempt
    )


def succeed(database: str, run: Run) -> bool:
    """Settle an attempt that returned. Said twice of one attempt it is true twice."""
    held = _held(database, run)
    if held.update(state=State.SUCCEEDED, finished_at=Now()):
        return True
    settled = Run.objects.using(database).filter(
        pk=run.pk, state=State.SUCCEEDED, attempt=run.attempt
    )
    return settled.exists()


def retry(database: str, run: Run, failure: Failure, delay: float) -> bool:
    """Send a failed attempt back to wait for `delay` seconds."""
    changes = {
        "state": State.PENDING,
        "due_at": later(delay),
        "relay_at": later(delay),
        "retries": F("retries") + 1,
    }
    return _fail(database, run, failure, changes)


def postpone(database: str, run: Run, failure: Failure, delay: float) -> bool:
    """Send a run back that this process could not start; it counts as no retry."""
    changes = {
        "state": State.PENDING,
        "due_at": later(delay),
        "relay_at": later(delay),
    }
    return _fail(database, run, failure, changes)


def bury(database: str, run: Run, failure: Failure) -> bool:
    """Give a run up: dead, until an operator requeues it."""
    changes = {"state": State.DEAD, "finished_at": Now()}
    return _fail(database, run, failure, changes)


def _fail(database: str, run: Run, failure: Failure, changes: dict[str, Any]) -> bool:
    with transaction.atomic(using=database):
        updated = _held(database, run).update(error=failure.error, **changes)
        if updated:
            remember(database, [run], failure)
    return updated == 1
