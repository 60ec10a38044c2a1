"""What a publisher may publish without a query, and what it has yet to mark."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from core import runs
from core.models import Run
from core.relay.capacity import BATCH, Capacity, band_of
from core.relay.sender import Sender

#: Seconds after which it is written down what was published, and room is asked for.
NOTED_SECONDS = 0.1


@dataclass(slots=True)
class _Room:
    """An answer of `Capacity.room`, and what has become of it."""

    left: list[int]
    #: No run of this priority, or a more urgent one, waits for the relay.
    clear_to: int
    until: float


class Ahead:
    """The share of one publisher thread in the room that a broker alias has.

    To ask for room, and to mark what was published, took more than to publish. Both are
    done for many messages at a time; what a worker has started by then needs no mark.
    Half of an answer is left to the publishers of other processes.
    """

    def __init__(self, capacity: Capacity, sender: Sender) -> None:
        self._capacity = capacity
        self._sender = sender
        self._rooms: dict[str, _Room] = {}
        self._published: list[Run] = []
        self._pid = os.getpid()

    def room(self, queue: str, last: int, number: int) -> int:
        """Return how many of `number` messages there is room for, and take it.

        Args:
            last: the priority of the least urgent one.
        """
        band, room = band_of(last), self._rooms.get(queue)
        if (
            room is None
            or time.monotonic() > room.until
            or last > room.clear_to
            or room.left[band] < number
        ):
            self.note()
            room = self._rooms[queue] = self._ask(queue, last)
            taken = min(number, room.left[band])
            room.left = [(left - taken) // 2 for left in room.left]
            return taken
        room.left = [left - number for left in room.left]
        return number

    def _ask(self, queue: str, last: int) -> _Room:
        left = self._capacity.room(queue)
        database, alias = self._capacity.database, self._capacity.alias
        # What waits already goes first: it is the relay that knows the order.
        if left[band_of(last)] and runs.has_backlog(database, alias, queue, last):
            left = [0] * len(left)
        return _Room(left, last, time.monotonic() + NOTED_SECONDS)

    def publish(self, rows: Sequence[Run]) -> None:
        """Hand runs to the broker, to be noted soon. Raises `BrokerUnavailable`."""
        self._sender.hand_over(rows)
        self._published.extend(rows)
        if len(self._published) >= BATCH:
            self.note()

    def note(self) -> None:
        """Write down what was published since the last time."""
        rows, self._published = self._published, []
        if rows and self._pid == os.getpid():
            self._sender.mark(rows)
        self._pid = os.getpid()  # a fork's parent notes its own
