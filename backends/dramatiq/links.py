"""Connections that senders share: taken by one thread at a time, never by a fork."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

#: Seconds after which an idle link is replaced: firewalls forget silent connections.
LONGEST_IDLE = 30.0


class Link(Protocol):
    """One connection, on which every call takes a deadline of `time.monotonic`."""

    last_use: float

    def is_open(self) -> bool:
        """Say if the broker has not closed it meanwhile. Never waits."""

    def drop(self) -> None:
        """Close it without a word: a frozen broker would never answer."""


L = TypeVar("L", bound=Link)


class Links(Generic[L]):
    """The idle links to one broker.

    Args:
        connect: returns a new link before the deadline it is given, or raises.
    """

    def __init__(self, connect: Callable[[float], L]) -> None:
        self._connect = connect
        self._idle: deque[L] = deque()
        self._pid = os.getpid()

    @contextmanager
    def borrow(self, deadline: float) -> Iterator[L]:
        """Lend a link, and keep it for the next one if nothing was raised."""
        link = self._take() or self._connect(deadline)
        try:
            yield link
        except BaseException:
            # Its answers could be taken for those of the next call.
            link.drop()
            raise
        link.last_use = time.monotonic()
        self._idle.append(link)

    def close(self) -> None:
        """Close what is idle."""
        while (link := self._take()) is not None:
            link.drop()

    def _take(self) -> L | None:
        if self._pid != os.getpid():
            # A fork's links are its parent's: forgotten, without a word on the wire.
            self._idle = deque()
            self._pid = os.getpid()
        while True:
            try:
                link = self._idle.pop()
            except IndexError:
                return None
            if link.last_use + LONGEST_IDLE > time.monotonic() and link.is_open():
                return link
            link.drop()
