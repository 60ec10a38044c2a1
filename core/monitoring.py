"""The operators' window: frozen snapshots of what is there. It changes nothing."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from django.db.models import QuerySet

from core.handler import brokers
from core.models import Attempt, Run


@dataclass(frozen=True, slots=True)
class AttemptSnapshot:
    """An attempt that did not succeed."""

    number: int
    outcome: str
    worker: str
    started_at: datetime
    finished_at: datetime
    error: str
    traceback: str

    @classmethod
    def of(cls, row: Attempt) -> Self:
        """Freeze a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run as it was when it was read."""

    id: str
    broker: str
    actor_name: str
    queue_name: str
    priority: int
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    state: str
    attempt: int
    retries: int
    crashes: int
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker: str
    error: str
    attempts: tuple[AttemptSnapshot, ...] = ()

    @classmethod
    def of(cls, row: Run, attempts: tuple[AttemptSnapshot, ...] = ()) -> Self:
        """Freeze a row."""
        plain = [name for name in cls.__slots__ if name not in ("id", "attempts")]
        values = {name: getattr(row, name) for name in plain}
        return cls(id=str(row.pk), attempts=attempts, **values)

    def asdict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return asdict(self)


def run(run_id: str) -> RunSnapshot:
    """Return one run with its attempts, or raise `UnknownRun`."""
    row = brokers.find(run_id)
    return RunSnapshot.of(row, tuple(map(AttemptSnapshot.of, row.attempts.all())))


def runs(*, limit: int = 50, **filters: str) -> list[RunSnapshot]:
    """Return the newest runs first, filtered by any of `FILTERS`."""
    newest = [
        RunSnapshot.of(row)
        for database in brokers.databases()
        for row in select(database, filters)[:limit]
    ]
    return sorted(newest, key=lambda run: run.created_at, reverse=True)[:limit]


#: What runs may be filtered by.
FILTERS = ("state", "actor_name", "queue_name", "broker")


def select(database: str, filters: dict[str, str]) -> QuerySet[Run]:
    """Return the rows that these filters mean, newest first."""
    unknown = set(filters) - set(FILTERS)
    if unknown:
        raise TypeError(f"unknown filters {sorted(unknown)}; known are {FILTERS}")
    return Run.objects.using(database).filter(**filters).order_by("-created_at")
