"""Connections that senders share: taken by one thread at a time, never by a fork."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

#: Seconds after which an idle connection is replaced: firewalls forget silent ones.
LONGEST_IDLE = 30.0


class PooledConnection(Protocol):
    """One connection, on which every call takes a deadline of `time.monotonic`."""

    last_use: float

    def is_open(self) -> bool:
        """Return False if the broker has closed it meanwhile. Never waits."""

    def drop(self) -> None:
        """Close it without a word: a frozen broker would never answer."""


L = TypeVar("L", bound=PooledConnection)


class ConnectionPool(Generic[L]):
    """The idle connections to one broker.

    Args:
        connect: returns a new connection before the deadline it is given, or raises.
    """

    def __init__(self, connect: Callable[[float], L]) -> None:
        self._connect = connect
        self._idle: deque[L] = deque()
        self._pid = os.getpid()

    @contextmanager
    def borrow(self, deadline: float) -> Iterator[L]:
        """Lend a connection, and keep it for the next one if nothing was raised."""
        connection = self._take() or self._connect(deadline)
        try:
            yield connection
        except BaseException:  # its answers could be taken for those of the next call
            connection.drop()
            raise
        connection.last_use = time.monotonic()
        self._idle.append(connection)

    def close(self) -> None:
        """Close what is idle."""
        while (connection := self._take()) is not None:
            connection.drop()

    def _take(self) -> L | None:
        if self._pid != os.getpid():
            # After a fork they are the parent's: forget them, send nothing on them.
            self._idle = deque()
            self._pid = os.getpid()
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if (
                connection.last_use + LONGEST_IDLE > time.monotonic()
                and connection.is_open()
            ):
                return connection
            connection.drop()
