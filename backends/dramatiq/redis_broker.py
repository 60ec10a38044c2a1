"""Dramatiq's Redis layout, with a deadline on every call."""

import re
import threading
import time
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
from backends.dramatiq.redis_consumer import RedisConsumer
from backends.dramatiq.wire import encode
from core.backend import Hint
from core.errors import BrokerConfigError, BrokerUnavailable

#: The prefix of every key, Dramatiq's default: its own tools find the queues.
NAMESPACE = "dramatiq"
#: Seconds a worker waits for TCP to connect. Short: a try that began while the
#: network was cut must end soon after the cut.
CONNECT_TIMEOUT = 1.0
#: Seconds a worker waits for an answer; above the time a consumer waits for work.
ANSWER_TIMEOUT = 2.0
#: Seconds between two looks for dead workers, or `dead_after` if that is less.
RESCUE_INTERVAL = 10.0
#: What a worker's name looks like: ours, and stock Dramatiq's.
WORKER_ID = re.compile(rb"[0-9a-f-]{36}")


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
        # Connecting and answering may each take half of the deadline.
        half = options.publish_timeout / 2
        self.sender = self._client(half, half)
        self.client = self._client(CONNECT_TIMEOUT, ANSWER_TIMEOUT)
        self.scripts = {
            name: self.client.register_script(getattr(redis_scripts, name))
            for name in ("FETCH", "ACK", "GIVE_BACK", "RESCUE", "DEAD")
        }
        self.publish_script = self.sender.register_script(redis_scripts.PUBLISH)
        self.purge_script = self.sender.register_script(redis_scripts.PURGE)
        # Typed by us: redis-py leaves it untyped, and its blmove wants whole seconds.
        self._command: Callable[..., Any] = self.client.execute_command
        self._consumers: list[RedisConsumer] = []
        #: Notified when a message of any queue is settled.
        self.settled = threading.Condition()
        self._rescuing = threading.Lock()
        self._next_rescue = 0.0
        self.note_outage()

    def _client(self, connect: float, answer: float) -> redis.Redis:
        try:
            return redis.Redis.from_url(
                self.url,
                socket_connect_timeout=connect,
                socket_timeout=answer,
                # redis-py would try four times, with seconds between.
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            raise BrokerConfigError(self.alias, "URL", f"{error}.") from None

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
        consumer = RedisConsumer(self, queue_name, prefetch, timeout)
        self._consumers.append(consumer)
        return consumer

    def held(self) -> int:
        """Return how many messages of all queues this process has in hand."""
        return sum(len(consumer.held) for consumer in self._consumers)

    def key(self, *parts: str) -> str:
        """Return the name of a key in Dramatiq's layout."""
        return f"{NAMESPACE}:{'.'.join(parts)}"

    def acks_key(self, queue: str) -> str:
        """Return the name of the set of what this worker holds of a queue."""
        return self.key("__acks__", self.worker_id, queue)

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        try:
            yield
        except (redis.RedisError, OSError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise BrokerUnavailable(self.alias, problem) from error

    def publish(self, hints: Sequence[Hint]) -> None:
        """Add all hints at once and in one round trip."""
        keys: dict[str, int] = {}
        entries: list[int | str | bytes] = []
        for hint in hints:
            place = keys.setdefault(self.key(hint.queue), len(keys) + 1)
            # The run's id will not do: a hint that is sent twice is two entries.
            entries += [place, str(uuid4()), encode(hint)]
        with self._deadline():
            self.publish_script(keys=list(keys), args=entries)

    def depth(self, queue: str) -> int:
        """Count the ids in the list."""
        with self._deadline():
            return int(self.sender.llen(self.key(queue)))

    def purge(self, queue: str) -> int:
        """Drop the list and its messages; a worker keeps what it holds."""
        with self._deadline():
            keys = [self.key(queue), self.key(queue, "msgs")]
            return int(self.purge_script(keys=keys))

    def ping(self) -> None:
        """Ask for a sign of life."""
        with self._deadline():
            self.sender.ping()

    def wait_for(self, key: str, timeout: float) -> None:
        """Return when a list has something, or after `timeout` seconds."""
        # Onto itself, left to left: it blocks and changes nothing.
        self._command("BLMOVE", key, key, "LEFT", "LEFT", timeout)

    def note_outage(self) -> None:
        """Start to count anew how long this worker has reached Redis without a gap."""
        self._steady_since = time.monotonic()

    def rescue(self) -> None:
        """Give back what dead workers held, in all queues; now and then."""
        now = time.monotonic()
        # After an outage everyone's heartbeat is old, of the living too.
        if now < max(self._next_rescue, self._steady_since + self.options.dead_after):
            return
        if self._rescuing.acquire(blocking=False):
            try:
                self._next_rescue = now + min(RESCUE_INTERVAL, self.options.dead_after)
                self._rescue_all()
            finally:
                self._rescuing.release()

    def _rescue_all(self) -> None:
        heartbeats = self.key("__heartbeats__")
        silence = int(self.options.dead_after * 1000)
        for worker in self.scripts["DEAD"](keys=[heartbeats], args=[silence]):
            # Anyone can write here, and "*" would match the sets of the living.
            if WORKER_ID.fullmatch(worker):
                self._rescue_one(self.key("__acks__", worker.decode(), ""))
            self.client.zrem(heartbeats, worker)

    def _rescue_one(self, prefix: str) -> None:
        for key in self.client.scan_iter(match=f"{prefix}*", count=1000):
            queue = key.decode(errors="replace").removeprefix(prefix)
            self.scripts["RESCUE"](keys=[self.key(queue), key])

    def run(self, script: str, keys: list[str], args: Sequence[Any] = ()) -> Any:
        """Run a script of `redis_scripts` for a consumer."""
        return self.scripts[script](keys=keys, args=args)
