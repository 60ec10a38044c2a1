"""A connection to RabbitMQ: publisher confirms, a window of them at a time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

from backends.celery.app import physical
from backends.celery.pool import BrokerConnection, windows
from core.backend import BANDS, EngineMessage

T = TypeVar("T")

#: The content type of an event.
CLOUDEVENT = "application/cloudevents+json"

#: AMQP serves the largest priority first, core the smallest band.
_MOST_URGENT = BANDS - 1

#: Most messages or events published before waiting for their confirms.
_WINDOW = 500

_NOT_FOUND = 404


class RabbitConnection(BrokerConnection):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._declared: set[str] = set()
        self._channels: set[str] = set()
        self._confirming = False

    def allow(self, seconds: float) -> None:
        self._raw.allow(seconds)

    def publish(self, messages: Sequence[EngineMessage]) -> None:
        for window in windows(messages, _WINDOW):
            self._confirmed(window, self._send_message)
            if self._returned:
                # Somebody deleted a queue we had declared: declare it, once more.
                self._declared -= self._returned
                again = [
                    message for message in window if message.queue in self._returned
                ]
                self._confirmed(again, self._send_message)

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        if channel not in self._channels:
            self.channel.exchange_declare(
                channel, "fanout", durable=True, auto_delete=False
            )
            self._channels.add(channel)
        for window in windows(events, _WINDOW):
            self._confirmed(window, partial(self._send_event, channel))

    def depth(self, queue: str) -> int:
        try:
            return int(self.channel.queue_declare(queue, passive=True).message_count)
        except pyamqp.Transport.channel_errors as exc:
            return self._absent(exc)

    def purge(self, queue: str) -> int:
        try:
            return int(self.channel.queue_purge(queue))
        except pyamqp.Transport.channel_errors as exc:
            return self._absent(exc)

    def ping(self) -> None:
        # Opening a channel is a question and an answer.
        self._raw.channel().close()

    def close(self) -> None:
        self._transport._collect(self._raw)

    def abandon(self) -> None:
        # Closed, not shut down: that would cut the parent's connection as well.
        self._raw.transport.sock.close()

    def _send_message(self, message: EngineMessage) -> None:
        if message.queue not in self._declared:
            physical(message.queue)(self.channel).declare()
            self._declared.add(message.queue)
        self._send(self.producer, message, _MOST_URGENT - message.band)

    def _send_event(self, channel: str, event: bytes) -> None:
        # Nobody need listen: without a queue it is confirmed and gone.
        message = self.channel.prepare_message(
            event, content_type=CLOUDEVENT, properties={"delivery_mode": 2}
        )
        self.channel.basic_publish(message, exchange=channel)

    def _confirmed(self, items: Sequence[T], send: Callable[[T], None]) -> None:
        self._await_confirms()
        self._returned: set[str] = set()
        self._waiting: set[int] = set()
        for item in items:
            self._raw.bound_write()
            send(item)
            self._sent += 1
            self._waiting.add(self._sent)
        while self._waiting:
            self._raw.drain_events()

    def _await_confirms(self) -> None:
        if self._confirming:
            return
        self.channel.confirm_select()
        self.channel.events["basic_ack"].add(self._on_ack)
        self.channel.events["basic_nack"].add(self._on_nack)
        self.channel.events["basic_return"].add(self._on_return)
        self._sent = 0  # publishes on this channel are numbered from 1
        self._confirming = True

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._waiting = {sent for sent in self._waiting if sent > tag}
        else:
            self._waiting.discard(tag)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        raise OperationalError("RabbitMQ refused a message (a full queue?)")

    def _on_return(self, exc: Exception, exchange: str, key: str, message: Any) -> None:
        self._returned.add(key)

    def _absent(self, exc: BaseException) -> int:
        if getattr(exc, "reply_code", None) != _NOT_FOUND:
            raise exc
        # RabbitMQ closes the channel over it.
        self.channel = self._transport.create_channel(self._raw)
        self.producer = type(self.producer)(self.channel, auto_declare=False)
        self._confirming = False
        return 0
