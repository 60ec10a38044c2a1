"""Connections that publish and ask: one thread at a time each, under a deadline."""

import os
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from kombu import Producer
from kombu.exceptions import KombuError
from kombu.transport import pyamqp
from redis import RedisError

from core.backend import Concern, EngineMessage
from core.errors import BrokerUnavailable

T = TypeVar("T")

#: What brokers and their libraries raise when they are down, frozen or full.
FAULTS: tuple[type[BaseException], ...] = (
    OSError,
    KombuError,
    RedisError,
    *pyamqp.Transport.connection_errors,
    *pyamqp.Transport.channel_errors,
)

#: Most idle connections that are kept open.
_KEPT = 4


class BrokerConnection(ABC):
    """One open connection, with the few things a backend does on it."""

    def __init__(
        self, opening: Any, send: Callable[[Any, EngineMessage, int], None]
    ) -> None:
        self._transport = opening.transport
        self._send = send
        self._raw = self._transport.establish_connection()
        self.pid = os.getpid()
        try:
            self.channel = self._transport.create_channel(self._raw)
        except FAULTS:
            self.close()
            raise
        self.producer = Producer(self.channel, auto_declare=False)

    @abstractmethod
    def allow(self, seconds: float) -> None:
        """Let the next call wait that long for the broker."""

    @abstractmethod
    def publish(self, messages: Sequence[EngineMessage]) -> None:
        """Return when the broker has confirmed every message."""

    @abstractmethod
    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        """Return when the broker has confirmed every event."""

    @abstractmethod
    def depth(self, queue: str) -> int:
        """Count what waits."""

    @abstractmethod
    def purge(self, queue: str) -> int:
        """Drop what waits; return how many."""

    def concerns(self) -> list[Concern]:
        """Return how the broker is set up so that it may lose messages."""
        return []

    @abstractmethod
    def ping(self) -> None:
        """Return if the broker answers."""

    @abstractmethod
    def close(self) -> None:
        """Let go, without a word to a broker that may not listen."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go in a forked child; the parent goes on using the connection."""


class ConnectionPool:
    """The open connections of one backend; safe among threads and after a fork."""

    def __init__(
        self,
        alias: str,
        where: str,
        connect: Callable[[float], BrokerConnection],
        timeout: float,
    ) -> None:
        self._alias = alias
        self._where = where
        self._connect = connect
        self._timeout = timeout
        self._idle: deque[BrokerConnection] = (
            deque()
        )  # its ends are atomic: no lock to inherit

    def call(
        self, operation: Callable[[BrokerConnection], T], seconds: float | None = None
    ) -> T:
        """Run `operation` on a connection; raise `BrokerUnavailable` in time.

        That is in `seconds`, or the backend's own when it is None.
        """
        whole = self._timeout if seconds is None else seconds
        ends = time.monotonic() + whole
        connection = self._take()
        if connection is not None:
            try:
                return self._run(connection, operation, ends)
            except FAULTS as exc:
                # A broker that restarted has closed what was idle. It may well be
                # back, so try once on a new connection, in what time is left.
                if _left(ends) < whole / 2:
                    raise self._unavailable(exc) from exc
        try:
            return self._run(self._connect(_left(ends)), operation, ends)
        except FAULTS as exc:
            raise self._unavailable(exc) from exc

    def close(self) -> None:
        """Close what is idle."""
        while (connection := self._take()) is not None:
            connection.close()

    def _run(
        self,
        connection: BrokerConnection,
        operation: Callable[[BrokerConnection], T],
        ends: float,
    ) -> T:
        try:
            connection.allow(_left(ends))
            result = operation(connection)
        except BaseException:  # its answers could be taken for those of the next call
            connection.close()
            raise
        if len(self._idle) < _KEPT:
            self._idle.append(connection)
        else:
            connection.close()
        return result

    def _take(self) -> BrokerConnection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if connection.pid == os.getpid():
                return connection
            connection.abandon()
        return None

    def _unavailable(self, exc: BaseException) -> BrokerUnavailable:
        cause = exc.__cause__ or exc
        problem = f"{type(cause).__name__}: {cause}"
        return BrokerUnavailable(self._alias, problem, self._where)


def windows(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut what is to be sent into what may be on its way at once."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _left(ends: float) -> float:
    # No socket takes 0 for a deadline: it means "do not wait" or "for ever".
    return max(ends - time.monotonic(), 0.01)
