"""How a run enters: written in the caller's transaction, or found to be there."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from core.errors import IdempotencyConflict
from core.models import Batch, IdempotencyKey, Run, State
from core.runs.ends import finish

#: How long an idempotency key is kept.
REMEMBERED = timedelta(days=30)
#: Tries to find the run that holds a key, if each ends meanwhile.
TRIES = 100
#: Most results emptied at a time.
SWEPT = 1000


def insert_unique(database: str, row: Run) -> UUID:
    """Write a run unless another one holds its key; return the holder's id.

    Two transactions that do so at once: the second waits for the first one's end.
    """
    for _ in range(TRIES):
        Run.objects.using(database).bulk_create([row], ignore_conflicts=True)
        holder = Run.objects.using(database).filter(
            Q(pk=row.pk) | Q(actor_name=row.actor_name, unique_key=row.unique_key)
        )
        found = holder.values_list("pk", flat=True).first()
        if found is not None:
            return found
    raise RuntimeError(f"The key {row.unique_key!r} came and went {TRIES} times.")


def insert_idempotent(database: str, row: Run, key: str, fingerprint: str) -> UUID:
    """Write a run unless this key gave one before; return the run's id.

    Raises `IdempotencyConflict`: it gave one with other arguments.
    """
    with transaction.atomic(using=database):
        keys = IdempotencyKey.objects.using(database)
        known = keys.filter(actor_name=row.actor_name, key=key)
        known.filter(created_at__lt=Now() - REMEMBERED).delete()
        mine = IdempotencyKey(
            actor_name=row.actor_name,
            key=key,
            run_id=row.pk,
            fingerprint=fingerprint,
            created_at=Now(),
        )
        keys.bulk_create([mine], ignore_conflicts=True)
        found = known.get()
        if found.fingerprint != fingerprint:
            raise IdempotencyConflict(row.actor_name, key, str(found.run_id))
        if found.run_id == row.pk:
            return _insert_first(database, row, found)
        return found.run_id


def _insert_first(database: str, row: Run, known: IdempotencyKey) -> UUID:
    if row.unique_key is None:
        # The very same message may come again.
        Run.objects.using(database).bulk_create([row], ignore_conflicts=True)
        return row.pk
    holder = insert_unique(database, row)
    if holder != row.pk:
        known.run_id = holder
        known.save(using=database, update_fields=["run_id"])
    return holder


def insert_batches(database: str, batches: Sequence[Batch]) -> list[UUID]:
    """Write the batches of a composition after its runs; end those without members.

    Returns the runs that may start because of that.
    """
    Batch.objects.using(database).bulk_create(batches, batch_size=1000)
    freed = []
    for batch in batches:
        if not batch.size:
            freed += finish(database, batch)
    return freed


def adopt(database: str, row: Run) -> bool:
    """Write a run for a message that had none; False: it has one by now."""
    if row.state != State.RUNNING:
        raise ValueError(f"{row.pk} is {row.state}: only what runs is adopted")
    Run.objects.using(database).bulk_create([row], ignore_conflicts=True)
    mine = Run.objects.using(database).filter(
        pk=row.pk, state=State.RUNNING, worker=row.worker, attempt=row.attempt
    )
    return mine.exists()


def forget_keys(database: str) -> None:
    """Delete the callers' keys that are old enough."""
    old = IdempotencyKey.objects.using(database)
    old.filter(created_at__lt=Now() - REMEMBERED).delete()


def forget_results(database: str) -> None:
    """Empty the results that nobody may read any more."""
    old = Run.objects.using(database).filter(result_until__lt=Now())
    ids = list(old.values_list("pk", flat=True)[:SWEPT])
    Run.objects.using(database).filter(pk__in=ids).update(
        result=None, result_until=None
    )
