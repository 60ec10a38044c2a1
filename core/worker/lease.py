"""The right of this process to speak for its runs: one row, renewed by one thread."""

import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID, uuid4

import psutil
from django.db import Error, close_old_connections, connections
from django.db.models.functions import Now

from core import runs
from core.databases import silence
from core.databases.locks import is_locked, wait_less
from core.errors import Cancelled, LeaseLost
from core.models import Worker
from core.options.timing import Timing
from core.outages import Outage
from core.worker.interrupts import Interrupts
from core.worker.paused import PausedQueues

#: Seconds between two looks whether there is something to tell.
LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)

#: Set by the supervisor in its children, so that it can tell which rows are theirs.
SUPERVISOR = "SWITCHYARD_SUPERVISOR"


class Lease:
    """This process as a worker of one broker alias. Renewed in a forked child."""

    def __init__(self, alias: str, engine: str, database: str, timing: Timing) -> None:
        self.alias = alias
        self.engine = engine
        #: What the names of this process as a worker begin with.
        self.prefix = f"{engine}-"
        self.database = database
        self.timing = timing
        self.interrupts = Interrupts(timing.stuck)
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._name = ""
        self._threads = 0
        self._queues: list[str] = []
        #: By call, not by run: a copy that is dropped ends nothing but itself.
        self._active: dict[object, UUID] = {}
        #: Runs that are settled, although their threads are still at work.
        self.stuck: set[UUID] = set()
        #: How many messages this process has taken in hand.
        self.handled = 0
        self._started = 0
        self._rate = 0.0
        self._renewed = time.monotonic()
        self._outage = Outage(
            logger, "Could not renew a lease", "Renewing leases again"
        )
        self._paused = PausedQueues(self.database, self.alias)
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def offer(self, threads: int, queues: Sequence[str]) -> None:
        """Register as a worker that runs `threads` messages of these queues at once.

        Without a database just now, the heartbeat says it once there is one.
        """
        with self._lock:
            self._prepare()
            self._threads, self._queues = threads, list(queues)
            try:
                if not (self._name and self._describe()):
                    self._register()
            except Error as error:
                logger.warning("Could not register as a worker yet: %s", error)

    def _describe(self) -> bool:
        """Complete the row that a run has needed before the engine said it was up.

        Under another name, that run would lose its lease.
        """
        mine = Worker.objects.using(self.database).filter(
            name=self._name, lease_until__gt=Now()
        )
        return mine.update(threads=self._threads, queues=self._queues) > 0

    def take(self) -> str:
        """Return this process's name as a worker; register it the first time."""
        with self._lock:
            self._prepare()
            if not self._name:
                self._register()
            return self._name

    def _prepare(self) -> None:
        """Start the heartbeat, anew in a forked child."""
        if self._pid != os.getpid():
            self._forget()
        if self._thread is None:
            silence.start()
            self._thread = threading.Thread(
                target=self._keep,
                args=(self._stop,),
                name="switchyard-lease",
                daemon=True,
            )
            self._thread.start()

    def _register(self) -> None:
        name = f"{self.prefix}{os.getpid()}-{uuid4().hex[:8]}"
        Worker.objects.using(self.database).create(
            name=name,
            broker=self.alias,
            engine=self.engine,
            supervisor=os.environ.get(SUPERVISOR, ""),
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=self._queues,
            threads=self._threads,
            rss=psutil.Process().memory_info().rss,
            started_at=Now(),
            lease_until=runs.from_now(self.timing.lease),
        )
        self._name = name
        self._renewed = time.monotonic()

    def drop(self) -> None:
        """Sign off: nothing of this worker runs any more."""
        with self._lock:
            self._stop.set()
            name, thread = self._name, self._thread
            self._forget()
        if thread is not None:
            thread.join(LOOK_SECONDS)
        if name:
            Worker.objects.using(self.database).filter(name=name).delete()

    @contextmanager
    def active(self, run_id: UUID) -> Iterator[None]:
        """Note that this process has the run in hand."""
        call = object()
        self._active[call] = run_id
        self._started += 1
        self.handled += 1
        try:
            yield
        finally:
            self._active.pop(call, None)  # forgotten where the worker has signed off

    def is_paused(self, queue: str) -> bool:
        """Return True if messages of a queue wait as rows, as of a second or two ago.

        Once asked, the heartbeat keeps it fresh: no message waits for the database.
        """
        return self._paused.has(queue, kept_fresh=self._thread is not None)

    def in_hand(self) -> list[UUID]:
        """Return the runs that this process has, some of them as a mere copy."""
        return list(self._active.values())

    def is_idle(self) -> bool:
        """Return True if nothing runs here but what is stuck."""
        calls = Counter(self.in_hand())
        return all(number == (run in self.stuck) for run, number in calls.items())

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(min(LOOK_SECONDS, self.timing.heartbeat)):
            if not (self._due() or self._active or self._paused.matter):
                continue
            try:
                self._step(stop)
                self._outage.end()
            except Exception as error:  # its runs would be rescued while they run
                self._note(error)
        connections.close_all()

    def _step(self, stop: threading.Event) -> None:
        close_old_connections()
        wait_less(self.database, self.timing.heartbeat)
        if self._paused.matter:
            self._paused.read()
        with self._lock:
            if not stop.is_set():
                self._look()

    def _note(self, error: Exception) -> None:
        """Survive what kept this process from renewing its lease."""
        self._outage.begin(error, expected=isinstance(error, Error))
        with suppress(Error):
            connections[self.database].close()
        late = time.monotonic() - self._renewed > self.timing.lease
        # Whoever would rescue its runs waits for the same lock.
        if late and not is_locked(error):
            self._lost()

    def _due(self) -> bool:
        """Return True if it is time to renew, or to tell the relay of a new pace."""
        since = time.monotonic() - self._renewed
        faster = self._started > 2 * max(self._rate * since, self._threads)
        return not self._name or faster or since >= self.timing.heartbeat * 0.9

    def _look(self) -> None:
        if self._due():
            self._beat()
        if self._active and self._name:
            for run_id in runs.to_interrupt(self.database, self._name):
                self.interrupts.raise_in(run_id, Cancelled)

    def _beat(self) -> None:
        if not self._name:
            self._register()
            return
        since = time.monotonic() - self._renewed
        started, self._started = self._started, 0
        # Also if it has run out: nobody may have noticed, as on a database that stood.
        mine = Worker.objects.using(self.database).filter(name=self._name)
        self._rate = started / since
        renewed = mine.update(
            lease_until=runs.from_now(self.timing.lease),
            rate=self._rate,
            rss=psutil.Process().memory_info().rss,
        )
        if renewed:
            self._renewed = time.monotonic()
            runs.send_back_left(self.database, self._name, self.in_hand)
            self._stop_lost_bodies()
        else:
            self._lost()
            self._register()

    def _stop_lost_bodies(self) -> None:
        """Tell the bodies whose runs were given to another worker meanwhile."""
        keys = self.interrupts.keys()
        for run_id in runs.given_away(self.database, self._name, keys) if keys else ():
            if self.interrupts.raise_in(run_id, LeaseLost):
                logger.error("Lost the run %s to another worker.", run_id)

    def _lost(self) -> None:
        name, self._name = self._name, ""
        if name:
            count = self.interrupts.raise_in_all(LeaseLost)
            logger.error("Lost the lease of %s with %d runs in hand.", name, count)
