"""Which runs are meant: by what they are, when they came, and what they say."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from core.broker.handler import brokers
from core.errors import InvalidFilter
from core.models import Run

#: The beginning of an id, at least eight digits, as a person copies it.
_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]*", re.IGNORECASE)
_DIGITS = 32


def select(database: str, filters: Mapping[str, Any]) -> QuerySet[Run]:
    """Return the rows that these filters mean, newest first.

    Raises `TypeError` for an unknown filter, `InvalidFilter` for a bad value.
    """
    unknown = set(filters) - set(FILTERS)
    if unknown:
        raise TypeError(f"unknown filters {sorted(unknown)}; known are {FILTERS}")
    rows = Run.objects.using(database)
    for name, value in filters.items():
        rows = rows.filter(_CONDITIONS[name](value))
    return rows.order_by("-created_at", "-pk")


def _equal(column: str) -> Callable[[Any], Q]:
    return lambda value: Q(**{column: value})


def _moment(name: str, value: datetime | str) -> datetime:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else value
    except ValueError:  # well formed, and no date
        moment = None
    if moment is None:
        raise InvalidFilter(name, value, "write 2026-03-01T12:00 or ...T12:00+00:00")
    return make_aware(moment) if is_naive(moment) else moment


def _search(text: str) -> Q:
    """Find an id by its beginning, or what an error says, whatever its case."""
    said = Q(error__icontains=text)
    return said | prefix(text) if _ID.fullmatch(text) else said


def prefix(text: str) -> Q:
    """Return a condition for the ids that begin so."""
    digits = text.replace("-", "")[:_DIGITS]
    first, last = (UUID(digits.ljust(_DIGITS, fill)) for fill in "0f")
    return Q(pk__gte=first, pk__lte=last)


def ids(start: str) -> list[str]:
    """Return the ids that begin so, at least 8 digits: two at most of a database."""
    if not _ID.fullmatch(start):
        return []
    return [
        str(key)
        for database in brokers.databases()
        for key in Run.objects.using(database)
        .filter(prefix(start))
        .values_list("pk", flat=True)[:2]
    ]


_CONDITIONS: Mapping[str, Callable[[Any], Q]] = {
    "state": _equal("state"),
    "actor_name": _equal("actor_name"),
    "queue_name": _equal("queue_name"),
    "broker": _equal("broker"),
    "worker": _equal("worker"),
    "since": lambda value: Q(created_at__gte=_moment("since", value)),
    "until": lambda value: Q(created_at__lt=_moment("until", value)),
    "search": _search,
}
#: The filters of runs; `since` and `until` refer to their creation.
FILTERS = tuple(_CONDITIONS)
