"""A connection to Redis: one pipeline for many messages."""

import time
from collections.abc import Sequence

from redis import ResponseError

from backends.celery.pool import BrokerConnection, windows
from core.backend import Concern, EngineMessage, concerns_of_redis

#: Messages or events in one pipeline; more go in several.
_PIPELINE = 1000

#: Approximate length to which a stream of events is trimmed.
_KEPT_EVENTS = 100_000


class RedisConnection(BrokerConnection):
    def allow(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._bound()

    def publish(self, messages: Sequence[EngineMessage]) -> None:
        for window in windows(messages, _PIPELINE):
            with self.producer.batch(max_size=_PIPELINE):
                for message in window:
                    self._send(self.producer, message, message.band)
                self._bound()  # now it goes out

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        for window in windows(events, _PIPELINE):
            self._bound()
            with self.channel.client.pipeline(transaction=False) as pipe:
                for event in window:
                    pipe.xadd(channel, {"event": event}, maxlen=_KEPT_EVENTS)
                pipe.execute()

    def depth(self, queue: str) -> int:
        return int(self.channel._size(queue))

    def purge(self, queue: str) -> int:
        return int(self.channel.queue_purge(queue))

    def concerns(self) -> list[Concern]:
        info = self.channel.client.info()
        return concerns_of_redis(
            str(info["maxmemory_policy"]),
            aof=bool(info["aof_enabled"]),
            save=self._save_setting(),
        )

    def _save_setting(self) -> str | None:
        try:
            found: dict[str, str] = self.channel.client.config_get("save")
        except ResponseError:
            return None  # hosted servers refuse CONFIG
        return found.get("save")

    def ping(self) -> None:
        self.channel.client.ping()

    def close(self) -> None:
        self._transport.close_connection(self._raw)

    def abandon(self) -> None:
        # redis-py knows its process: it closes a socket and shuts nothing down.
        self.close()

    def _bound(self) -> None:
        # redis-py keeps a deadline per socket, which was set when it was opened.
        left = max(self._ends - time.monotonic(), 0.01)
        for connection in self.channel.pool._available_connections:
            connection.socket_timeout = connection.socket_connect_timeout = left
            if connection._sock is not None:
                connection._sock.settimeout(left)
