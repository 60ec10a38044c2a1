"""Dramatiq's broker, cut down to a courier: queues, actors, and core's receiver.

There are no delay queues and no dead-letter queues: delays, retries and the dead
are rows of core.
"""

import logging
import threading
import time
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import dramatiq
from dramatiq import Actor, Broker, Message, Middleware

from backends.address import parse
from backends.options import check_options
from core.backend import Concern, EngineMessage, Receiver
from core.errors import BrokerUnavailable
from core.outages import Outage

if TYPE_CHECKING:
    from backends.dramatiq.consumer import CourierConsumer

logger = logging.getLogger(__name__)

#: Receives messages of unknown actors; core decides what to do with them.
UNKNOWN_ACTOR = "switchyard.unknown_actor"


@dataclass(frozen=True, kw_only=True)
class Options:
    """BROKERS[alias]["OPTIONS"], each with its default and unit."""

    #: Seconds that publish, announce, depth, purge and ping may take.
    publish_timeout: float = 2.0
    #: RabbitMQ: seconds between signs of life on a worker's connection.
    heartbeat: int = 5
    #: Redis: seconds of silence after which a worker's messages go back.
    dead_after: float = 60.0


class CourierBroker(Broker):
    """A Dramatiq broker for one alias.

    Args:
        alias: the broker alias.
        url: as BROKERS gives it.
        options: how patient it is.
        middleware: Dramatiq's hooks; none by default.
    """

    def __init__(
        self,
        *,
        alias: str,
        url: str,
        options: Options,
        middleware: list[Middleware] | None = None,
    ) -> None:
        super().__init__(middleware=middleware or [])
        check_options(alias, **asdict(options))
        self.alias = alias
        self.address = parse(alias, url)
        self.options = options
        #: The broker is away, as the consumers of this process find.
        self.outage = Outage(
            logger, "Cannot consume", f"Consuming from {alias!r} again"
        )
        self.queues: set[str] = set()
        #: One for each queue that this process serves.
        self.consumers: dict[str, CourierConsumer] = {}
        #: Held while a consumer takes from the room that all of them share.
        self.admission = threading.Lock()
        #: True once this process is stopping: it takes no more messages.
        self.stopping = False
        #: Set by the backend that takes this broker; a worker cannot do without.
        self.receiver: Receiver

    @abstractmethod
    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """See `BaseBackend.publish`."""

    @abstractmethod
    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        """See `BaseBackend.announce`."""

    @abstractmethod
    def depth(self, queue: str) -> int:
        """See `BaseBackend.depth`."""

    @abstractmethod
    def purge(self, queue: str) -> int:
        """See `BaseBackend.purge`."""

    def concerns(self) -> list[Concern]:
        """See `BaseBackend.concerns`."""
        return []

    @abstractmethod
    def ping(self) -> None:
        """See `BaseBackend.ping`."""

    def unavailable(self, problem: str) -> BrokerUnavailable:
        """Return the error that says so, and where the broker should be."""
        return BrokerUnavailable(self.alias, problem, self.address.shown)

    def deadline(self, seconds: float | None = None) -> float:
        """Return when a call that begins now must have ended."""
        allowed = self.options.publish_timeout if seconds is None else seconds
        return time.monotonic() + allowed

    def in_hand(self) -> int:
        """Return how many messages of all queues this process has in hand."""
        return sum(len(consumer.in_hand) for consumer in list(self.consumers.values()))

    def wake(self) -> None:
        """Tell every consumer that there may be room, or that there will be none."""
        for consumer in list(self.consumers.values()):
            consumer.wake()

    def stop_taking(self) -> None:
        """Leave to others what waits: the threads of this process take nothing more."""
        self.stopping = True
        self.wake()

    @property
    def is_taken(self) -> bool:
        """True once a backend has handed its receiver to this broker."""
        return hasattr(self, "receiver")

    def register(self, queues: Iterable[str]) -> None:
        """Declare every actor of core under its own name, and `queues`.

        Called when a worker boots; another may have ended in this process before.
        """
        self.consumers.clear()
        self.stopping = False
        for name, queue in self.receiver.actors().items():
            self._add_actor(name, queue)
        for queue in queues:
            self.declare_queue(queue)
        for queue in sorted(self.queues)[:1]:
            self._add_actor(UNKNOWN_ACTOR, queue)

    def _add_actor(self, name: str, queue: str) -> None:
        if name not in self.actors:
            # Builds and declares it; the actor's own options are core's business.
            Actor(
                self.carry,
                broker=self,
                actor_name=name,
                queue_name=queue,
                priority=0,
                options={},
            )

    def carry(self, payload: str, *, queue: str) -> None:
        """Hand one message to core: the body of every actor here."""
        self.receiver.deliver(queue, payload)

    def get_actor(self, actor_name: str) -> dramatiq.Actor[..., None]:
        """Return the actor, or the one that stands in for unknown ones.

        Dramatiq would bury a message for an actor that the next release brings.
        """
        return self.actors.get(actor_name) or super().get_actor(UNKNOWN_ACTOR)

    def declare_queue(self, queue_name: str) -> None:
        """Remember a queue; RabbitMQ learns of it at the first publish or consume."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def get_declared_queues(self) -> set[str]:
        """Return the queues declared in this process."""
        return self.queues.copy()

    def enqueue(
        self, message: Message[object], *, delay: int | None = None
    ) -> Message[object]:
        """Refuse: a message sent past core has no row and no signature."""
        raise NotImplementedError(
            f"{message.actor_name} was sent with Dramatiq's own send. Send it with"
            " core's."
        )

    def flush(self, queue_name: str) -> None:
        """Drop what waits in a queue."""
        self.purge(queue_name)

    def flush_all(self) -> None:
        """Drop what waits in every declared queue."""
        for queue in self.get_declared_queues():
            self.flush(queue)
