"""Releasing what waits for a run: the next step, the callback of a group.

A run that waits for another is pending, never due, and has no time for the relay. All
of this happens in the transaction that ends the other one: nothing is forgotten.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.models import Batch, Run, State
from core.registry import registry
from core.secrets.values import encrypt

#: The due time of a run that waits for another one.
NEVER = datetime(9900, 1, 1, tzinfo=UTC)
#: Most rows in one statement.
CHUNK = 500


def follow(
    database: str, ended: Sequence[Run], *, succeeded: bool, value: Any = None
) -> list[UUID]:
    """Let go what waited for these runs; return what may start now.

    Without success, what waited for it is cancelled, and so on. `value` is what the
    one that succeeded returned.
    """
    freed: list[UUID] = []
    for run in ended:
        if run.followed:
            freed += _free(database, run.pk, [value], succeeded)
    counts = Counter(run.batch for run in ended if run.batch)
    for batch, number in sorted(counts.items(), key=lambda item: str(item[0])):
        freed += _count(database, batch, number, 0 if succeeded else number)
    return freed


def _free(
    database: str, ended: UUID, piped: list[Any] | None, succeeded: bool
) -> list[UUID]:
    waiting = _waiting(database).filter(after=ended)
    freed: list[UUID] = []
    if not succeeded:
        doomed = list(waiting.filter(after_end=False))
        freed = _cancel(database, doomed)
        waiting = waiting.filter(after_end=True)
    return freed + _let_go(database, waiting, piped)


def _waiting(database: str) -> QuerySet[Run]:
    return Run.objects.using(database).filter(state=State.PENDING, due_at__gte=NEVER)


def _cancel(database: str, doomed: Sequence[Run]) -> list[UUID]:
    for start in range(0, len(doomed), CHUNK):
        ids = [run.pk for run in doomed[start : start + CHUNK]]
        Run.objects.using(database).filter(pk__in=ids).update(
            state=State.CANCELLED,
            finished_at=Now(),
            unique_key=None,
            error="What it waited for did not succeed.",
        )
    return follow(database, doomed, succeeded=False) if doomed else []


def _let_go(
    database: str, waiting: QuerySet[Run], piped: list[Any] | None
) -> list[UUID]:
    by_wait: dict[Any, list[UUID]] = defaultdict(list)
    for pk, options, name in waiting.values_list("pk", "options", "actor_name"):
        wait = (options.get("delay", 0), options.get("eta"), _takes_secrets(name))
        by_wait[wait].append(pk)
    for (delay, eta, secretly), ids in by_wait.items():
        due = _due(delay, eta)
        given = [encrypt(value) for value in piped or ()] if secretly else piped
        for start in range(0, len(ids), CHUNK):
            Run.objects.using(database).filter(
                pk__in=ids[start : start + CHUNK]
            ).update(due_at=due, relay_at=due, piped=given)
    return [pk for ids in by_wait.values() for pk in ids]


def _takes_secrets(actor_name: str) -> bool:
    """Return True if what is handed on to an actor may go to a secret parameter."""
    return actor_name in registry and bool(registry.get(actor_name).secrets)


def _due(delay: int, eta: int | None) -> Any:
    wait = timedelta(milliseconds=delay)
    if eta is None:
        return Now() + wait if delay else Now()
    return datetime.fromtimestamp(eta / 1000, UTC) + wait


def _count(database: str, batch_id: UUID, ended: int, failed: int) -> list[UUID]:
    """Count `ended` members as over; the last one ends the batch."""
    found = Batch.objects.using(database).filter(pk=batch_id)
    found.update(remaining=F("remaining") - ended, failed=F("failed") + failed)
    batch = found.get()  # the update holds its row: nobody else counts meanwhile
    return [] if batch.remaining else finish(database, batch)


def finish(database: str, batch: Batch) -> list[UUID]:
    """End a batch of which all members have ended; return what may start now."""
    Batch.objects.using(database).filter(pk=batch.pk).update(finished_at=Now())
    succeeded = not batch.failed
    freed: list[UUID] = []
    if batch.followed:
        piped = [results(database, batch.pk)] if batch.collects else None
        freed += _free(database, batch.pk, piped, succeeded)
    if batch.batch:
        freed += _count(database, batch.batch, 1, int(not succeeded))
    return freed


def results(database: str, batch_id: UUID) -> list[Any]:
    """Return what the members returned, in order; None for one that did not."""
    members: list[tuple[int, Any]] = list(
        Run.objects.using(database)
        .filter(batch=batch_id)
        .values_list("position", "result")
    )
    inner = Batch.objects.using(database).filter(batch=batch_id)
    members += [
        (batch.position, results(database, batch.pk)) for batch in inner.iterator()
    ]
    return [value for _, value in sorted(members, key=lambda member: member[0])]


def revive(database: str, runs: Sequence[Run]) -> None:
    """Undo what the ends of these runs have done to those that waited for them.

    What was cancelled because of them waits again; what was let go stays so.
    """
    for run in runs:
        if run.followed:
            _await_again(database, run.pk)
    counts = Counter(run.batch for run in runs if run.batch)
    for batch, number in counts.items():
        _count_again(database, batch, number)


def _await_again(database: str, ended: UUID) -> None:
    cancelled = Run.objects.using(database).filter(
        after=ended, state=State.CANCELLED, due_at__gte=NEVER
    )
    rows = list(cancelled)
    for start in range(0, len(rows), CHUNK):
        ids = [row.pk for row in rows[start : start + CHUNK]]
        Run.objects.using(database).filter(pk__in=ids).update(
            state=State.PENDING, finished_at=None, error=""
        )
    revive(database, rows)


def _count_again(database: str, batch_id: UUID, number: int) -> None:
    found = Batch.objects.using(database).filter(pk=batch_id)
    found.update(remaining=F("remaining") + number, failed=F("failed") - number)
    batch = found.get()
    if batch.finished_at is None:
        return
    found.update(finished_at=None)
    if batch.followed:
        _await_again(database, batch.pk)
    if batch.batch:
        _count_again(database, batch.batch, 1)
