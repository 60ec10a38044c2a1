"""From rows to the broker: add in the caller's transaction, publish afterwards.

The broker is kept shallow: of each queue no more is published than the workers start
within a few seconds, so that order, pause and migration stay with the rows.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import ClassVar
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from core import runs
from core.backend import BaseBackend, EngineMessage
from core.errors import BrokerUnavailable, WrongDatabase
from core.models import Run, State
from core.options.retention import Retention
from core.options.timing import Timing
from core.relay import publisher
from core.relay.breaker import Breaker
from core.relay.capacity import BATCH, LAST_OF_BAND, Capacity, band_of
from core.relay.lost import Lost
from core.routing.router import Router
from core.runs import LimitRules
from core.wire.envelope import Envelope, MessageSigner

logger = logging.getLogger(__name__)

#: A send without a row is answered within so many seconds.
DIRECT_SECONDS = 0.3


class Outbox:
    """The outgoing side of one broker alias."""

    #: Set by `core.testing`, for all aliases: nothing goes to a broker, every message
    #: gets a row, and this is called once all of a send has been written.
    rehearsal: ClassVar[Callable[[], None] | None] = None

    def __init__(
        self,
        alias: str,
        database: str,
        namespace: str,
        backend: BaseBackend,
        timing: Timing,
        router: Router,
    ) -> None:
        self.alias = alias
        self.database = database
        self.backend = backend
        self.timing = timing
        self.router = router
        #: The last round of the relay found no room for a queue.
        self.is_full = False
        #: It found a queue that may be empty before long.
        self.is_low = False
        #: The limits of every actor that is known by now.
        self.rules: Callable[[], LimitRules] = dict
        #: How long what has ended is kept.
        self.retention = Retention()
        self.signer = MessageSigner(namespace)
        self._prefix = f"{namespace}.{backend.engine}.{alias}"
        self.capacity = Capacity(alias, database, backend, timing.lost)
        self.lost = Lost(self.capacity, self.physical, timing.lost)
        self.breaker = Breaker(alias)

    def physical(self, queue: str) -> str:
        """Return a queue's name at the broker; two engines never share one."""
        return f"{self._prefix}.{queue}"

    def add(self, rows: Sequence[Run]) -> None:
        """Write runs in the caller's transaction."""
        if rows:
            self.check_transaction()
            runs.insert(self.database, rows)

    def publish_soon(self, rows: Sequence[Run]) -> None:
        """Publish due runs once the caller's transaction has committed."""
        if rows:
            self._soon(lambda: self._committed(rows))

    def publish_freed(self, ids: Sequence[UUID]) -> None:
        """Publish runs that an end has set free; what is many the relay does."""
        if ids:
            free = Run.objects.using(self.database).filter(
                pk__in=ids[:BATCH], broker=self.alias, state=State.PENDING
            )
            due = free.filter(due_at__lte=Now()).order_by("priority", "created_at")
            self._soon(lambda: self._committed(list(due)))

    def nudge(self, queue: str) -> None:
        """Look for what a limit has just let go; with the next commit."""
        self._soon(lambda: self._nudged(queue))

    def _soon(self, step: Callable[[], None]) -> None:
        # Outside of a transaction all has been committed: this runs at once.
        if Outbox.rehearsal is None and self.backend.supports_publish:
            transaction.on_commit(step, using=self.database, robust=True)

    def entered(self) -> None:
        """Note that all of a send has been written; only a rehearsal wants to know."""
        if Outbox.rehearsal is not None:
            Outbox.rehearsal()

    def _nudged(self, queue: str) -> None:
        if self.backend.supports_worker:
            publisher.put(self._relay_queues, [queue])
        else:
            self._relay_queues([queue])

    def _relay_queues(self, queues: Sequence[str]) -> None:
        for queue in dict.fromkeys(queues):
            try:
                self._relay(queue)
            except BrokerUnavailable as error:
                logger.debug("Left %s to the relay: %s", queue, error)

    def check_transaction(self) -> None:
        """Raise `WrongDatabase` inside a transaction that is not ours alone."""
        if connections[self.database].in_atomic_block:
            return
        for other in connections.all(initialized_only=True):
            if other.in_atomic_block:
                raise WrongDatabase(self.alias, self.database, other.alias)

    def send_direct(
        self, messages: Sequence[Envelope], priority: Sequence[int]
    ) -> None:
        """Publish messages that have no row. Raises `BrokerUnavailable` soon."""
        whole = [
            EngineMessage(
                message.message_id,
                message.actor_name,
                self.physical(message.queue_name),
                self.signer.sign_message(message),
                band_of(urgency),
            )
            for message, urgency in zip(messages, priority, strict=True)
        ]
        self.backend.publish(whole, DIRECT_SECONDS)

    def _committed(self, rows: Sequence[Run]) -> None:
        if self.backend.supports_worker:
            publisher.put(self.push, rows)
            return
        rows = self.router.route(rows)
        free = [row for row in rows if row.limit_key is None]
        self.publish([r for r in free if not self.capacity.is_paused(r.queue_name)])
        self._relay_queues([row.queue_name for row in rows if row.limit_key])

    def push(self, rows: Sequence[Run]) -> None:
        """Publish what there is room for; the relay does the rest. Never raises."""
        if self.breaker.is_open:
            return
        by_queue = defaultdict(list)
        for row in self.router.route(rows):
            by_queue[row.queue_name].append(row)
        try:
            for queue, waiting in by_queue.items():
                self._push(queue, waiting)
        except BrokerUnavailable as error:
            self.breaker.note_failure(error)

    def _push(self, queue: str, rows: Sequence[Run]) -> None:
        if any(row.limit_key is not None for row in rows):
            # Who may go is told under a lock, where all of them are looked at.
            self._relay(queue)
        free = [row for row in rows if row.limit_key is None]
        if not free:
            return
        last = max(row.priority for row in free)
        room = min(len(free), self.capacity.room(queue)[band_of(last)])
        # What waits already goes first: it is the relay that knows the order.
        if room and runs.has_backlog(self.database, self.alias, queue, last):
            room = 0
        for start in range(0, room, BATCH):
            self.publish(free[start : min(start + BATCH, room)])
            self.breaker.note_success()
        if room < len(free):
            self.capacity.note_crowd(queue)
        for start in range(room, len(free), BATCH):
            # The relay need not wait for us any longer.
            left = [row.pk for row in free[start : start + BATCH]]
            runs.give_back(self.database, left, 0)

    def publish(self, rows: Sequence[Run]) -> None:
        """Hand runs to the broker, then note it. Raises `BrokerUnavailable`."""
        self.backend.publish([self.engine_message(row) for row in rows])
        runs.mark(self.database, rows, self.timing.lost)

    def engine_message(self, row: Run) -> EngineMessage:
        """Return a run as the engine carries it."""
        run_id, queue = str(row.pk), self.physical(row.queue_name)
        signed, band = self.signer.sign(run_id), band_of(row.priority)
        return EngineMessage(run_id, row.actor_name, queue, signed, band)

    def relay(self, declared: Sequence[str]) -> int:
        """Publish the due runs, most urgent first; return how many.

        Of the queues that live workers serve; without such a thing as a worker, of the
        declared ones. Raises `BrokerUnavailable`; what it had taken is given back.
        """
        self.router.route(runs.unrouted(self.database, self.alias, BATCH))
        if not self.backend.supports_publish:
            return 0  # workers take it from the table
        workers = self.capacity.workers()
        served = {queue for worker in workers for queue in worker.queues}
        self.is_full = self.is_low = False
        queues = served if self.backend.supports_worker else declared
        published, trouble = 0, None
        for queue in queues:
            if self.capacity.is_paused(queue):
                continue
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
        whole = self.capacity.room(queue)
        self.is_low |= self.capacity.may_run_dry(queue, max(whole))
        room = [min(number, BATCH) for number in whole]
        if not max(room):
            self.is_full = True
            return 0
        rows = runs.reserve(
            self.database,
            self.alias,
            queue,
            list(zip(LAST_OF_BAND, room, strict=True)),
            self.timing.reserve,
            self.rules(),
        )
        if not rows:
            return 0
        try:
            self.publish(rows)
        except BrokerUnavailable:
            runs.give_back(self.database, [row.pk for row in rows], 0.5)
            raise
        return len(rows)
