"""Finding published runs that the broker has lost.

It would be a storm to send all that waits again. So the broker is asked how much it
has: what is neither there nor in the hands of a busy process is missing.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet

from core import runs
from core.errors import BrokerUnavailable
from core.models import Run, State
from core.relay.capacity import BATCH, Capacity

logger = logging.getLogger(__name__)

#: A process that was half idle at this many looks in a row has nothing to do, and what
#: was missing at as many is lost: a message may be on its way at a single one.
LOOKS = 3
#: Of those that others have overtaken for this many times the time, one is sent again.
TURNS = 3
#: Seconds after its publishing in which a message may not be at the broker yet.
ON_ITS_WAY = 2.0
#: A queue is looked at this share of the time before a run of it may be called lost.
EARLY = 0.3


class Lost:
    """Finds the lost runs of one broker alias, at regular looks."""

    def __init__(
        self, capacity: Capacity, depth: Callable[[str], int], seconds: float
    ) -> None:
        self.capacity = capacity
        self.depth = depth
        #: A run may be called lost this many seconds after it was published.
        self.seconds = seconds
        #: Of each process with nothing to do: at how many looks in a row, since when.
        self._idle: dict[str, tuple[int, float]] = {}
        #: Of each queue: at how many looks in a row something was missing.
        self._missing: Mapping[str, int] = {}
        #: Of each queue: the run that was published first, and since when it is that.
        self._oldest: dict[str, tuple[UUID | None, float]] = {}

    def find(self) -> int:
        """Take back what is lost; return how many."""
        if not self.capacity.backend.supports_worker:
            return 0
        busy = self._look_at_workers()
        missing: dict[str, int] = {}
        taken = 0
        for queue in self._slow_queues():
            try:
                depth = self.depth(queue)
            except BrokerUnavailable as error:
                logger.debug("Could not ask how much is in %s: %s", queue, error)
                continue
            # Afterwards: what a worker takes in between is in neither.
            published = self._published(queue)
            if published > depth + self._in_hand(queue, busy):
                missing[queue] = self._missing.get(queue, 0) + 1
            lost = missing.get(queue, 0) >= LOOKS
            if self._is_all_lost(queue, depth, lost=lost):
                taken += self._take_back(queue, BATCH)
            elif self._is_passed_over(queue):
                taken += self._take_back(queue, 1)
        self._missing = missing
        return taken

    def _look_at_workers(self) -> Counter[str]:
        """Return how many runs each process has in hand; note who is idle.

        A thread may be free for a moment between two runs, but hardly ever half of
        them, and not several times in a row.
        """
        capacity, now = self.capacity, time.monotonic()
        running = Run.objects.using(capacity.database).filter(
            broker=capacity.alias, state=State.RUNNING
        )
        busy = Counter(running.values_list("worker", flat=True))
        idle = {}
        for worker in capacity.workers():
            if busy[worker.name] <= worker.threads / 2:
                looks, since = self._idle.get(worker.name, (0, now))
                idle[worker.name] = (looks + 1, since)
        self._idle = idle
        return busy

    def _queued(self, waited: float) -> QuerySet[Run]:
        """Return the runs published `waited` seconds ago that have not started."""
        capacity = self.capacity
        return Run.objects.using(capacity.database).filter(
            broker=capacity.alias,
            state=State.QUEUED,
            relay_at__lte=runs.later(self.seconds - waited),
        )

    def _slow_queues(self) -> Sequence[str]:
        slow = self._queued(self.seconds * (1 - EARLY)).order_by()
        return list(slow.values_list("queue_name", flat=True).distinct())

    def _published(self, queue: str) -> int:
        return self._queued(ON_ITS_WAY).filter(queue_name=queue).count()

    def _in_hand(self, queue: str, busy: Counter[str]) -> int:
        """Return how many messages busy processes may have taken in advance.

        One with a free thread has none: it would have started it.
        """
        serving = self.capacity.serving(queue)
        return sum(w.threads for w in serving if busy[w.name] >= w.threads)

    def _is_all_lost(self, queue: str, depth: int, *, lost: bool) -> bool:
        """Return True if whatever has waited too long may be sent again.

        The broker has lost it, or one process hoards it that another would run.
        """
        here = {worker.name for worker in self.capacity.serving(queue)}
        idle = [self._idle[name] for name in here & self._idle.keys()]
        since = [since for looks, since in idle if looks >= LOOKS]
        if lost:
            return bool(since) or not depth
        return bool(since) and not depth and _ago(min(since)) > self.seconds

    def _is_passed_over(self, queue: str) -> bool:
        """Return True if others have started all the while, and the oldest has not.

        It is lost, and messages without a row keep the broker's count from saying so;
        or one process hoards it.
        """
        oldest = self._queued(0).filter(queue_name=queue).order_by("relay_at")
        first = oldest.values_list("pk", flat=True).first()
        known, since = self._oldest.get(queue, (None, 0.0))
        if first != known:
            since = time.monotonic()
            self._oldest[queue] = (first, since)
        started = any(worker.rate for worker in self.capacity.serving(queue))
        return started and _ago(since) > TURNS * self.seconds

    def _take_back(self, queue: str, most: int) -> int:
        capacity = self.capacity
        return runs.forget(capacity.database, capacity.alias, queue, most)


def _ago(moment: float) -> float:
    return time.monotonic() - moment
