"""How many processes a supervisor has: more while runs wait, fewer while they idle."""

import logging
import os
import time

from django.db.models import QuerySet

from core import runs
from core.broker.broker import Broker
from core.models import Run, State, Worker

logger = logging.getLogger(__name__)

#: Seconds that a due run waits before it asks for more processes.
WAIT_SECONDS = 1.0
#: And only if this share of the threads is busy: limits hold back others.
BUSY_SHARE = 0.8
#: A process ends after the others could have done all of it for this many seconds,
CALM_SECONDS = 30.0
#: with this share of their threads.
CALM_SHARE = 0.5


class Autoscale:
    """Computes how many processes one worker command should run."""

    def __init__(
        self, broker: Broker, queues: list[str], least: int, most: int
    ) -> None:
        self.broker = broker
        self.queues = queues
        self.least = least
        self.most = most
        #: The supervisor looks at it.
        self.wanted = least
        self._calm_since = time.monotonic()

    def look(self) -> None:
        """Ask the database; called by the clock at each of its rounds."""
        threads = list(self._mine().values_list("threads", flat=True))
        busy = Run.objects.using(self.broker.database).filter(
            broker=self.broker.alias,
            state=State.RUNNING,
            worker__in=self._mine().values("name"),
        )
        self.decide(threads, busy.count())

    def decide(self, threads: list[int], busy: int) -> None:
        """Grow or shrink; `threads` are those of each process that is up."""
        now, all_up = time.monotonic(), len(threads) >= self.wanted
        if not all_up or busy > CALM_SHARE * (sum(threads) - max(threads, default=0)):
            self._calm_since = now
        if all_up and busy >= BUSY_SHARE * sum(threads) and self._somebody_waits():
            self._want(self.wanted + max(1, self.wanted // 2), "runs wait")
        elif now - self._calm_since > CALM_SECONDS:
            self._want(self.wanted - 1, "the others suffice")
            self._calm_since = now

    def _want(self, processes: int, why: str) -> None:
        before = self.wanted
        self.wanted = min(max(processes, self.least), self.most)
        if self.wanted != before:
            logger.info("From %d to %d processes: %s.", before, self.wanted, why)

    def _mine(self) -> QuerySet[Worker]:
        alive = Worker.alive(self.broker.database, self.broker.alias)
        return alive.filter(supervisor__startswith=f"{os.getpid()}-", threads__gt=0)

    def _somebody_waits(self) -> bool:
        database, alias = self.broker.database, self.broker.alias
        return any(
            runs.has_waited(database, alias, queue, WAIT_SECONDS)
            for queue in self.queues
            if not self.broker.capacity.is_paused(queue)
        )
