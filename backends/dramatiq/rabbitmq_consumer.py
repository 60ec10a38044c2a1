"""Consume one queue on RabbitMQ, on a connection of its own, for as long as asked.

RabbitMQ delivers again what a lost connection left unacknowledged. So a tag is
settled on the channel it came by or not at all.

RabbitMQ bounds what one queue pushes to a process, not what all of them do. What is
pushed when the process has no room goes back, for another process; then the queue is
asked for the next message whenever there is room, until it is empty:

    listening -- pushed without room --> asking
    asking ----- the queue is empty ---> listening
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pika
from dramatiq import MessageProxy
from pika.exceptions import AMQPError

from backends.dramatiq.consumer import CourierConsumer
from backends.dramatiq.rabbitmq_connection import AMQP_ERRORS, QUEUE_ARGUMENTS

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
        #: The consumer tag, while RabbitMQ pushes messages.
        self._listening: str | None = None
        self._asks = False
        #: Tags that were pushed when there was no room.
        self._refused: list[int] = []
        self._waits_for_room = False
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
            self._look()
        # RabbitMQ closes a channel alone when its queue is deleted or misused.
        if not self._channel.is_open:
            raise AMQPError(f"The channel of {self.queue} was closed.")

    def _look(self) -> None:
        if self._refused:
            self._stop_listening()
        if self._asks and self.room() <= 0:
            self._wait_for_room()
        elif not self._asks or not self._ask():
            self._listen()

    def _ask(self) -> bool:
        """Take a message if there is one; say False if the queue is empty."""
        with self.broker.admission:
            if self.room() <= 0:
                return True
            method, _, data = self._channel.basic_get(self.queue)
            if method is not None:
                self._take(method.delivery_tag, data)
            return method is not None

    def _listen(self) -> None:
        self._asks = False
        if self._listening is None:
            self._listening = self._channel.basic_consume(self.queue, self._on_message)
        self._connection.process_data_events(time_limit=self.timeout)

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._channel.basic_cancel(self._listening)
        self._asks = True
        # Not before: RabbitMQ would push it again at once.
        for tag in self._refused:
            self._channel.basic_nack(tag, requeue=True)
        self._forget_listening()

    def _forget_listening(self) -> None:
        self._listening = None
        self._refused.clear()

    def _wait_for_room(self) -> None:
        self._waits_for_room = True
        # Once more: it may have been made before anyone knew that we wait for it.
        if self.room() <= 0:
            self._connection.process_data_events(time_limit=self.timeout)
        self._waits_for_room = False

    def wake(self) -> None:
        """See `CourierConsumer.wake`."""
        connection = self._connection
        if self._waits_for_room and connection is not None:
            _call(connection, _nothing)

    def _connect(self) -> None:
        self._forget_listening()
        self._connection = pika.BlockingConnection(self.broker.parameters)
        self._channel = self._connection.channel()
        self._channel.basic_qos(prefetch_count=self.threads)
        self._channel.queue_declare(self.queue, durable=True, arguments=QUEUE_ARGUMENTS)
        self._channel.add_on_cancel_callback(self._on_cancel)

    def _on_message(self, _channel: Any, method: Any, _: Any, data: bytes) -> None:
        with self.broker.admission:
            if self.room() > 0:
                self._take(method.delivery_tag, data)
            else:
                self._refused.append(method.delivery_tag)

    def _take(self, tag: int, data: bytes) -> None:
        self.in_hand.add((self._channel, tag))
        self._arrived.append((self._channel, tag, data))

    def _on_cancel(self, _method: Any) -> None:
        self._channel.close()

    def _remove(self, token: int, channel: Any) -> None:
        self._settle(token, channel, partial(channel.basic_ack, token))

    def _give_back(self, token: int, channel: Any) -> None:
        self._settle(token, channel, partial(channel.basic_nack, token, requeue=True))

    def _settle(self, token: int, channel: Any, settle: Any) -> None:
        """Let the consumer's thread settle: pika is not for two threads."""
        # First: the next message may be pushed before the lines below are through.
        self.in_hand.discard((channel, token))
        if not _call(channel.connection, partial(_if_open, channel, settle)):
            # The connection is gone: RabbitMQ has taken the message back.
            logger.debug("A message of %s comes again.", self.queue)
        self.broker.wake()

    def _hang_up(self) -> None:
        """Close in the background, and wait a little: a frozen broker never replies."""
        connection, self._connection, self._channel = self._connection, None, None
        self.in_hand.difference_update(
            (channel, tag) for channel, tag, _ in self._arrived
        )
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


def _nothing() -> None:
    """Make the event loop of a connection return."""


def _call(connection: Any, what: Callable[[], None]) -> bool:
    """Have it called in the thread that reads the connection, if it is open."""
    try:
        connection.add_callback_threadsafe(what)
    except AMQP_ERRORS:
        return False
    return True


def _close(connection: Any) -> None:
    try:
        # Acknowledgements of worker threads wait in the event loop.
        connection.process_data_events(time_limit=0)
        connection.close()
    except AMQP_ERRORS:
        pass
