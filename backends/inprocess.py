"""No engine at all: messages are delivered by the process that publishes them."""

from collections import deque
from collections.abc import Sequence

from core.backend import BaseBackend, Hint, Receiver
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

    def __init__(
        self, alias: str, url: str, receiver: Receiver, *, mode: str = "immediate"
    ) -> None:
        super().__init__(alias, url, receiver)
        if mode not in MODES:
            problem = f"mode is {mode!r}; write one of {', '.join(map(repr, MODES))}."
            raise BrokerConfigError(alias, "OPTIONS", problem)
        self.mode = mode
        # A deque's append and popleft are atomic: threads need no lock.
        self._waiting: deque[Hint] = deque()

    def publish(self, hints: Sequence[Hint]) -> None:
        """Deliver the hints, or keep them for `drain`."""
        if self.mode == "drained":
            self._waiting.extend(hints)
            return
        for hint in hints:
            self.receiver.deliver(hint.queue, hint.body)

    def drain(self) -> int:
        """Deliver until none is left, also what is published meanwhile; count them.

        A message whose delivery raises is given back, and the error goes on.
        """
        delivered = 0
        while (hint := self._next()) is not None:
            try:
                self.receiver.deliver(hint.queue, hint.body)
            except BaseException:
                self._waiting.appendleft(hint)
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
        return sum(hint.queue == queue for hint in list(self._waiting))

    def purge(self, queue: str) -> int:
        """Drop what `drain` would deliver from a queue."""
        doomed = [hint for hint in list(self._waiting) if hint.queue == queue]
        for hint in doomed:
            self._waiting.remove(hint)
        return len(doomed)

    def ping(self) -> None:
        """Return: it is always there."""

    def _next(self) -> Hint | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None
