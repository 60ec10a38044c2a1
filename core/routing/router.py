"""Deciding a run's queue and priority, when the relay first sees it.

Never in the sender: it would wait for a look at the load. Direct messages are not
relayed, and go where their actor says.
"""

import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import psutil
from django.db.models import Min, Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from core import runs
from core.errors import BrokerConfigError, CoreError
from core.models import Run, State
from core.routing import routes
from core.routing.routes import Change, Route
from core.wire.envelope import Envelope

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Seconds for which a measured load is cached.
FRESH_SECONDS = 1.0
#: Waiting runs are counted up to this number.
DEEPEST = 10_000


class ObservedLoad:
    """The load of one alias; see `core.routing.routes.Load`."""

    def __init__(self, alias: str, database: str) -> None:
        self._alias = alias
        self._database = database
        self._seen: dict[Any, tuple[float, Any]] = {}

    def _fresh(self, key: Any, look: Callable[[], T]) -> T:
        at, seen = self._seen.get(key, (0.0, None))
        if time.monotonic() - at < FRESH_SECONDS:
            value: T = seen
            return value
        value = look()
        self._seen[key] = (time.monotonic(), value)
        return value

    def _due(self, queue: str) -> Any:
        waits = Q(state=State.QUEUED) | Q(state=State.PENDING, due_at__lte=Now())
        return Run.objects.using(self._database).filter(
            waits, broker=self._alias, queue_name=queue
        )

    def depth(self, queue_name: str) -> int:
        """Count the due runs that wait in a queue."""
        return self._fresh(
            ("depth", queue_name), lambda: int(self._due(queue_name)[:DEEPEST].count())
        )

    def waiting(self, queue_name: str) -> timedelta:
        """Tell for how long the oldest of them has waited."""
        return self._fresh(("waiting", queue_name), lambda: self._oldest(queue_name))

    def _oldest(self, queue_name: str) -> timedelta:
        oldest = self._due(queue_name).aggregate(oldest=Min("due_at"))["oldest"]
        waited = timedelta() if oldest is None else datetime.now(UTC) - oldest
        return max(waited, timedelta())

    def system(self) -> float:
        """Tell the load average of a minute, per processor."""
        minute: float = psutil.getloadavg()[0]
        return minute / (os.cpu_count() or 1)


class Router:
    """The routes of one alias."""

    def __init__(self, alias: str, database: str, given: Mapping[str, Any]) -> None:
        self._database = database
        self._load = ObservedLoad(alias, database)
        self._routes = {pattern: _read(alias, given[pattern]) for pattern in given}

    def __bool__(self) -> bool:
        return bool(self._routes)

    def find(self, actor_name: str) -> Route | None:
        """Return the route of an actor's messages, if there is one."""
        for pattern, route in self._routes.items():
            if fnmatchcase(actor_name, pattern):
                return route
        return None

    @property
    def queues(self) -> set[str]:
        """The queues that the routes are known to lead to."""
        found: set[str] = set()
        for route in self._routes.values():
            if isinstance(route, Mapping):
                found |= {route["queue_name"]} if "queue_name" in route else set()
            else:
                found |= set(getattr(route, "queues", ()))
        return found

    def route(self, rows: Sequence[Run]) -> list[Run]:
        """Decide the routes of runs; return those that this process decided."""
        decided = [row for row in rows if row.routed]
        by_change: dict[tuple[str, int], list[Run]] = defaultdict(list)
        for row in rows:
            if not row.routed:
                change = self._change(row)
                queue = change.get("queue_name", row.queue_name)
                by_change[queue, change.get("priority", row.priority)].append(row)
        for (queue, priority), alike in by_change.items():
            decided += runs.route(self._database, alike, queue, priority)
        return decided

    def _change(self, row: Run) -> Change:
        route = self.find(row.actor_name)
        if route is None or isinstance(route, Mapping):
            return route or {}
        message = Envelope(
            row.queue_name,
            row.actor_name,
            tuple(row.args),
            row.kwargs,
            row.options,
            str(row.pk),
        )
        try:
            return routes.check(route(message, self._load) or {})
        except Exception:  # a user's function: it must not hold the message up
            logger.exception("The route of %s failed; it goes as it is.", message)
            return {}


def _read(alias: str, route: Any) -> Route:
    try:
        found = import_string(route) if isinstance(route, str) else route
        return found if callable(found) else routes.check(found)
    except (ImportError, CoreError) as error:
        raise BrokerConfigError(alias, "ROUTES", str(error)) from error
