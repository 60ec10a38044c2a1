"""The parts that every step in a worker uses, and how a step outlasts an outage."""

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connections

from core.middleware import MiddlewareStack
from core.models import Run
from core.relay.outbox import Outbox
from core.routing.resolver import Resolver
from core.wire.envelope import Envelope
from core.worker import loop
from core.worker.lease import Lease

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """Where runs are performed: a worker's lease, its outbox, its options."""

    lease: Lease
    outbox: Outbox
    middleware: MiddlewareStack
    resolver: Resolver
    max_payload: int
    #: Writes messages that follow another one, in the transaction at hand.
    enqueue: Callable[[Sequence[Envelope]], None]
    #: Runs the coroutine of an `async def` body to its end.
    finish: Callable[[Coroutine[Any, Any, Any]], Any] = loop.run

    @property
    def database(self) -> str:
        """The alias of the database that keeps the runs."""
        return self.outbox.database

    def persist(self, step: Callable[[], T]) -> T:
        """Take a step of the state machine, again while the database is away.

        For at most a lease: afterwards another process may own the run.
        """
        deadline = time.monotonic() + self.outbox.timing.lease
        wait = 0.05
        while True:
            try:
                return step()
            except (OperationalError, InterfaceError):
                connections[self.database].close()
                if time.monotonic() + wait > deadline:
                    raise
                time.sleep(wait)
                wait = min(2 * wait, 2)


def envelope_of(run: Run) -> Envelope:
    """Return the message that a run is the life of."""
    return Envelope(
        run.queue_name,
        run.actor_name,
        tuple(run.args),
        run.kwargs,
        run.options,
        str(run.pk),
        round(run.created_at.timestamp() * 1000),
    )
