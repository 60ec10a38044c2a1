"""Dead letters: runs that were given up, and what could not be understood."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from core.broker.handler import brokers
from core.models import Parked, Run, State
from core.monitoring.run_rows import RunSnapshot
from core.monitoring.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ParkedSnapshot(Snapshot):
    """A payload that did not decode or verify."""

    id: int
    broker: str
    #: The physical queue.
    queue: str
    #: Size of the message in bytes.
    size: int
    reason: str
    parked_at: datetime

    @classmethod
    def of(cls, row: Parked) -> Self:
        """Freeze a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class DeadLetters(Snapshot):
    """How much needs somebody to look at it, and the newest of it."""

    dead_count: int
    parked_count: int
    dead: tuple[RunSnapshot, ...]
    parked: tuple[ParkedSnapshot, ...]


def dead_letters(limit: int = 50) -> DeadLetters:
    """Return the newest dead runs and parked payloads, and count them all."""
    dead: list[RunSnapshot] = []
    parked: list[ParkedSnapshot] = []
    dead_count = parked_count = 0
    for alias in brokers:
        rows = Run.objects.using(brokers[alias].database).filter(broker=alias)
        died = rows.filter(state=State.DEAD, finished_at__isnull=False)
        dead_count += died.count()
        dead += map(RunSnapshot.of, died.order_by("-finished_at")[:limit])
    for database in brokers.databases():
        found = Parked.objects.using(database).filter(broker__in=list(brokers))
        parked_count += found.count()
        newest = found.defer("payload").order_by("-parked_at")[:limit]
        parked += map(ParkedSnapshot.of, newest)
    dead.sort(key=lambda run: run.finished_at or run.created_at, reverse=True)
    parked.sort(key=lambda one: one.parked_at, reverse=True)
    return DeadLetters(
        dead_count, parked_count, tuple(dead[:limit]), tuple(parked[:limit])
    )
