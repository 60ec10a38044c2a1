"""The relay: due rows go to the broker, the most urgent first, while there is room.

The broker is kept shallow: of each queue no more is published than the workers start
within a few seconds, so that order, pause and migration stay with the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core import runs
from core.errors import BrokerUnavailable
from core.models import Run
from core.relay.capacity import BATCH, LAST_OF_BAND, Capacity
from core.relay.sender import Sender
from core.routing.router import Router
from core.runs import LimitRules


@dataclass(frozen=True, slots=True)
class Round:
    """The outcome of a round, with one queue or with all of them."""

    published: int = 0
    #: There was no room for a queue.
    is_full: bool = False
    #: A queue may be empty before long.
    is_low: bool = False

    def __add__(self, other: "Round") -> "Round":
        return Round(
            self.published + other.published,
            self.is_full or other.is_full,
            self.is_low or other.is_low,
        )


class Relay:
    """Publishes the due runs of one broker alias.

    Args:
        reserve: seconds after which another process may publish what this one took.
        rules: returns the limits of every actor that is known by now.
    """

    def __init__(
        self,
        sender: Sender,
        capacity: Capacity,
        router: Router,
        reserve: float,
        rules: Callable[[], LimitRules],
    ) -> None:
        self._sender = sender
        self._capacity = capacity
        self._router = router
        self._reserve_seconds = reserve
        self._rules = rules
        #: Queues whose depth is asked for: something was published a moment ago.
        self._in_use: set[str] = set()

    def round(self, declared: Sequence[str]) -> Round:
        """Publish what is due in the queues that live workers serve.

        In the `declared` ones where there is no such thing as a worker. Raises
        `BrokerUnavailable`; what was taken is given back.
        """
        capacity = self._capacity
        self._router.route(runs.unrouted(capacity.database, capacity.alias, BATCH))
        if not capacity.backend.supports_publish:
            return Round()  # workers take it from the table
        served = {queue for worker in capacity.workers() for queue in worker.queues}
        queues = served if capacity.backend.supports_worker else declared
        done, trouble = Round(), None
        for queue in queues:
            if capacity.is_paused(queue):
                continue
            try:
                done += self.relay(queue)
            except BrokerUnavailable as error:
                # If the broker answers, it is this queue alone that it refuses.
                capacity.backend.ping()
                trouble = error
        if trouble and not done.published:
            raise trouble
        return done

    def relay(self, queue: str) -> Round:
        """Publish the due runs of a queue that there is room for.

        Raises `BrokerUnavailable`; what was taken is given back.
        """
        whole = self._room(queue)
        is_low = self._capacity.may_run_dry(queue, max(whole))
        room = [min(number, BATCH) for number in whole]
        if not max(room):
            return Round(is_full=True, is_low=is_low)
        rows = self._reserve(queue, room)
        if rows:
            self._in_use.add(queue)
            self._publish(rows)
        return Round(len(rows), is_low=is_low)

    def _room(self, queue: str) -> list[int]:
        """Return the room of a queue, beside what the broker has that nobody will run.

        Runs that were cancelled leave their messages there until a worker drops them.
        """
        if queue not in self._in_use:
            return self._capacity.room(queue)
        return self._capacity.room(queue, lambda: self._depth(queue))

    def _depth(self, queue: str) -> int:
        depth = self._sender.depth(queue)
        if not depth:
            self._in_use.discard(queue)
        return depth

    def _reserve(self, queue: str, room: Sequence[int]) -> list[Run]:
        return runs.reserve(
            self._capacity.database,
            self._capacity.alias,
            queue,
            list(zip(LAST_OF_BAND, room, strict=True)),
            self._reserve_seconds,
            self._rules(),
        )

    def _publish(self, rows: Sequence[Run]) -> None:
        try:
            self._sender.publish(rows)
        except BrokerUnavailable:
            ids = [row.pk for row in rows]
            runs.give_back(self._capacity.database, ids, 0.5)
            raise
