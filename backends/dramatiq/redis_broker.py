"""Dramatiq's Redis layout, with a deadline on every call."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import redis
from dramatiq import Middleware
from redis.backoff import NoBackoff
from redis.retry import Retry

from backends.dramatiq import redis_scripts
from backends.dramatiq.broker import CourierBroker, Options
from backends.dramatiq.pool import ConnectionPool
from backends.dramatiq.redis_connection import RedisConnection, Words
from backends.dramatiq.redis_consumer import RedisConsumer
from backends.dramatiq.redis_rescue import Rescue
from backends.dramatiq.urls import redis_pool
from backends.dramatiq.wire import encode
from core.backend import CONCERN_SECONDS, Concern, EngineMessage, concerns_of_redis

#: The prefix of every key, Dramatiq's default: its own tools find the queues.
NAMESPACE = "dramatiq"
#: Seconds a worker waits for TCP to connect. Short: a try that began while the
#: network was cut must end soon after the cut.
CONNECT_TIMEOUT = 1.0
#: Seconds a worker waits for an answer; above the time a consumer waits for work.
ANSWER_TIMEOUT = 2.0
#: Entries to which a stream of events is trimmed, about.
STREAM_LENGTH = 100_000


class RedisBroker(CourierBroker):
    """A courier on Redis or Valkey (6.2 or newer)."""

    def __init__(
        self,
        *,
        alias: str,
        url: str,
        options: Options,
        middleware: list[Middleware] | None = None,
    ) -> None:
        super().__init__(alias=alias, url=url, options=options, middleware=middleware)
        self.worker_id = str(uuid4())
        self.client = self._client()
        self._pool = ConnectionPool(
            lambda at: RedisConnection(self.client.connection_pool, at)
        )
        self.scripts = {
            name: self.client.register_script(getattr(redis_scripts, name))
            for name in ("FETCH", "ACK", "GIVE_BACK", "PUT_BACK", "RESCUE", "DEAD")
        }
        # Typed by us: redis-py leaves it untyped, and its blmove wants whole seconds.
        self._command: Callable[..., Any] = self.client.execute_command
        self.rescue = Rescue(self)

    def _client(self) -> redis.Redis:
        pool = redis_pool(
            self.address,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=ANSWER_TIMEOUT,
            # redis-py would try four times, with seconds between.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        return redis.Redis.from_pool(pool)

    def register(self, queues: Iterable[str]) -> None:
        """See `CourierBroker.register`; called when a worker boots."""
        # Forked workers share what was built before: not their name, or each would
        # give back what the other holds.
        self.worker_id = str(uuid4())
        super().register(queues)

    def consume(
        self, queue_name: str, prefetch: int = 1, timeout: int = 1000
    ) -> RedisConsumer:
        """Return a consumer; it connects when it is asked for a message."""
        return RedisConsumer(self, queue_name, prefetch, timeout)

    def key(self, *parts: str) -> str:
        """Return the name of a key in Dramatiq's layout."""
        return f"{NAMESPACE}:{'.'.join(parts)}"

    def acks_key(self, queue: str) -> str:
        """Return the name of the set of what this worker holds of a queue."""
        return self.key("__acks__", self.worker_id, queue)

    @contextmanager
    def _connected(
        self, seconds: float | None = None
    ) -> Iterator[tuple[RedisConnection, float]]:
        deadline = self.deadline(seconds)
        try:
            with self._pool.borrow(deadline) as connection:
                yield connection, deadline
        except (redis.RedisError, OSError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise self.unavailable(problem) from error

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """Add all messages at once and in one round trip."""
        keys: dict[str, int] = {}
        entries: list[str | bytes | int] = []
        for message in messages:
            key_number = keys.setdefault(self.key(message.queue), len(keys) + 1)
            # The run's id will not do: a message that is sent twice is two entries.
            entries += [key_number, f"{message.band}-{uuid4()}", encode(message)]
        with self._connected(seconds) as (connection, deadline):
            connection.run(redis_scripts.PUBLISH, list(keys), entries, deadline)

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        """Add all events to the stream in one round trip."""
        about: Words = ["XADD", channel, "MAXLEN", "~", STREAM_LENGTH, "*", "event"]
        with self._connected() as (connection, deadline):
            connection.ask([[*about, event] for event in events], deadline)

    def depth(self, queue: str) -> int:
        """Count the ids in the lists of all bands."""
        with self._connected() as (connection, deadline):
            return int(
                connection.run(redis_scripts.DEPTH, [self.key(queue)], [], deadline)
            )

    def purge(self, queue: str) -> int:
        """Drop the lists and their messages; a worker keeps what it holds."""
        keys = [self.key(queue), self.key(queue, "msgs")]
        with self._connected() as (connection, deadline):
            return int(connection.run(redis_scripts.PURGE, keys, [], deadline))

    def concerns(self) -> list[Concern]:
        """Ask what it does when it is out of memory, and at a restart."""
        with self._connected(CONCERN_SECONDS) as (connection, deadline):
            (told,) = connection.ask([["INFO"]], deadline)
            save = _save_setting(connection, deadline)
        lines = bytes(told).decode().splitlines()
        info = dict(line.split(":", 1) for line in lines if ":" in line)
        return concerns_of_redis(
            info["maxmemory_policy"], aof=info["aof_enabled"] == "1", save=save
        )

    def ping(self) -> None:
        """Ask for a sign of life."""
        with self._connected() as (connection, deadline):
            connection.ask([["PING"]], deadline)

    def close(self) -> None:
        """Close what publishing left open."""
        self._pool.close()

    def wait_for(self, key: str, timeout: float) -> None:
        """Return when a list has something, or after `timeout` seconds."""
        # Onto itself, left to left: it blocks and changes nothing.
        self._command("BLMOVE", key, key, "LEFT", "LEFT", timeout)

    def run(self, script: str, keys: list[str], args: Sequence[Any] = ()) -> Any:
        """Run a script of `redis_scripts` for a consumer."""
        return self.scripts[script](keys=keys, args=args)


def _save_setting(connection: RedisConnection, deadline: float) -> str | None:
    try:
        ((_, value),) = connection.ask([["CONFIG", "GET", "save"]], deadline)
    except redis.ResponseError:
        return None  # hosted servers refuse CONFIG
    return bytes(value).decode()
