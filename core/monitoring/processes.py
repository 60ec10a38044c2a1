"""The worker processes: alive or not, and what each has in hand."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    DurationField,
    ExpressionWrapper,
    F,
    Value,
    When,
)
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.models import Run, State, Worker
from core.monitoring.snapshot import Snapshot

#: Most running runs that are named.
MOST_RUNS = 1000


@dataclass(frozen=True, slots=True)
class RunningSnapshot(Snapshot):
    """A run that a worker has in hand."""

    id: str
    actor_name: str
    queue_name: str
    attempt: int
    started_at: datetime
    #: Seconds since its start.
    seconds: float
    #: [done, total, note], as the body has told.
    progress: list[Any] | None


@dataclass(frozen=True, slots=True)
class WorkerSnapshot(Snapshot):
    """A worker process, as its last beat described it."""

    name: str
    broker: str
    engine: str
    #: Its lease holds.
    alive: bool
    host: str
    pid: int
    #: Its supervisor, as <pid>-<random>, or "".
    supervisor: str
    queues: list[str]
    #: Its threads; 0 if it serves no queue.
    threads: int
    #: Resident memory in bytes; 0 if unknown.
    rss: int
    #: Recently started runs per second.
    rate: float
    started_at: datetime
    last_beat: datetime
    running: tuple[RunningSnapshot, ...]


def workers(broker: str = "") -> list[WorkerSnapshot]:
    """Return the worker processes of every alias, or of one, the oldest first.

    One that died is told of as not alive for ten minutes; one that ended in order, or
    whose supervisor saw it die, has signed off.
    """
    found = [
        _snapshot(row, running.get(row.name, ()))
        for database in brokers.databases()
        for running in [_running(database)]
        for row in _rows(database, broker)
    ]
    return sorted(found, key=lambda worker: worker.started_at)


def served(broker: str) -> set[str]:
    """Return the queues of an alias that a live worker serves."""
    alive = Worker.alive(brokers[broker].database, broker).filter(threads__gt=0)
    return set(chain.from_iterable(alive.values_list("queues", flat=True)))


def _rows(database: str, broker: str) -> list[Any]:
    alive = Case(
        When(lease_until__gt=Now(), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = Worker.objects.using(database).annotate(is_alive=alive)
    known = rows.filter(broker__in=[broker] if broker else list(brokers))
    return list(known.order_by("started_at", "name"))


def _running(database: str) -> dict[str, list[RunningSnapshot]]:
    """Return what is in hand, by the worker, the longest first."""
    since = ExpressionWrapper(Now() - F("started_at"), output_field=DurationField())
    rows = Run.objects.using(database).filter(
        state=State.RUNNING, broker__in=list(brokers)
    )
    rows = rows.annotate(since=since).order_by("started_at")
    found = defaultdict(list)
    for row in rows[:MOST_RUNS]:
        found[row.worker].append(_in_hand(row))
    return found


def _in_hand(row: Any) -> RunningSnapshot:
    names = "actor_name queue_name attempt started_at progress"
    return RunningSnapshot(
        id=str(row.pk),
        seconds=row.since.total_seconds(),
        **{name: getattr(row, name) for name in names.split()},
    )


def _snapshot(row: Any, running: Any) -> WorkerSnapshot:
    lease = timedelta(seconds=brokers[row.broker].timing.lease)
    names = "name broker engine host pid supervisor queues threads rss rate started_at"
    return WorkerSnapshot(
        alive=row.is_alive,
        last_beat=row.lease_until - lease,
        running=tuple(running),
        **{name: getattr(row, name) for name in names.split()},
    )
