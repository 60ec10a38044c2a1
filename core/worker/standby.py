"""While the broker is away, a worker process takes runs from the table itself.

A broker's outage costs time, not work: what waits is in the table, and so is all that
says whose turn it is. Whatever the broker still has of these runs is dropped as a copy
when it is back.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from uuid import UUID

from django.db import Error, close_old_connections, connections

from core import runs
from core.errors import BrokerUnavailable
from core.outages import Outage
from core.worker.context import WorkerContext
from core.worker.process import process

logger = logging.getLogger(__name__)

#: Seconds between two questions to the broker.
LOOK_SECONDS = 1.0
#: Seconds without an answer after which a broker is away.
AWAY_SECONDS = 2.0
#: Seconds of work that are taken in advance: longer than a look at the table takes, and
#: no longer. What is urgent comes after what a busy process has taken.
AHEAD_SECONDS = 0.02
#: Seconds without work after which a thread closes its connection.
KEPT_SECONDS = 30.0
#: Seconds between two looks at a table that had nothing.
IDLE_SECONDS = 0.2


class Standby:
    """The threads of one worker process that wait for an outage of the broker.

    Args:
        context: where runs are performed.
        ping: returns if the broker answers, and raises `BrokerUnavailable` if not;
            None: there is no broker.
    """

    def __init__(self, context: WorkerContext, ping: Callable[[], None] | None) -> None:
        self.context = context
        self.ping = ping
        self._queues: list[str] = []
        self._concurrency = 0
        self._stop = threading.Event()
        self._away = threading.Event()
        self._freed = threading.Event()
        self._ended: deque[float] = deque(maxlen=1000)
        self._is_known = False
        self._taken: SimpleQueue[UUID | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._trouble = Outage(
            logger, "Cannot look at the table", "Looking at the table again"
        )
        self._outage = Outage(
            logger,
            "Taking runs from the table",
            f"Runs come from the broker {context.outbox.alias!r} again",
        )

    def start(self, queues: Sequence[str], threads: int) -> None:
        """Ask the broker from now on whether it is there; do nothing the second time.

        These are the queues that this process serves, and how many messages it has in
        hand at once, its engine's included.
        """
        if self._threads:
            return
        self._stop.clear()
        self._queues, self._concurrency = list(queues), threads
        targets = [self._look, *[self._work] * threads]
        if self.ping is None:
            self._away.set()
        else:
            self._away.clear()
            targets.append(partial(self._watch, self.ping))
        self._threads = [
            threading.Thread(target=target, name=f"switchyard-standby-{n}", daemon=True)
            for n, target in enumerate(targets)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take nothing more."""
        self._stop.set()
        for _ in range(self._concurrency):
            self._taken.put(None)

    def end(self) -> None:
        """Take nothing more, and return when what was taken has ended."""
        self.stop()
        for thread in self._threads:
            thread.join()
        self._threads, self._taken = [], SimpleQueue()

    def _watch(self, ping: Callable[[], None]) -> None:
        missed = None
        while not self._stop.wait(LOOK_SECONDS):
            asked = time.monotonic()
            try:
                ping()
            except BrokerUnavailable as error:
                missed = asked if missed is None else missed
                if time.monotonic() - missed >= AWAY_SECONDS:
                    self._outage.begin(error)
                    self._away.set()
            except Exception:  # a backend of somebody's own; without a guess at it
                logger.exception("Could not ask the broker whether it is there.")
            else:
                missed = None
                self._away.clear()
                self._outage.end()

    def _look(self) -> None:
        """Have as much at hand as there are threads, and a little more if it is quick.

        What waits here for a slow body is something that an idle process could run.
        """
        while self._awaits():
            self._freed.clear()
            ahead = min(self._concurrency, int(self._pace() * AHEAD_SECONDS))
            at_hand = len(self.context.lease.in_hand()) + self._taken.qsize()
            free = self._concurrency + ahead - at_hand
            if free <= ahead // 2:
                self._freed.wait(IDLE_SECONDS)
            elif not self._take_safely(free):
                self._stop.wait(IDLE_SECONDS)
        connections.close_all()

    def _pace(self) -> int:
        """Return how many have ended in the last second, up to what is remembered."""
        since = time.monotonic() - 1
        return sum(moment > since for moment in list(self._ended))

    def _take_safely(self, most: int) -> bool:
        """Take up to `most`; return False if there was none, or no database."""
        try:
            close_old_connections()
            if not self._is_known:  # where the engine cannot come up without its broker
                self.context.lease.offer(self._concurrency, self._queues)
                self._is_known = True
            found = self._take(most)
        except Exception as error:  # without this thread nothing would be taken
            connections[self.context.database].close()
            self._trouble.begin(error, expected=isinstance(error, Error))
            return False
        self._trouble.end()
        return found

    def _awaits(self) -> bool:
        """Wait for an outage; return False once this process is to end."""
        while not self._stop.is_set():
            if self._away.wait(LOOK_SECONDS):
                return not self._stop.is_set()
            connections.close_all()  # an outage may have left one
        return False

    def _take(self, most: int) -> bool:
        outbox = self.context.outbox
        found: list[UUID] = []
        for queue in self._queues:
            if len(found) < most:
                found += runs.take(
                    outbox.database,
                    outbox.alias,
                    queue,
                    most - len(found),
                    outbox.timing.reserve,
                    self.context.resolver.rules(),
                )
        for run_id in found:
            self._taken.put(run_id)
        # The next time another queue comes first.
        self._queues.append(self._queues.pop(0))
        return bool(found)

    def _next(self) -> UUID | None:
        """Wait for a run, or for the end; without a connection if it takes long."""
        try:
            return self._taken.get(timeout=KEPT_SECONDS)
        except Empty:
            connections.close_all()
            return self._taken.get()

    def _work(self) -> None:
        while (run_id := self._next()) and not self._stop.is_set():
            try:
                process(self.context, run_id)
            except Exception:  # no database: the run comes back by itself
                logger.exception("Left the run %s to others.", run_id)
            self._ended.append(time.monotonic())
            self._freed.set()
        connections.close_all()
