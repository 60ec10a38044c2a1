"""The steps of one attempt, from its claim to its settling, each fenced."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.models import Run, State
from core.runs import returning
from core.runs.database_time import NOW
from core.runs.ends import follow
from core.runs.failures import Failure, remember
from core.runs.pauses import NOT_PAUSED
from core.runs.waiting import ALONE, later

# Raw, because it needs RETURNING: the claim and the row in one round trip. A copy of a
# message that its Limit has not let go must not slip through (`slot` is the column of
# `limit_granted`), nor one of a run that killed its process into one that it shares.
_CLAIM = """
    UPDATE core_run
    SET state = 'running', attempt = attempt + 1, worker = %s, started_at = {now},
        relay_at = NULL, reserved = FALSE,
        unique_key = CASE WHEN unique_running THEN unique_key ELSE NULL END
    WHERE id = %s
        AND (state = 'queued' OR (state = 'pending' AND due_at <= {now}))
        AND (limit_key IS NULL OR slot)
        AND (crashes = 0 OR {alone})
        AND {not_paused}
    RETURNING {columns}
"""
# Raw, because it is what every success pays for: most of an UPDATE that Django writes
# is the writing.
_SUCCEED = """
    UPDATE core_run
    SET state = 'succeeded', finished_at = {now}, slot = %s, unique_key = NULL
    WHERE id = %s AND {fence}
"""
#: What `_owned` asks for.
_FENCE = "state = 'running' AND attempt = %s"


@dataclass(frozen=True, slots=True)
class Returned:
    """A body's return value, and the ms it is kept; None: not for reading."""

    value: Any = None
    ttl: int | None = None


def claim(database: str, run_id: UUID, worker: str) -> Run | None:
    """Make `worker` the owner of the run's next attempt. Of all copies one wins."""
    connection = connections[database]
    key = Run._meta.pk.get_db_prep_value(run_id, connection)
    alone = "1 = 1" if worker.startswith(ALONE) else "1 = 0"
    now = NOW[connection.vendor]
    sql = _CLAIM.format(
        now=now, alone=alone, not_paused=NOT_PAUSED, columns=returning.COLUMNS
    )
    return returning.first(database, sql, [worker, key])


def _owned(database: str, run: Run) -> QuerySet[Run]:
    """Return the run if this attempt still owns it: the fence."""
    return Run.objects.using(database).filter(
        pk=run.pk, state=State.RUNNING, attempt=run.attempt
    )


def succeed(
    database: str, run: Run, returned: Returned = Returned()
) -> list[UUID] | None:
    """Settle an attempt that returned; None: it was replaced, or is settled.

    Returns the runs that waited for it and may start now.
    """
    if returned.ttl is None and not (run.followed or run.batch):
        return [] if _succeed_alone(database, run) else None
    changes = _end(State.SUCCEEDED)
    if returned.ttl is not None:
        changes |= {"result_until": later(returned.ttl / 1000)}
    if returned.ttl is not None or (run.collected and run.batch):
        changes |= {"result": returned.value}
    if not (run.followed or run.batch):
        return [] if _owned(database, run).update(**changes) else None
    with transaction.atomic(using=database):
        if not _owned(database, run).update(**changes):
            return None
        return follow(database, [run], succeeded=True, value=returned.value)


def _succeed_alone(database: str, run: Run) -> bool:
    """Settle a success that nothing waits for and whose result nobody reads."""
    connection = connections[database]
    sql = _SUCCEED.format(now=NOW[connection.vendor], fence=_FENCE)
    key = Run._meta.pk.get_db_prep_value(run.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, [False, key, run.attempt])
        updated: int = cursor.rowcount
    return updated == 1


def has_succeeded(database: str, run: Run) -> bool:
    """Return True if it was this very attempt that succeeded."""
    return _settled(database, run).exists()


def _settled(database: str, run: Run) -> QuerySet[Run]:
    return Run.objects.using(database).filter(
        pk=run.pk, state=State.SUCCEEDED, attempt=run.attempt
    )


def keep_result(database: str, run: Run, returned: Returned) -> None:
    """Add what the body returned to a success that was settled inside the body."""
    until = later((returned.ttl or 0) / 1000)
    _settled(database, run).update(result=returned.value, result_until=until)


def retry(database: str, run: Run, failure: Failure, delay: float) -> bool:
    """Send a failed attempt back to wait for `delay` seconds."""
    changes = _again(delay) | {"retries": F("retries") + 1}
    # It was its own end, not its process's: it is no suspect any more.
    return _fail(database, run, failure, changes | {"crashes": 0, "lone_crashes": 0})


def postpone(database: str, run: Run, failure: Failure, delay: float) -> bool:
    """Send a run back that this process could not start; it counts as no retry."""
    return _fail(database, run, failure, _again(delay))


def bury(database: str, run: Run, failure: Failure) -> bool:
    """Give a run up: dead, until an operator requeues it."""
    return _fail(database, run, failure, _end(State.DEAD))


def stop(database: str, run: Run, failure: Failure) -> bool:
    """End an attempt that was cancelled, or skipped, while this process had it."""
    return _fail(database, run, failure, _end(State.CANCELLED))


def _again(delay: float) -> dict[str, Any]:
    due = later(delay)
    return {
        "state": State.PENDING,
        "due_at": due,
        "relay_at": due,
        "limit_granted": False,
    }


def _end(state: State) -> dict[str, Any]:
    return {
        "state": state,
        "finished_at": Now(),
        "limit_granted": False,
        "unique_key": None,
    }


def _fail(database: str, run: Run, failure: Failure, changes: dict[str, Any]) -> bool:
    with transaction.atomic(using=database):
        owned = _owned(database, run)
        if changes["state"] == State.PENDING:
            # Someone wants it stopped: no next attempt.
            owned = owned.filter(cancel_requested=False)
        updated = owned.update(error=failure.error, **changes)
        if updated:
            remember(database, [run], failure)
            if changes["state"] != State.PENDING:
                follow(database, [run], succeeded=False)
    if not updated and changes["state"] == State.PENDING:
        return _fail(database, run, failure, _end(State.CANCELLED))
    return updated == 1


def note_progress(database: str, run: Run, progress: list[Any]) -> None:
    """Write down how far the body is."""
    _owned(database, run).update(progress=progress)


def to_interrupt(database: str, worker: str) -> list[UUID]:
    """Return the runs in a worker's hands that someone wants stopped."""
    unwanted = Run.objects.using(database).filter(
        worker=worker, state=State.RUNNING, cancel_requested=True
    )
    return list(unwanted.values_list("pk", flat=True))
