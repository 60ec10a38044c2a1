"""One connection to RabbitMQ for publishing, which never outlives a deadline.

pika's blocking connection waits for a confirm for ever when RabbitMQ is frozen or
out of memory, and confirms one message at a time. Here the caller turns the event
loop itself, until all confirms are in or the deadline has passed.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError
from pika.spec import Basic

from core.backend import BANDS

#: Whatever pika raises when RabbitMQ is away: two families, and the socket's own.
AMQP_ERRORS = (AMQPError, AMQPConnectorException, OSError)

#: Of every queue, by whoever comes first. The type is said because a virtual host may
#: have another default, and only classic queues know priorities.
QUEUE_ARGUMENTS = {"x-queue-type": "classic", "x-max-priority": BANDS - 1}
#: Delivery mode: written to disk by a durable queue.
PERSISTENT = 2
#: By band. AMQP serves the larger priority first, and an unset one last.
PROPERTIES = [
    pika.BasicProperties(delivery_mode=PERSISTENT, priority=BANDS - 1 - band)
    for band in range(BANDS)
]
EVENT = pika.BasicProperties(
    delivery_mode=PERSISTENT, content_type="application/cloudevents+json"
)


class ConnectionFailed(Exception):
    """The connection cannot be used any more; `code` is RabbitMQ's, 0 without one."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason, code)
        self.reason = reason
        self.code = code


class RabbitmqConnection:
    """A confirming channel on a connection of its own. For one thread at a time."""

    def __init__(self, parameters: pika.ConnectionParameters, deadline: float) -> None:
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._failure: ConnectionFailed | None = None
        self._channel: Any = None
        self._ready = False
        self._published = 0
        self._unconfirmed: set[int] = set()
        self._declared: set[str] = set()
        self._dropped = False
        self.last_use = time.monotonic()
        self._connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_failure,
            on_close_callback=self._on_failure,
            custom_ioloop=self._loop,
        )
        self._wait(lambda: self._ready, deadline)

    def publish(
        self, messages: Sequence[tuple[str, int, bytes]], deadline: float
    ) -> None:
        """Send (queue, band, body) each; return when RabbitMQ has confirmed all."""
        for queue in dict.fromkeys(queue for queue, *_ in messages):
            self._declare(queue, deadline)
        for queue, band, body in messages:
            # Mandatory: without a queue it comes back instead of vanishing.
            self._send("", queue, body, PROPERTIES[band], mandatory=True)
        self._wait(lambda: not self._unconfirmed, deadline)

    def announce(self, exchange: str, events: Sequence[bytes], deadline: float) -> None:
        """Send the events to a fanout exchange; return when all are confirmed."""
        self._ask(
            "exchange_declare", deadline, exchange, exchange_type="fanout", durable=True
        )
        for event in events:
            # Not mandatory: nobody needs to listen.
            self._send(exchange, "", event, EVENT)
        self._wait(lambda: not self._unconfirmed, deadline)

    def depth(self, queue: str, deadline: float) -> int:
        """Count what is ready in a queue; `ConnectionFailed` (404) without one."""
        answer = self._ask("queue_declare", deadline, queue, passive=True)
        return int(answer.message_count)

    def purge(self, queue: str, deadline: float) -> int:
        """Drop what is ready in a queue; `ConnectionFailed` (404) without one."""
        return int(self._ask("queue_purge", deadline, queue).message_count)

    def ping(self, deadline: float) -> None:
        """Make one round trip that changes nothing."""
        self._ask("basic_qos", deadline)

    def is_open(self) -> bool:
        """Return False if RabbitMQ has closed it meanwhile."""
        self._loop.call_later(0, self._on_nothing)
        self._turn()
        return self._failure is None

    def drop(self) -> None:
        """Close the socket now; a graceful close could wait for a frozen broker."""
        if self._dropped:
            return
        self._dropped = True
        self._failure = self._failure or ConnectionFailed("It was dropped.")
        if not self._connection.is_closed:
            # pika has no public way to close without a reply.
            self._connection._terminate_stream(self._failure)
            self._loop.call_later(0, self._on_nothing)
            self._turn()
        self._loop.close()

    def _send(
        self,
        exchange: str,
        key: str,
        body: bytes,
        properties: pika.BasicProperties,
        mandatory: bool = False,
    ) -> None:
        self._published += 1
        self._unconfirmed.add(self._published)
        self._channel.basic_publish(exchange, key, body, properties, mandatory)

    def _declare(self, queue: str, deadline: float) -> None:
        if queue not in self._declared:
            self._ask(
                "queue_declare",
                deadline,
                queue,
                durable=True,
                arguments=QUEUE_ARGUMENTS,
            )
            self._declared.add(queue)

    def _ask(self, method: str, deadline: float, *args: Any, **kwargs: Any) -> Any:
        answers: list[Any] = []
        getattr(self._channel, method)(*args, **kwargs, callback=answers.append)
        self._wait(lambda: bool(answers), deadline)
        return answers[0].method

    def _wait(self, done: Callable[[], bool], deadline: float) -> None:
        timer = self._loop.call_later(
            max(deadline - time.monotonic(), 0), self._on_deadline
        )
        while not done() and self._failure is None:
            self._turn()
        self._loop.remove_timeout(timer)
        if self._failure is not None:
            failure = self._failure
            self.drop()
            raise failure

    def _turn(self) -> None:
        self._loop.poll()
        self._loop.process_timeouts()

    def _fail(self, reason: str, code: int = 0) -> None:
        self._failure = self._failure or ConnectionFailed(reason, code)

    def _on_nothing(self) -> None:
        """Make the next turn of the loop return at once."""

    def _on_deadline(self) -> None:
        self._fail("RabbitMQ did not answer in time.")

    def _on_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_failure)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=self._on_confirming)

    def _on_confirming(self, _frame: Any) -> None:
        self._ready = True

    def _on_confirm(self, frame: Any) -> None:
        if isinstance(frame.method, Basic.Nack):
            self._fail("RabbitMQ refused a message.")
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            self._unconfirmed = {t for t in self._unconfirmed if t > tag}
        else:
            self._unconfirmed.discard(tag)

    def _on_blocked(self, _connection: Any, frame: Any) -> None:
        self._fail(f"RabbitMQ takes nothing in: {frame.method.reason}.")

    def _on_return(self, _channel: Any, method: Any, *_: Any) -> None:
        # Someone deleted it; a new connection declares it again.
        self._fail(f"The queue {method.routing_key} is gone.")

    def _on_failure(self, _source: Any, error: BaseException | str) -> None:
        self._fail(str(error) or repr(error), getattr(error, "reply_code", 0))
