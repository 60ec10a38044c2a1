"""Deleting what has ended long ago, a few rows at a time.

What somebody may still ask for stays: a result within its ttl, what a waiting run or
an open group refers to. A caller's idempotency key outlives its run.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from core.models import (
    Attempt,
    AuditEntry,
    Batch,
    Effect,
    EffectState,
    Fire,
    FireState,
    Notice,
    NoticeState,
    Parked,
    Rollup,
    Run,
    State,
)
from core.models.rollup import SPANS
from core.options.retention import Keep, Retention
from core.runs.rollups import rolled_up
from core.runs.waiting import later

#: Most rows deleted in one transaction.
BATCH = 500


def prune(database: str, broker: str, retention: Retention) -> dict[str, int]:
    """Delete the oldest rows of each kind that are too old or too many, a batch each.

    Returns how many of each kind; a kind with `BATCH` may have more.
    """
    counts: Counter[str] = Counter()
    for kind, rows in _runs(database, broker, retention):
        counts[kind] += _delete_runs(database, _batch(rows))
    for kind, others in _others(database, broker, retention):
        counts[kind] += _delete(database, others)
    counts["groups"] = _delete(database, _groups(database, retention.succeeded))
    return {kind: count for kind, count in counts.items() if count}


def prunable(database: str, broker: str, retention: Retention) -> dict[str, int]:
    """Count what `prune` would delete by and by, but for groups."""
    kinds = [
        *_runs(database, broker, retention),
        *_others(database, broker, retention),
    ]
    counts: Counter[str] = Counter()
    for kind, rows in kinds:
        counts[kind] += rows.count()
    return dict(counts)


def _runs(
    database: str, broker: str, retention: Retention
) -> Iterator[tuple[str, QuerySet[Run]]]:
    counted = rolled_up(database, broker)
    for state in (State.SUCCEEDED, State.DEAD, State.CANCELLED):
        ended = Run.objects.using(database).filter(broker=broker, state=state)
        keep: Keep = getattr(retention, state.value)
        gone = _spare(_beyond(ended, "finished_at", keep))
        # The statistics have yet to count what is younger.
        yield state.value, gone.filter(finished_at__lt=counted) if counted else gone


def _others(
    database: str, broker: str, retention: Retention
) -> Iterator[tuple[str, QuerySet[Any]]]:
    parked = Parked.objects.using(database).filter(broker=broker)
    yield "parked", _beyond(parked, "parked_at", retention.parked)
    settled = Effect.objects.using(database).filter(
        state__in=(EffectState.DONE, EffectState.FAILED)
    )
    yield "effects", _beyond(settled, "settled_at", retention.effects)
    decided = Fire.objects.using(database).exclude(state=FireState.WAITING)
    yield "fires", _beyond(decided, "decided_at", retention.fires)
    audited = AuditEntry.objects.using(database)
    yield "audit", _beyond(audited.all(), "at", retention.audit)
    told = Notice.objects.using(database).exclude(state=NoticeState.OPEN)
    yield "alerts", _beyond(told, "created_at", retention.alerts)
    for span in SPANS:
        rollups = Rollup.objects.using(database).filter(broker=broker, span=span)
        yield "rollups", _beyond(rollups, "start", retention.rollups)


def _beyond(rows: QuerySet[Any], moment: str, keep: Keep) -> QuerySet[Any]:
    """Return the rows that are too old, or not among the newest that are kept."""
    too_old = Q(pk__in=())
    if keep.age is not None:
        too_old |= Q(**{f"{moment}__lt": later(-keep.age)})
    if keep.count is not None:
        first: datetime | None = (
            rows.filter(**{f"{moment}__isnull": False})
            .order_by(F(moment).desc())
            .values_list(moment, flat=True)[keep.count : keep.count + 1]
            .first()
        )
        if first is not None:
            too_old |= Q(**{f"{moment}__lte": first})
    return rows.filter(too_old).order_by(moment)


def _spare(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Leave out what somebody may still ask for."""
    followers = Run.objects.filter(after=OuterRef("pk"), state=State.PENDING)
    group = Batch.objects.filter(pk=OuterRef("batch"), finished_at__isnull=True)
    readable = Q(result_until__isnull=False, result_until__gt=Now())
    return runs.filter(~readable, ~Exists(followers), ~Exists(group))


def _groups(database: str, keep: Keep) -> QuerySet[Batch]:
    """Return groups that ended, and that no row speaks of any more."""
    ended = Batch.objects.using(database).filter(finished_at__isnull=False)
    if keep.age is not None:
        ended = ended.filter(finished_at__lt=later(-keep.age))
    members = Run.objects.filter(batch=OuterRef("pk"))
    followers = Run.objects.filter(after=OuterRef("pk"))
    inner = Batch.objects.filter(batch=OuterRef("pk"))
    return ended.filter(~Exists(members), ~Exists(followers), ~Exists(inner))


def _batch(rows: QuerySet[Any]) -> QuerySet[Any]:
    # Whoever holds one right now, to requeue it, is left alone.
    return rows.select_for_update(of=("self",), skip_locked=True)


def _delete_runs(database: str, rows: QuerySet[Run]) -> int:
    with transaction.atomic(using=database):
        ids: Sequence[UUID] = list(rows.values_list("pk", flat=True)[:BATCH])
        # Attempts first: deleting runs alone would look for them run by run.
        Attempt.objects.using(database).filter(run_id__in=ids).delete()
        doomed = Run.objects.using(database).filter(pk__in=ids)
        doomed._raw_delete(database)  # the rows need not be read to be deleted
    return len(ids)


def _delete(database: str, rows: QuerySet[Any]) -> int:
    model: type[Model] = rows.model
    with transaction.atomic(using=database):
        ids = list(_batch(rows).values_list("pk", flat=True)[:BATCH])
        model._default_manager.using(database).filter(pk__in=ids).delete()
    return len(ids)
