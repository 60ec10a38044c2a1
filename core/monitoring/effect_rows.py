"""Effects outside the database: done, failed, or not known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from core.broker.handler import brokers
from core.models import Effect
from core.monitoring.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class EffectSnapshot(Snapshot):
    """An effect outside the database as it was when it was read."""

    key: str
    name: str
    state: str
    policy: str
    actor_name: str
    run_id: str | None
    attempt: int
    error: str
    unknowns: int
    intended_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, row: Effect) -> Self:
        """Freeze a row."""
        values = {name: getattr(row, name) for name in cls.__slots__}
        return cls(**values | {"run_id": row.run_id and str(row.run_id)})


def effects(state: str = "", limit: int = 50) -> list[EffectSnapshot]:
    """Return the newest effects, all or of one state."""
    found: list[EffectSnapshot] = []
    for database in brokers.databases():
        rows = Effect.objects.using(database).order_by("-intended_at")
        rows = rows.filter(state=state) if state else rows
        found += [EffectSnapshot.of(row) for row in rows[:limit]]
    return sorted(found, key=lambda one: one.intended_at, reverse=True)[:limit]
