"""The five methods of a backend, on Celery."""

import logging
import os
import socket
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import uuid4

from celery import signals
from celery.exceptions import SecurityWarning
from celery.worker import state
from kombu.asynchronous import set_event_loop

from backends.address import parse
from backends.celery.app import App, physical
from backends.celery.pool import BrokerConnection, ConnectionPool
from backends.celery.rabbit_connection import RabbitConnection
from backends.celery.redis_connection import RedisConnection
from backends.celery.signals import WorkerSignals
from backends.celery.tasks import register
from backends.options import check_options
from core.backend import CONCERN_SECONDS, BaseBackend, Concern, EngineMessage, Receiver


class CeleryBackend(BaseBackend):
    """Celery 5.7, on Redis or RabbitMQ.

    Args:
        publish_timeout: seconds for a publish, a ping, a look or a purge.
        dead_after: seconds after which Redis gives back what a killed worker had
            taken; a living worker renews what it runs. RabbitMQ does so at once.
        heartbeat: seconds between AMQP heartbeats of a worker; twice as much
            without one and the connection counts as dead. An actor that holds
            the GIL for longer than that costs a reconnect.
        flower: workers tell of themselves as stock ones do, and obey Celery's remote
            control: whoever reaches the broker can ask them, and stop them.
    """

    engine: ClassVar[str] = "celery"

    def __init__(  # noqa: PLR0913  # keyword arguments are OPTIONS, as they are written
        self,
        alias: str,
        url: str,
        receiver: Receiver,
        *,
        publish_timeout: float = 2.0,
        dead_after: float = 60.0,
        heartbeat: int = 3,
        flower: bool = False,
    ) -> None:
        super().__init__(alias, url, receiver)
        address = parse(alias, url)
        check_options(alias, publish_timeout, dead_after, heartbeat)
        self._app = App(
            alias,
            address,
            heartbeat=heartbeat,
            dead_after=dead_after,
            longest=receiver.longest,
            flower=flower,
        )
        self._kind: type[BrokerConnection] = (
            RedisConnection if address.is_redis else RabbitConnection
        )
        self._pool = ConnectionPool(
            alias, address.shown, self._connect, publish_timeout
        )
        self._signals = WorkerSignals(self._app, receiver)

    @property
    def app(self) -> App:
        """The Celery app, knowing every actor declared by now."""
        actors = self.receiver.actors()
        register(self._app, self.receiver)
        self._app.declared = frozenset(actors)
        self._app.declare(actors.values())
        return self._app

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        if messages:
            self._pool.call(lambda connection: connection.publish(messages), seconds)

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        if events:
            self._pool.call(lambda connection: connection.announce(channel, events))

    def depth(self, queue: str) -> int:
        return self._pool.call(lambda connection: connection.depth(queue))

    def purge(self, queue: str) -> int:
        return self._pool.call(lambda connection: connection.purge(queue))

    def concerns(self) -> list[Concern]:
        return self._pool.call(
            lambda connection: connection.concerns(), CONCERN_SECONDS
        )

    def ping(self) -> None:
        self._pool.call(lambda connection: connection.ping())

    def work(self, queues: Sequence[str], threads: int) -> None:
        app = self.app
        app.declare(queues)
        # Celery keeps both per process: a worker that ended here left them behind.
        state.should_stop = state.should_terminate = None
        set_event_loop(None)
        signals.setup_logging.connect(_leave_logging_alone)
        # It tells a superuser of --uid, which our command has not. It is about pickle,
        # which our app does not accept.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        try:
            worker = app.bare_worker(
                hostname=self._node(),
                concurrency=threads,
                pool="threads",
                queues=list(queues),
                quiet=True,
                loglevel=logging.getLogger("celery").getEffectiveLevel(),
            )
            worker.start()
        finally:
            signals.setup_logging.disconnect(_leave_logging_alone)
            self._signals.end()

    def _node(self) -> str:
        # On RabbitMQ a second worker of the same name dies.
        unique = f"{self.alias}-{os.getpid()}-{uuid4().hex[:8]}"
        return f"{unique}@{socket.gethostname()}"

    def _connect(self, timeout: float) -> BrokerConnection:
        return self._kind(self._app.connection_to_publish(timeout), self._send)

    def _send(self, producer: Any, message: EngineMessage, priority: int) -> None:
        self._app.send_task(
            message.actor_name,
            args=(message.payload,),
            task_id=message.message_id,
            queue=physical(message.queue),
            priority=priority,
            producer=producer,
            declare=[],  # the connection did
            mandatory=True,  # a confirm alone covers no queue that is gone
            retry=False,
            add_to_parent=False,
            argsrepr=message.message_id,  # the payload is signed: not for logs
            kwargsrepr="",
        )


def _leave_logging_alone(**_: Any) -> None:
    """Django's LOGGING holds; Celery configures logging when nobody listens."""
