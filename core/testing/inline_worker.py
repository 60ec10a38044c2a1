"""A worker in this thread. It performs runs inside the test's transaction.

No thread is started: on SQLite no other one may touch the database, and in a TestCase
none would see the rows. So time limits and cancelling do not reach a running body.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import Error, connections, transaction

from core.broker.broker import Broker
from core.testing.recorder import rehearsing
from core.worker.context import WorkerContext
from core.worker.interrupts import Interrupts
from core.worker.lease import Lease
from core.worker.process import process

T = TypeVar("T")
Call = Callable[[Callable[[], Any]], Any]

#: Seconds of a lease that nobody renews: longer than any test.
HELD_SECONDS = 24 * 3600


def plainly(body: Callable[[], Any]) -> Any:
    """Call a body."""
    return body()


async def _finish(coroutine: Coroutine[Any, Any, T]) -> T:
    return await coroutine


class Bodies(Interrupts):
    """Calls bodies plainly; inside a transaction as if each had one of its own."""

    def __init__(self, database: str, call: Call) -> None:
        super().__init__()
        self._database = database
        self._call = call
        #: What the last body raised.
        self.error: BaseException | None = None

    def guard(self, body: Callable[[], T], **limits: Any) -> T:
        """Call `body`; its limits are not held."""
        try:
            if connections[self._database].in_atomic_block:
                return self._contained(body)
            return cast(T, self._call(body))
        except BaseException as error:  # the actor's own code: anything may come out
            self.error = error
            raise

    def _contained(self, body: Callable[[], T]) -> T:
        """Call `body`; what the database refuses in it must not spoil the test's own.

        What it leaves for its commit is called as soon as it has ended.
        """
        connection = connections[self._database]
        first = len(connection.run_on_commit)
        point = transaction.savepoint(using=self._database)
        try:
            return cast(T, self._call(body))
        except Error:
            transaction.set_rollback(False, using=self._database)
            transaction.savepoint_rollback(point, using=self._database)
            del connection.run_on_commit[first:]
            raise
        finally:
            while len(connection.run_on_commit) > first:
                connection.run_on_commit.pop(first)[1]()


class InlineLease(Lease):
    """This process as a worker, without a heartbeat."""

    def __init__(self, broker: Broker, call: Call) -> None:
        timing = replace(broker.outbox.timing, lease=HELD_SECONDS)
        super().__init__(broker.alias, "testing", broker.database, timing)
        self.bodies = self.interrupts = Bodies(broker.database, call)

    def _prepare(self) -> None:
        """Start no thread."""


class InlineWorker:
    """Performs the runs of one alias."""

    def __init__(self, broker: Broker, call: Call) -> None:
        self._lease = InlineLease(broker, call)
        enqueuer = broker.enqueuer
        self._context = WorkerContext(
            self._lease,
            broker.outbox,
            broker.middleware,
            broker.resolver,
            enqueuer.max_payload,
            enqueuer.follow_up,
            async_to_sync(_finish),
        )

    def perform(self, run_id: UUID, raising: bool) -> None:
        """Perform a run once; with `raising`, raise what its body raised."""
        bodies = self._lease.bodies
        bodies.error = None
        process(self._context, run_id)
        if raising and bodies.error is not None:
            raise bodies.error

    def leave(self) -> None:
        """Sign off as a worker."""
        self._lease.drop()


@contextmanager
def inline_worker(broker: Broker, call: Call = plainly) -> Iterator[InlineWorker]:
    """Perform runs here; what they send waits for its turn. `call` calls each body."""
    worker = InlineWorker(broker, call)
    with rehearsing():
        try:
            yield worker
        finally:
            worker.leave()
