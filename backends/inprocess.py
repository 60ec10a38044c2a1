"""No engine at all: messages are delivered by the process that publishes them."""

import heapq
import itertools
import threading
from collections.abc import Sequence
from operator import attrgetter

from core.backend import BaseBackend, EngineMessage, Receiver
from core.errors import BrokerConfigError

MODES = ("immediate", "drained")


class InProcessBackend(BaseBackend):
    """For tests and for development without a broker.

    Args:
        mode: "immediate" delivers while publishing, in the caller's thread;
            "drained" keeps messages until `drain`.
    """

    engine = "inprocess"
    supports_worker = False
    supports_events = False

    def __init__(
        self, alias: str, url: str, receiver: Receiver, *, mode: str = "immediate"
    ) -> None:
        super().__init__(alias, url, receiver)
        if mode not in MODES:
            problem = f"mode is {mode!r}; write one of {', '.join(map(repr, MODES))}."
            raise BrokerConfigError(alias, "OPTIONS", problem)
        self.mode = mode
        self._lock = threading.Lock()
        # A heap of (band, number, message): the most urgent first, then the oldest.
        self._waiting: list[tuple[int, int, EngineMessage]] = []
        self._numbers = itertools.count()

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """Deliver the messages, the most urgent first, or keep them for `drain`."""
        if self.mode == "drained":
            self._keep(messages)
            return
        for message in sorted(messages, key=attrgetter("band")):
            self.receiver.deliver(message.queue, message.payload)

    def _keep(self, messages: Sequence[EngineMessage]) -> None:
        with self._lock:
            for message in messages:
                entry = (message.band, next(self._numbers), message)
                heapq.heappush(self._waiting, entry)

    def drain(self) -> int:
        """Deliver until none is left, also what is published meanwhile; count them.

        The most urgent first. A message whose delivery raises is given back, and the
        error goes on.
        """
        delivered = 0
        while (entry := self._next()) is not None:
            message = entry[-1]
            try:
                self.receiver.deliver(message.queue, message.payload)
            except BaseException:  # also a Ctrl-C: the message waits again
                with self._lock:
                    heapq.heappush(self._waiting, entry)
                raise
            delivered += 1
        return delivered

    def work(self, queues: Sequence[str], threads: int) -> None:
        """Refuse: there is nothing to consume from outside the publishing process."""
        raise NotImplementedError(
            f"BROKERS[{self.alias!r}] runs messages in the process that sends them;"
            " it has no worker. Choose another BACKEND to run one."
        )

    def depth(self, queue: str) -> int:
        """Count what `drain` would deliver from a queue."""
        return sum(message.queue == queue for *_, message in list(self._waiting))

    def purge(self, queue: str) -> int:
        """Drop what `drain` would deliver from a queue."""
        with self._lock:
            before = len(self._waiting)
            self._waiting = [e for e in self._waiting if e[-1].queue != queue]
            heapq.heapify(self._waiting)
            return before - len(self._waiting)

    def ping(self) -> None:
        """Return: it is always there."""

    def _next(self) -> tuple[int, int, EngineMessage] | None:
        with self._lock:
            return heapq.heappop(self._waiting) if self._waiting else None
