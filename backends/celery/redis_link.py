"""A link to Redis: one pipeline for many hints."""

from collections.abc import Sequence

from backends.celery.links import Link
from core.backend import Hint

#: Hints in one pipeline; more go in several.
_PIPELINE = 1000


class RedisLink(Link):
    def allow(self, seconds: float) -> None:
        # redis-py keeps a deadline per socket, which was set when it was opened.
        for connection in self.channel.pool._available_connections:
            connection.socket_timeout = seconds
            if connection._sock is not None:
                connection._sock.settimeout(seconds)

    def publish(self, hints: Sequence[Hint]) -> None:
        with self.producer.batch(max_size=_PIPELINE):
            for hint in hints:
                self._send(self.producer, hint)

    def depth(self, queue: str) -> int:
        return int(self.channel.client.llen(queue))

    def purge(self, queue: str) -> int:
        return int(self.channel.queue_purge(queue))

    def ping(self) -> None:
        self.channel.client.ping()

    def close(self) -> None:
        self._transport.close_connection(self._raw)

    def abandon(self) -> None:
        # redis-py knows its process: it closes a socket and shuts nothing down.
        self.close()
