"""The sender's side: rows in the caller's transaction, published after its commit."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import ClassVar
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from core import runs
from core.errors import BrokerUnavailable, WrongDatabase
from core.models import Run, State
from core.options.timing import Timing
from core.relay import publisher
from core.relay.ahead import NOTED_SECONDS, Ahead
from core.relay.breaker import Breaker
from core.relay.capacity import BATCH, Capacity
from core.relay.relay import Relay
from core.relay.sender import Sender
from core.routing.router import Router

logger = logging.getLogger(__name__)


class Outbox:
    """Writes the runs of one broker alias, and publishes them at once if it can."""

    #: Set by `core.testing`, for all aliases: nothing goes to a broker, every message
    #: gets a row, and this is called once all of a send has been written.
    rehearsal: ClassVar[Callable[[], None] | None] = None

    def __init__(
        self,
        sender: Sender,
        relay: Relay,
        capacity: Capacity,
        router: Router,
        timing: Timing,
    ) -> None:
        self.alias = capacity.alias
        self.database = capacity.database
        self.backend = capacity.backend
        self.capacity = capacity
        self.router = router
        self.timing = timing
        self.sender = sender
        self.relay = relay
        self.breaker = Breaker(self.alias)
        self._ahead = Ahead(capacity, sender)

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
        self._ahead.note()
        for queue in dict.fromkeys(queues):
            try:
                self.relay.relay(queue)
            except BrokerUnavailable as error:
                logger.debug("Left %s to the relay: %s", queue, error)

    def check_transaction(self) -> None:
        """Raise `WrongDatabase` inside a transaction that is not ours alone."""
        if connections[self.database].in_atomic_block:
            return
        for other in connections.all(initialized_only=True):
            if other.in_atomic_block:
                raise WrongDatabase(self.alias, self.database, other.alias)

    def _committed(self, rows: Sequence[Run]) -> None:
        if self.backend.supports_worker:
            publisher.put(self.push, rows)
            return
        rows = self.router.route(rows)
        free = [row for row in rows if row.limit_key is None]
        self.sender.publish(
            [r for r in free if not self.capacity.is_paused(r.queue_name)]
        )
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
        publisher.later(self._ahead.note, NOTED_SECONDS)

    def _push(self, queue: str, rows: Sequence[Run]) -> None:
        if any(row.limit_key is not None for row in rows):
            # Who may go is told under a lock, where all of them are looked at.
            self._ahead.note()
            self.relay.relay(queue)
        free = [row for row in rows if row.limit_key is None]
        if not free:
            return
        last = max(row.priority for row in free)
        room = self._ahead.room(queue, last, len(free))
        for start in range(0, room, BATCH):
            self._ahead.publish(free[start : min(start + BATCH, room)])
            self.breaker.note_success()
        if room < len(free):
            # First, or a sender that ends meanwhile leaves it to be published again.
            self._ahead.note()
            self.capacity.note_crowd(queue)
        for start in range(room, len(free), BATCH):
            # The relay need not wait for us any longer.
            left = [row.pk for row in free[start : start + BATCH]]
            runs.give_back(self.database, left, 0)
