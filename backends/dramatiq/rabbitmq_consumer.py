"""Consume one queue on RabbitMQ, on a connection of its own, for as long as asked.

RabbitMQ delivers again what a lost connection left unacknowledged. So a tag is
settled on the channel it came by or not at all.
"""

import logging
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import pika
from dramatiq import MessageProxy
from pika.exceptions import AMQPError

from backends.dramatiq.consumer import CourierConsumer
from backends.dramatiq.rabbitmq_link import AMQP_ERRORS, QUEUE_ARGUMENTS

if TYPE_CHECKING:
    from backends.dramatiq.rabbitmq_broker import RabbitmqBroker

logger = logging.getLogger(__name__)

#: Seconds that a connection may take to flush and close.
CLOSE_TIMEOUT = 2.0


class RabbitmqConsumer(CourierConsumer):
    """See the module."""

    broker: "RabbitmqBroker"

    def __init__(
        self, broker: "RabbitmqBroker", queue: str, prefetch: int, timeout: int
    ) -> None:
        super().__init__(broker, queue, prefetch, timeout)
        self._connection: Any = None
        self._channel: Any = None
        self._arrived: deque[tuple[Any, int, bytes]] = deque()

    def __next__(self) -> MessageProxy | None:
        """Return the next message, or None after `timeout` seconds without one."""
        try:
            self._receive()
        except AMQP_ERRORS as error:
            self._hang_up()
            self._lost(error)
        if not self._arrived:
            return None
        channel, tag, data = self._arrived.popleft()
        return self._open(data, tag, channel)

    def _receive(self) -> None:
        if self._channel is None:
            self._connect()
            self._found()
        if not self._arrived:
            self._connection.process_data_events(time_limit=self.timeout)
        # RabbitMQ closes a channel alone when its queue is deleted or misused.
        if not self._channel.is_open:
            raise AMQPError(f"The channel of {self.queue} was closed.")

    def _connect(self) -> None:
        self._connection = pika.BlockingConnection(self.broker.parameters)
        self._channel = self._connection.channel()
        self._channel.basic_qos(prefetch_count=self.slots)
        self._channel.queue_declare(self.queue, durable=True, arguments=QUEUE_ARGUMENTS)
        self._channel.add_on_cancel_callback(self._on_cancel)
        self._channel.basic_consume(self.queue, self._on_message)

    def _on_message(self, channel: Any, method: Any, _: Any, body: bytes) -> None:
        self._arrived.append((channel, method.delivery_tag, body))

    def _on_cancel(self, _method: Any) -> None:
        self._channel.close()

    def _remove(self, token: int, channel: Any) -> None:
        self._settle(channel, partial(channel.basic_ack, token))

    def _give_back(self, token: int, channel: Any) -> None:
        self._settle(channel, partial(channel.basic_nack, token, requeue=True))

    def _settle(self, channel: Any, settle: Any) -> None:
        """Let the consumer's thread settle: pika is not for two threads."""
        settle = partial(_if_open, channel, settle)
        try:
            channel.connection.add_callback_threadsafe(settle)
        except AMQP_ERRORS:
            # The connection is gone: RabbitMQ has taken the message back.
            logger.debug("A message of %s comes again.", self.queue)

    def _hang_up(self) -> None:
        """Close in the background, and wait a little: a frozen broker never replies."""
        connection, self._connection, self._channel = self._connection, None, None
        self._arrived.clear()
        if connection is not None and connection.is_open:
            closing = threading.Thread(target=_close, args=[connection], daemon=True)
            closing.start()
            closing.join(CLOSE_TIMEOUT)

    def close(self) -> None:
        """Flush acknowledgements and close: what is left goes back to the queue."""
        self._hang_up()


def _if_open(channel: Any, settle: Any) -> None:
    if channel.is_open:
        settle()


def _close(connection: Any) -> None:
    try:
        # Acknowledgements of worker threads wait in the event loop.
        connection.process_data_events(time_limit=0)
        connection.close()
    except AMQP_ERRORS:
        pass
