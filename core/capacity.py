"""How much of a queue its broker may hold: what the workers start within seconds."""

import time
from bisect import bisect_left
from collections import Counter

from core import runs
from core.backend import BaseBackend
from core.models import Run, State, Worker

#: The most runs published in one call of a backend.
BATCH = 500
#: A queue's depth at the broker: what workers start in so many seconds, or twice
#: their slots if that is more.
AHEAD_SECONDS = 5
#: The least urgent priority of each band, the most urgent band first.
LAST_OF_BAND = (-50, -1, 0, 49, 100)


def band_of(priority: int) -> int:
    """Return the band of a priority, 0 for the most urgent."""
    return bisect_left(LAST_OF_BAND, priority)


class Capacity:
    """The workers of one broker alias, and what they have room for."""

    def __init__(self, alias: str, database: str, backend: BaseBackend) -> None:
        self.alias = alias
        self.database = database
        self.backend = backend
        self.cached_workers: list[Worker] = []
        self._workers_read_at = 0.0

    def workers(self) -> list[Worker]:
        """Return the live workers that consume, at most a second old."""
        if time.monotonic() - self._workers_read_at > 1:
            alive = Worker.alive(self.database, self.alias)
            consuming = alive.filter(slots__gt=0, engine=self.backend.engine)
            self.cached_workers = list(consuming)
            self._workers_read_at = time.monotonic()
        return self.cached_workers

    def room(self, queue: str) -> list[int]:
        """Return for each band how many messages up to it the broker may be given.

        What is less urgent does not count: it would be served later.
        """
        if not self.backend.supports_worker:
            return [BATCH] * len(LAST_OF_BAND)
        serving = [w for w in self.workers() if queue in w.queues]
        ahead = sum(worker.rate for worker in serving) * AHEAD_SECONDS
        bound = max(2 * sum(worker.slots for worker in serving), int(ahead))
        if not bound:
            return [0] * len(LAST_OF_BAND)
        numbers = runs.at_the_broker(self.database, self.alias, queue)
        return [
            max(
                0,
                bound - sum(number for priority, number in numbers if priority <= last),
            )
            for last in LAST_OF_BAND
        ]

    def idle_queues(self) -> set[str]:
        """Return the queues of which a worker has a free slot."""
        running = Run.objects.using(self.database).filter(
            broker=self.alias, state=State.RUNNING
        )
        busy = Counter(running.values_list("worker", flat=True))
        return {
            queue
            for worker in self.workers()
            if busy[worker.name] < worker.slots
            for queue in worker.queues
        }
