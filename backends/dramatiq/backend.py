"""The backend of Dramatiq."""

import logging
from collections.abc import Sequence

from django_dramatiq.middleware import DbConnectionsMiddleware
from dramatiq import broker

from backends.address import parse
from backends.dramatiq.broker import CourierBroker, Options
from backends.dramatiq.middleware import SupervisedWorker, WorkerHooks
from backends.dramatiq.rabbitmq_broker import RabbitmqBroker
from backends.dramatiq.redis_broker import RedisBroker
from core.backend import BaseBackend, Concern, EngineMessage, Receiver
from core.worker.signals import stop_signals

logger = logging.getLogger(__name__)

#: More queues than this in a process cause a warning.
MANY_QUEUES = 50
#: Milliseconds after which an idle worker thread checks whether to stop.
WORKER_TIMEOUT = 500


class DramatiqBackend(BaseBackend):
    """Dramatiq on Redis (also rediss://, unix://) or RabbitMQ (amqp://, amqps://).

    The keyword arguments are BROKERS[alias]["OPTIONS"]; see `Options`.
    """

    engine = "dramatiq"

    def __init__(
        self,
        alias: str,
        url: str,
        receiver: Receiver,
        *,
        publish_timeout: float = Options.publish_timeout,
        heartbeat: int = Options.heartbeat,
        dead_after: float = Options.dead_after,
    ) -> None:
        super().__init__(alias, url, receiver)
        options = Options(
            publish_timeout=publish_timeout, heartbeat=heartbeat, dead_after=dead_after
        )
        self.broker = _broker(alias, url, options)
        self.broker.receiver = receiver

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """See `BaseBackend.publish`."""
        if messages:
            self.broker.publish(messages, seconds)

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        """See `BaseBackend.announce`."""
        if events:
            self.broker.announce(channel, events)

    def work(self, queues: Sequence[str], threads: int) -> None:
        """See `BaseBackend.work`. The actors and queues are declared by WorkerHooks."""
        _warn_of_many(queues)
        worker = SupervisedWorker(
            self.broker,
            queues=set(queues),
            worker_timeout=WORKER_TIMEOUT,
            worker_threads=threads,
        )
        with stop_signals() as stop:
            worker.start()
            stop.get()
            worker.stop()
        self.broker.close()

    def depth(self, queue: str) -> int:
        """See `BaseBackend.depth`."""
        return self.broker.depth(queue)

    def purge(self, queue: str) -> int:
        """See `BaseBackend.purge`."""
        return self.broker.purge(queue)

    def concerns(self) -> list[Concern]:
        """See `BaseBackend.concerns`."""
        return self.broker.concerns()

    def ping(self) -> None:
        """See `BaseBackend.ping`."""
        self.broker.ping()


def _warn_of_many(queues: Sequence[str]) -> None:
    if len(queues) > MANY_QUEUES:
        logger.warning(
            "This process opens a connection and a thread for each of its %d queues, as"
            " Dramatiq does. Spread them over several workers with --queues, or use"
            " Celery for them, which opens one connection for all.",
            len(queues),
        )


def _broker(alias: str, url: str, options: Options) -> CourierBroker:
    """Return django_dramatiq's broker if it is this alias's, or build one.

    A second backend for the same alias gets its own: a broker has one receiver.
    """
    found, address = broker.global_broker, parse(alias, url)
    if (
        isinstance(found, CourierBroker)
        and not found.is_taken
        and (found.alias, found.address, found.options) == (alias, address, options)
    ):
        return found
    kind = RedisBroker if address.is_redis else RabbitmqBroker
    middleware = [DbConnectionsMiddleware(), WorkerHooks()]
    return kind(alias=alias, url=url, options=options, middleware=middleware)
