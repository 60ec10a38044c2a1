"""Kombu's Redis channel, made to survive what it is fed and what it loses.

Stock Kombu exits on a list item that is not JSON, forgets a message whose
bookkeeping fails after BRPOP, and leaks a slot when an acknowledgement fails.
"""

import base64
import logging
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import Empty
from typing import Any, ClassVar
from uuid import uuid4

from kombu.transport import redis as stock
from kombu.transport import virtual
from kombu.utils.json import loads
from redis import Redis, RedisError, ResponseError

logger = logging.getLogger(__name__)

#: The content type of what was in the list and is no Kombu message.
GARBAGE = "application/x-switchyard-garbage"

_FAULTS = (RedisError, OSError)


class QoS(stock.QoS):
    """Unacknowledged messages; a fault of Redis costs a slot never."""

    #: All that may hold messages, also after the channel's connection was lost.
    living: ClassVar["weakref.WeakSet[QoS]"] = weakref.WeakSet()

    #: Those that owe Redis an acknowledgement; nobody else may hold them any more.
    owing: ClassVar["set[QoS]"] = set()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsettled: set[str] = set()
        QoS.living.add(self)

    @contextmanager
    def pipe_or_acquire(self, pipe: Any = None, client: Any = None) -> Iterator[Any]:
        # Without MULTI and EXEC: half of it done harms nobody, the sweep sees to it.
        if pipe is not None:
            yield pipe
        else:
            with self.channel.conn_or_acquire(client) as acquired:
                yield acquired.pipeline(transaction=False)

    def append(self, message: Any, delivery_tag: str) -> None:
        try:
            super().append(message, delivery_tag)
        except _FAULTS as exc:
            # BRPOP has taken it out: run it, rather than lose it.
            logger.warning("Redis did not note %s as taken: %r", delivery_tag, exc)
            virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)
        try:
            self._remove_from_indices(delivery_tag).execute()
        except _FAULTS as exc:
            logger.warning("Redis did not take the ack of %s: %r", delivery_tag, exc)
            self._unsettled.add(delivery_tag)
            QoS.owing.add(self)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            return self.ack(delivery_tag)
        try:
            super().reject(delivery_tag, requeue=True)
        except _FAULTS as exc:
            # It stays noted as taken; the sweep gives it back, once overdue.
            virtual.QoS.ack(self, delivery_tag)
            logger.warning("Redis did not take %s back yet: %r", delivery_tag, exc)

    def restore_visible(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().restore_visible(*args, **kwargs)
        except ResponseError as exc:
            # Out of memory, for one: Kombu would log a traceback each time, and the
            # relay has told of it.
            logger.debug("Redis did not give back what is overdue: %r", exc)

    def renew(self) -> None:
        """Settle late acks and keep what is still running from being restored."""
        self._flush()
        for tag in tuple(self._unsettled):
            self._remove_from_indices(tag).execute()
            self._unsettled.discard(tag)
        QoS.owing.discard(self)
        if self._delivered:
            now = time.time()
            with self.channel.conn_or_acquire() as client:
                scores = dict.fromkeys(self._delivered, now)
                client.zadd(self.unacked_index_key, scores, xx=True)


class Channel(stock.Channel):
    """A consuming channel that hands on everything it finds in its lists."""

    QoS = QoS
    from_transport_options = (*stock.Channel.from_transport_options, "longest")
    #: Bytes of a list item that is parsed.
    longest: int
    _shared: "Redis | None" = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        # Building a client costs more than a command; stock does it each time.
        # Its pool reopens, so a late ack works after the channel was closed.
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._shared is None:
            self._shared = super()._create_client()
        return self._shared

    def _brpop_read(self, **options: Any) -> bool:
        connection = self.client.connection
        try:
            reply = self.client.parse_response(connection, "BRPOP", **options)
        except self.connection_errors:
            connection.disconnect()  # the next round connects again
            raise
        finally:
            self._in_poll = None
        if not reply:
            raise Empty
        queue, _, band = reply[0].decode().partition(self.sep)
        self._queue_cycle.rotate(queue)
        message = envelope(reply[1], queue, int(band or 0), self.longest)
        self.connection._deliver(message, queue)
        return True


class PublisherChannel(Channel):
    """A channel with one client, hence one connection, for all it does."""

    def _create_client(self, asynchronous: bool = False) -> Any:
        return super()._create_client()


class Transport(stock.Transport):
    """Redis, through `Channel`."""

    Channel = Channel


class PublisherTransport(stock.Transport):
    """Redis, through `PublisherChannel`."""

    Channel = PublisherChannel


def envelope(item: bytes, queue: str, band: int, longest: int) -> dict[str, Any]:
    """Return a list item as a message that Kombu can deliver, keep and restore."""
    try:
        if len(item) > longest:
            raise ValueError("no sender of ours wrote it")
        message = _normal(loads(item.decode()), queue)
    except Exception:  # hostile bytes: the parsers' own errors are not a closed list
        body = base64.b64encode(item).decode()
        message = _payload(queue, body, "base64", content_type=GARBAGE)
    # Kombu restores it to the list of its priority: the one where it was found.
    message["properties"]["priority"] = band
    return message


def _normal(found: Any, queue: str) -> dict[str, Any]:
    body, properties = found["body"], found["properties"]
    encoding = properties.get("body_encoding")
    if encoding == "base64":
        base64.b64decode(body, validate=True)
    elif encoding not in (None, "utf-8"):
        raise ValueError(f"unknown body encoding {encoding!r}")
    body.encode()
    headers = found.get("headers")
    payload = _payload(
        queue,
        body,
        encoding,
        content_type=found.get("content-type"),
        content_encoding=found.get("content-encoding"),
        headers=headers if isinstance(headers, dict) else {},
    )
    texts = {k: properties.get(k) for k in ("correlation_id", "reply_to")}
    payload["properties"] |= {k: v for k, v in texts.items() if isinstance(v, str)}
    return payload


def _payload(
    queue: str,
    body: str,
    body_encoding: str | None,
    content_type: object,
    content_encoding: object = None,
    headers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "body": body,
        "content-type": content_type,
        "content-encoding": content_encoding,
        "headers": dict(headers or {}),
        "properties": {
            # Fresh: a copy of a message must not share the original's books.
            "delivery_tag": str(uuid4()),
            # Where it was found is where it goes back, whatever it claims.
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_mode": 2,
            "body_encoding": body_encoding,
        },
    }
