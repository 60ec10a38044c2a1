"""The actions of operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from core.broker.handler import brokers
from core.models import AuditEntry
from core.monitoring.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AuditSnapshot(Snapshot):
    """One action of an operator."""

    at: datetime
    by: str
    verb: str
    target: str
    changed: int

    @classmethod
    def of(cls, row: AuditEntry) -> Self:
        """Freeze a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})


def audit(limit: int = 50, *, by: str = "", verb: str = "") -> list[AuditSnapshot]:
    """Return what operators have done, the newest first.

    `by` is a part of who it was, `verb` the whole of what was done.
    """
    given = {"by__icontains": by, "verb": verb}
    filters = {name: value for name, value in given.items() if value}
    found = [
        AuditSnapshot.of(row)
        for database in brokers.databases()
        for row in AuditEntry.objects.using(database)
        .filter(**filters)
        .order_by("-at", "-pk")[:limit]
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:limit]
