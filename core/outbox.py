"""From rows to the broker: add in the caller's transaction, publish afterwards.

The broker is kept shallow: of each queue no more is published than the workers start
within a few seconds, so that order, pause and migration stay with the rows.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from django.db import connections, transaction

from core import publisher, runs
from core.backend import BaseBackend, Hint
from core.envelope import Seal
from core.errors import BrokerUnavailable, WrongDatabase
from core.models import Run, State, Worker
from core.timing import Timing

logger = logging.getLogger(__name__)

#: The most runs published in one call of a backend.
BATCH = 500
#: A queue's depth at the broker: what workers start in so many seconds, or twice
#: their slots if that is more.
AHEAD_SECONDS = 5
#: After a failed publish the sender leaves it to the relay for so many seconds.
BREAKER_SECONDS = 2


class Outbox:
    """The outgoing side of one broker alias."""

    def __init__(
        self,
        alias: str,
        database: str,
        namespace: str,
        backend: BaseBackend,
        timing: Timing,
    ) -> None:
        self.alias = alias
        self.database = database
        self.backend = backend
        self.timing = timing
        self.seal = Seal(namespace)
        self._prefix = f"{namespace}.{backend.engine}.{alias}"
        self.cached_workers: list[Worker] = []
        self._workers_read_at = 0.0
        self._broken_until = 0.0

    def physical(self, queue: str) -> str:
        """Return a queue's name at the broker; two engines never share one."""
        return f"{self._prefix}.{queue}"

    def add(self, rows: Sequence[Run], due: Sequence[Run]) -> None:
        """Write runs in the caller's transaction; publish the due ones at commit."""
        self._check_transaction()
        runs.insert(self.database, rows)
        if due:
            # Outside of a transaction the insert has committed, and this runs at once.
            transaction.on_commit(
                lambda: self._committed(due), using=self.database, robust=True
            )

    def _check_transaction(self) -> None:
        if connections[self.database].in_atomic_block:
            return
        for other in connections.all(initialized_only=True):
            if other.in_atomic_block:
                raise WrongDatabase(self.alias, self.database, other.alias)

    def _committed(self, rows: Sequence[Run]) -> None:
        if self.backend.supports_worker:
            publisher.put(self.push, rows)
        else:
            self.publish(rows)

    def push(self, rows: Sequence[Run]) -> None:
        """Publish what there is room for; the relay does the rest. Never raises."""
        if time.monotonic() < self._broken_until:
            return
        by_queue = defaultdict(list)
        for row in rows:
            by_queue[row.queue_name].append(row)
        try:
            for queue, waiting in by_queue.items():
                self._push(queue, waiting)
        except BrokerUnavailable as error:
            self._broken_until = time.monotonic() + BREAKER_SECONDS
            logger.warning("Left %d messages to the relay: %s", len(rows), error)

    def _push(self, queue: str, rows: Sequence[Run]) -> None:
        room = min(len(rows), self.room(queue))
        last = max(row.priority for row in rows)
        # What waits already goes first: it is the relay that knows the order.
        if room and not runs.has_backlog(self.database, self.alias, queue, last):
            for start in range(0, room, BATCH):
                self.publish(rows[start : min(start + BATCH, room)])

    def publish(self, rows: Sequence[Run]) -> None:
        """Hand runs to the broker, then note it. Raises `BrokerUnavailable`."""
        self.backend.publish([self._hint(row) for row in rows])
        runs.mark(self.database, rows, self.timing.lost)

    def _hint(self, row: Run) -> Hint:
        run_id = str(row.pk)
        queue = self.physical(row.queue_name)
        return Hint(run_id, row.actor_name, queue, self.seal.sign(run_id))

    def room(self, queue: str) -> int:
        """Return how many messages of a queue the broker may still be given."""
        if not self.backend.supports_worker:
            return BATCH
        serving = [w for w in self.workers() if queue in w.queues]
        ahead = sum(worker.rate for worker in serving) * AHEAD_SECONDS
        bound = max(2 * sum(worker.slots for worker in serving), int(ahead))
        if not bound:
            return 0
        published = Run.objects.using(self.database).filter(
            broker=self.alias, state=State.QUEUED, queue_name=queue
        )
        return max(0, bound - published.count())

    def workers(self) -> list[Worker]:
        """Return the live workers that consume, at most a second old."""
        if time.monotonic() - self._workers_read_at > 1:
            alive = Worker.alive(self.database, self.alias)
            consuming = alive.filter(slots__gt=0, engine=self.backend.engine)
            self.cached_workers = list(consuming)
            self._workers_read_at = time.monotonic()
        return self.cached_workers

    def relay(self, declared: Sequence[str]) -> int:
        """Publish the due runs, most urgent first; return how many.

        Of the queues that live workers serve; without such a thing as a worker, of the
        declared ones. Raises `BrokerUnavailable`; what it had taken is given back.
        """
        served = {queue for worker in self.workers() for queue in worker.queues}
        queues = served if self.backend.supports_worker else declared
        published, trouble = 0, None
        for queue in queues:
            try:
                published += self._relay(queue)
            except BrokerUnavailable as error:
                # If the broker answers, it is this queue alone that it refuses.
                self.backend.ping()
                trouble = error
        if trouble and not published:
            raise trouble
        return published

    def _relay(self, queue: str) -> int:
        room = min(self.room(queue), BATCH)
        if not room:
            return 0
        rows = runs.reserve(self.database, self.alias, queue, room, self.timing.reserve)
        if not rows:
            return 0
        try:
            self.publish(rows)
        except BrokerUnavailable:
            runs.give_back(self.database, [row.pk for row in rows], 0.5)
            raise
        return len(rows)

    def find_lost(self) -> int:
        """Take back what was published and not started though a worker was idle.

        While every worker of its queue is busy a published run merely waits, however
        long: it would be a storm to send those again.
        """
        running = Run.objects.using(self.database).filter(
            broker=self.alias, state=State.RUNNING
        )
        busy = Counter(running.values_list("worker", flat=True))
        idle = {
            queue
            for worker in self.workers()
            if busy[worker.name] < worker.slots
            for queue in worker.queues
        }
        return sum(
            runs.forget(self.database, self.alias, queue, BATCH) for queue in idle
        )
