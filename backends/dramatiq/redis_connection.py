"""One connection to Redis for senders, on which no call outlives its deadline.

redis-py knows a limit for each wait, and one call may wait many times: to connect, for
AUTH, for SELECT, for every answer. Here each wait gets what is left of the whole.
"""

import time
from collections.abc import Sequence
from typing import Any

import redis
from redis import RedisError

#: The words of a command.
Words = Sequence[str | bytes | int]


class RedisConnection:
    """See the module. For one thread at a time.

    Args:
        pool: says what connections look like; it lends none.
        deadline: of `time.monotonic`, for connecting.
    """

    def __init__(self, pool: redis.ConnectionPool, deadline: float) -> None:
        self.last_use = time.monotonic()
        # Any: the attributes are redis-py's own, of two major versions.
        raw: Any = pool.connection_class(**pool.connection_kwargs)
        self._raw = raw
        # TCP and TLS wait one after the other.
        raw.socket_connect_timeout = raw.socket_timeout = _left(deadline) / 2
        greeting = _greeting(raw)
        raw.connect()
        if greeting:
            self.ask(greeting, deadline)

    def ask(self, commands: Sequence[Words], deadline: float) -> list[Any]:
        """Send all commands at once and return their answers; raise the first error."""
        packed = b"".join(b"".join(self._raw.pack_command(*c)) for c in commands)
        self._wait_until(deadline)
        self._raw.send_packed_command([packed], check_health=False)
        return [self._answer(deadline) for _ in commands]

    def run(
        self, script: str, keys: Sequence[str], args: Words, deadline: float
    ) -> Any:
        """Run Lua; the text goes along, so that it takes one trip in any case."""
        return self.ask([("EVAL", script, len(keys), *keys, *args)], deadline)[0]

    def is_open(self) -> bool:
        """Return True if Redis has not closed it, and owes no answer."""
        try:
            return not self._raw.can_read(timeout=0)
        except (RedisError, OSError):
            return False

    def drop(self) -> None:
        """Close the socket."""
        self._raw.disconnect()

    def _answer(self, deadline: float) -> Any:
        self._wait_until(deadline)
        return self._raw.read_response()

    def _wait_until(self, deadline: float) -> None:
        # redis-py has no public way to give one wait a limit of its own.
        self._raw._sock.settimeout(_left(deadline))


def _greeting(raw: Any) -> list[Words]:
    """Take from redis-py what it would say first, each with a wait of its own."""
    commands: list[Words] = []
    if raw.password is not None:
        user = [raw.username] if raw.username else []
        commands.append(["AUTH", *user, raw.password])
    if raw.db:
        commands.append(["SELECT", raw.db])
    raw.username, raw.password, raw.db = None, None, 0
    # Its own name and version: `driver_info` since redis-py 7, the others before.
    raw.driver_info = raw.lib_name = raw.lib_version = None
    return commands


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise redis.TimeoutError("Redis did not answer in time")
    return left
