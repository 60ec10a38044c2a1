"""How much of a queue its broker may hold: what the workers start within seconds."""

import time
from bisect import bisect_left
from collections.abc import Callable

from core import runs
from core.backend import BaseBackend
from core.models import Worker

#: The most runs published in one call of a backend.
BATCH = 500
#: A queue's depth at the broker, in seconds of the workers' pace; at least twice their
#: threads.
AHEAD_SECONDS = 5
#: But at most this share of the time after which it is called lost by an idle worker:
#: what waits for its turn must not look lost when the machine slows down.
AHEAD_SHARE = 0.25
#: The least urgent priority of each band, the most urgent band first.
LAST_OF_BAND = (-50, -1, 0, 49, 100)
#: Seconds for which a publisher believes what it knows of workers and pauses.
FRESH_SECONDS = 1.0
#: Seconds for which a queue that had no room is left to the relay.
CROWDED_SECONDS = 0.5


def band_of(priority: int) -> int:
    """Return the band of a priority, 0 for the most urgent."""
    return bisect_left(LAST_OF_BAND, priority)


class Capacity:
    """The workers of one broker alias, and what they have room for."""

    def __init__(
        self, alias: str, database: str, backend: BaseBackend, lost: float
    ) -> None:
        self.ahead = min(AHEAD_SECONDS, lost * AHEAD_SHARE)
        self.alias = alias
        self.database = database
        self.backend = backend
        self.cached_workers: list[Worker] = []
        self._workers_read_at = 0.0
        self._paused: frozenset[str] = frozenset()
        self._paused_read_at = 0.0
        self._crowded_until: dict[str, float] = {}

    def workers(self) -> list[Worker]:
        """Return the live workers that consume, at most a second old."""
        if time.monotonic() - self._workers_read_at > FRESH_SECONDS:
            alive = Worker.alive(self.database, self.alias)
            consuming = alive.filter(threads__gt=0, engine=self.backend.engine)
            self.cached_workers = list(consuming)
            self._workers_read_at = time.monotonic()
        return self.cached_workers

    def serving(self, queue: str) -> list[Worker]:
        """Return those of the live workers that consume a queue."""
        return [worker for worker in self.workers() if queue in worker.queues]

    def is_paused(self, queue: str) -> bool:
        """Return True if nothing of a queue may be published, as of a second ago."""
        if time.monotonic() - self._paused_read_at > FRESH_SECONDS:
            self._paused = runs.paused(self.database, self.alias)
            self._paused_read_at = time.monotonic()
        return queue in self._paused

    def room(self, queue: str, depth: Callable[[], int] | None = None) -> list[int]:
        """Return, per band, how many more messages may be published.

        Of that band or a more urgent one: what is less urgent is served later. `depth`
        asks the broker how many it has; without it, the rows alone are counted.
        """
        if self.is_paused(queue):
            return [0] * len(LAST_OF_BAND)
        if not self.backend.supports_worker:
            return [BATCH] * len(LAST_OF_BAND)
        bound = self.bound(queue)
        if not bound:
            return [0] * len(LAST_OF_BAND)
        rows = runs.at_the_broker(self.database, self.alias, queue)
        if depth is not None:
            bound -= self._stale(queue, depth() - sum(number for _, number in rows))
        taken = (sum(n for priority, n in rows if priority <= p) for p in LAST_OF_BAND)
        return [max(0, bound - number) for number in taken]

    def _stale(self, queue: str, more: int) -> int:
        """Return how many of the messages without a published row nobody will run.

        The others are direct ones, which never had a row: they take no room.
        """
        if more <= 0:
            return 0
        return runs.cancelled_lately(self.database, self.alias, queue, more)

    def bound(self, queue: str) -> int:
        """Return how many messages of a queue the broker may hold at most."""
        return max(self._bounds(queue))

    def _bounds(self, queue: str) -> tuple[int, int]:
        """Return what the workers' threads ask for, and what their pace does."""
        serving = self.serving(queue)
        threads = sum(worker.threads for worker in serving)
        return 2 * threads, int(sum(worker.rate for worker in serving) * self.ahead)

    def may_run_dry(self, queue: str, room: int) -> bool:
        """Return True if this much room is more than half of what the pace asks for.

        Always, if the pace is too slow to ask for much: it is that of a moment ago.
        """
        threads, pace = self._bounds(queue)
        return pace <= threads or 2 * room > pace

    def note_crowd(self, queue: str) -> None:
        """Remember for a moment that more was sent than there was room for."""
        self._crowded_until[queue] = time.monotonic() + CROWDED_SECONDS

    def is_crowded(self, queue: str) -> bool:
        """Return True if it is useless to look for room: the relay comes first anyway.

        A sender that would not know takes each row first and gives it back.
        """
        return time.monotonic() < self._crowded_until.get(queue, 0.0)
