"""py-amqp with one deadline for all that is read, and no farewell.

Stock py-amqp starts its timeouts anew with every frame it reads, waits for ever for
a channel to open, and takes leave of TLS from a broker that may not listen.
"""

import time
from typing import Any

from kombu.transport import pyamqp


class Connection(pyamqp.Connection):
    """A connection that opens, answers and fails within its deadline."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ends: float = time.monotonic() + self.connect_timeout

    def allow(self, seconds: float) -> None:
        """Set the deadline of all that follows."""
        self._ends = time.monotonic() + seconds
        self.bound_write()

    def bound_write(self) -> None:
        """Let the next write take what is left."""
        self.transport.sock.settimeout(self._left())

    def blocking_read(self, timeout: float | None = None) -> Any:
        left = self._left()
        return super().blocking_read(left if timeout is None else min(timeout, left))

    def collect(self) -> None:
        if self._transport is not None and self._transport.sock is not None:
            self._transport.sock.settimeout(0)
        super().collect()

    def _left(self) -> float:
        return max(self._ends - time.monotonic(), 0.01)


class Transport(pyamqp.Transport):
    """AMQP, through `Connection`."""

    Connection = Connection
