"""A link to RabbitMQ: publisher confirms, a window of them at a time."""

import time
from collections.abc import Sequence
from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

from backends.celery.app import physical
from backends.celery.links import Link
from core.backend import Hint

#: Hints on their way before we wait for their confirms.
_WINDOW = 500

_NOT_FOUND = 404


class RabbitLink(Link):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._declared: set[str] = set()
        self._confirming = False

    def allow(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        # On the socket: amqp's own read_timeout starts anew within each frame.
        self._raw.transport.sock.settimeout(seconds)

    def publish(self, hints: Sequence[Hint]) -> None:
        self._prepare()
        for start in range(0, len(hints), _WINDOW):
            window = hints[start : start + _WINDOW]
            self._publish_window(window)
            if self._returned:
                # Somebody deleted a queue we had declared: declare it, once more.
                self._declared -= self._returned
                self._publish_window([h for h in window if h.queue in self._returned])

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

    def _prepare(self) -> None:
        if self._confirming:
            return
        self.channel.confirm_select()
        self.channel.events["basic_ack"].add(self._on_ack)
        self.channel.events["basic_nack"].add(self._on_nack)
        self.channel.events["basic_return"].add(self._on_return)
        self._sent = 0  # publishes on this channel are numbered from 1
        self._confirming = True

    def _publish_window(self, hints: Sequence[Hint]) -> None:
        self._returned: set[str] = set()
        self._waiting: set[int] = set()
        for hint in hints:
            if hint.queue not in self._declared:
                physical(hint.queue)(self.channel).declare()
                self._declared.add(hint.queue)
            self._sent += 1
            self._waiting.add(self._sent)
            self._send(self.producer, hint)
        while self._waiting:
            self._raw.drain_events(timeout=max(self._ends - time.monotonic(), 0.01))

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
