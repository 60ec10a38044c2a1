"""Runs, the newest first, a page at a time: by key, never by offset.

A page costs the same wherever it is. It may show less than there is room for, and say
where to go on: see `core.monitoring.streams`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from core.broker.handler import brokers
from core.errors import InvalidFilter
from core.models import Run
from core.monitoring.moments import written
from core.monitoring.run_rows import RunSnapshot
from core.monitoring.snapshot import Snapshot
from core.monitoring.streams import streams

#: Most rows of a page.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the next one begins with what is older."""

    at: datetime
    id: UUID

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Read what `str` gave; raise `InvalidFilter`."""
        moment, _, key = text.partition("_")
        try:
            return cls(datetime.fromisoformat(moment), UUID(key))
        except ValueError:
            hint = "give what the page before named as next"
            raise InvalidFilter("before", text, hint) from None

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"

    def older(self, database: str) -> Q:
        """Return a condition for what comes after this on the list."""
        first, last = written(database, self.at)
        same = Q(created_at__gte=first, pk__lt=self.id)
        return Q(created_at__lte=last) & (Q(created_at__lt=first) | same)


@dataclass(frozen=True, slots=True)
class RunPage(Snapshot):
    """Some runs, the newest first."""

    runs: tuple[RunSnapshot, ...]
    #: Where the next page begins, for `before`; "" when this one is the last. There may
    #: be a next page although this one is not full.
    next: str


def page(*, limit: int = 50, before: str = "", **filters: Any) -> RunPage:
    """Return the newest runs that the filters mean, or the next ones after a page."""
    if not 0 < limit <= LONGEST:
        raise InvalidFilter("limit", limit, f"give 1 to {LONGEST}")
    cursor = Cursor.read(before) if before else None
    found: list[Run] = []
    looked_until: list[datetime] = []
    for database in brokers.databases():
        older = cursor.older(database) if cursor else Q()
        for rows, end in streams(database, filters, older, limit + 1):
            found += rows
            looked_until += [end] if end else []
    end = max(looked_until, default=None)
    shown = [row for row in found if end is None or row.created_at >= end]
    shown.sort(key=lambda row: (row.created_at, row.pk), reverse=True)
    runs = tuple(map(RunSnapshot.of, shown[:limit]))
    return RunPage(runs, _next(shown, limit, end))


def _next(shown: list[Run], limit: int, end: datetime | None) -> str:
    if len(shown) > limit:
        last = shown[limit - 1]
        return str(Cursor(last.created_at, last.pk))
    return str(Cursor(end, UUID(int=0))) if end else ""


def runs(*, limit: int = 50, **filters: Any) -> list[RunSnapshot]:
    """Return the newest runs first, filtered by any of `FILTERS`.

    Looks as far back as it must: see `page` for what costs the same whatever it finds.
    """
    found: list[RunSnapshot] = []
    before = ""
    while len(found) < limit:
        part = page(limit=min(limit - len(found), LONGEST), before=before, **filters)
        found += part.runs
        before = part.next
        if not before:
            break
    return found
