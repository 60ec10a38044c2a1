"""RabbitMQ with confirms and a deadline on every call."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pika
from dramatiq import Middleware

from backends.dramatiq.broker import CourierBroker, Options
from backends.dramatiq.pool import ConnectionPool
from backends.dramatiq.rabbitmq_connection import (
    AMQP_ERRORS,
    ConnectionFailed,
    RabbitmqConnection,
)
from backends.dramatiq.rabbitmq_consumer import RabbitmqConsumer
from backends.dramatiq.urls import pika_parameters
from backends.dramatiq.wire import encode
from core.backend import EngineMessage
from core.errors import BrokerConfigError, BrokerUnavailable

#: Seconds a worker waits for TCP to connect. Short: a try that began while the
#: network was cut must end soon after the cut.
CONNECT_TIMEOUT = 1.0
#: Seconds a worker waits for RabbitMQ's handshake. Long: after a restart all come.
HANDSHAKE_TIMEOUT = 5.0
#: RabbitMQ's code for a queue that does not exist.
NOT_FOUND = 404


class RabbitmqBroker(CourierBroker):
    """A courier on RabbitMQ."""

    def __init__(
        self,
        *,
        alias: str,
        url: str,
        options: Options,
        middleware: list[Middleware] | None = None,
    ) -> None:
        super().__init__(alias=alias, url=url, options=options, middleware=middleware)
        # A thread that waits for its turn cannot answer heartbeats: none here.
        self._sender_parameters = self._parameters(0)
        self.parameters = self._parameters(options.heartbeat)
        self.parameters.socket_timeout = CONNECT_TIMEOUT
        self.parameters.stack_timeout = HANDSHAKE_TIMEOUT
        # Unsent acknowledgements betray a cut network before the heartbeat does.
        self.parameters.tcp_options = {"TCP_USER_TIMEOUT": int(options.heartbeat * 500)}
        self._pool = ConnectionPool(
            lambda at: RabbitmqConnection(self._sender_parameters, at)
        )

    def _parameters(self, heartbeat: int) -> pika.ConnectionParameters:
        try:
            parameters = pika_parameters(self.address)
        except OSError as error:
            raise BrokerConfigError(self.alias, "URL", f"TLS: {error}") from None
        parameters.connection_attempts = 1
        parameters.socket_timeout = self.options.publish_timeout
        parameters.stack_timeout = self.options.publish_timeout
        parameters.heartbeat = heartbeat
        return parameters

    def consume(
        self, queue_name: str, prefetch: int = 1, timeout: int = 1000
    ) -> RabbitmqConsumer:
        """Return a consumer; it connects when it is asked for a message."""
        return RabbitmqConsumer(self, queue_name, prefetch, timeout)

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """Send all messages at once and wait for all confirms together."""
        encoded = [(one.queue, one.band, encode(one)) for one in messages]
        with self._connected(seconds) as (connection, deadline):
            connection.publish(encoded, deadline)

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        """Send all events at once and wait for all confirms together."""
        with self._connected() as (connection, deadline):
            connection.announce(channel, events, deadline)

    def depth(self, queue: str) -> int:
        """Count the messages that are ready."""
        try:
            with self._connected() as (connection, deadline):
                return connection.depth(queue, deadline)
        except BrokerUnavailable as error:
            return _zero_if_missing(error)

    def purge(self, queue: str) -> int:
        """Drop the messages that are ready."""
        try:
            with self._connected() as (connection, deadline):
                return connection.purge(queue, deadline)
        except BrokerUnavailable as error:
            return _zero_if_missing(error)

    def ping(self) -> None:
        """Make one round trip."""
        with self._connected() as (connection, deadline):
            connection.ping(deadline)

    @contextmanager
    def _connected(
        self, seconds: float | None = None
    ) -> Iterator[tuple[RabbitmqConnection, float]]:
        deadline = self.deadline(seconds)
        try:
            with self._pool.borrow(deadline) as connection:
                yield connection, deadline
        except (ConnectionFailed, *AMQP_ERRORS) as error:
            problem = str(getattr(error, "reason", error)) or repr(error)
            raise self.unavailable(problem) from error

    def close(self) -> None:
        """Close what publishing left open."""
        self._pool.close()


def _zero_if_missing(error: BrokerUnavailable) -> int:
    if (
        isinstance(error.__cause__, ConnectionFailed)
        and error.__cause__.code == NOT_FOUND
    ):
        return 0
    raise error
