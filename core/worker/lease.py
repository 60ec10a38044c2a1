"""The right of this process to speak for its runs: one row, renewed by one thread."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.db import DatabaseError, close_old_connections, connections
from django.db.models.functions import Now

from core import runs
from core.errors import LeaseLost
from core.models import Worker
from core.timing import Timing
from core.worker.interrupts import Interrupts

logger = logging.getLogger(__name__)

#: Set by the supervisor in its children, so that it can tell which rows are theirs.
SUPERVISOR = "SWITCHYARD_SUPERVISOR"


class Lease:
    """This process as a worker of one broker alias. Renewed in a forked child."""

    def __init__(self, alias: str, engine: str, database: str, timing: Timing) -> None:
        self.alias = alias
        self.engine = engine
        self.database = database
        self.timing = timing
        self.interrupts = Interrupts()
        self._lock = threading.Lock()
        self._pid = 0
        self._forget()

    def _forget(self) -> None:
        self.name = ""
        self._active: set[UUID] = set()
        self._started = 0
        self._stop = threading.Event()

    def take(self, slots: int = 0, queues: Sequence[str] = ()) -> str:
        """Return this process's name as a worker; register it the first time."""
        with self._lock:
            if self._pid != os.getpid():
                self._forget()
                self._pid = os.getpid()
            if not self.name:
                self._slots, self._queues = slots, list(queues)
                self._register()
                thread = threading.Thread(
                    target=self._keep, args=(self._stop,), daemon=True
                )
                thread.name = "switchyard-lease"
                thread.start()
            return self.name

    def _register(self) -> None:
        name = f"{self.engine}-{os.getpid()}-{uuid4().hex[:8]}"
        Worker.objects.using(self.database).create(
            name=name,
            broker=self.alias,
            engine=self.engine,
            supervisor=os.environ.get(SUPERVISOR, ""),
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=self._queues,
            slots=self._slots,
            started_at=Now(),
            lease_until=runs.later(self.timing.lease),
        )
        self.name = name
        self._renewed = time.monotonic()

    def drop(self) -> None:
        """Sign off: nothing of this worker runs any more."""
        with self._lock:
            self._stop.set()
            name, self.name = self.name, ""
            self._stop = threading.Event()
        Worker.objects.using(self.database).filter(name=name).delete()

    @contextmanager
    def active(self, run_id: UUID) -> Iterator[None]:
        """Note that this process has the run in hand."""
        self._active.add(run_id)
        self._started += 1
        try:
            yield
        finally:
            self._active.discard(run_id)

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(self.timing.heartbeat):
            try:
                close_old_connections()
                self._beat(stop)
            except DatabaseError as error:
                logger.warning("Could not renew the lease of %s: %s", self.name, error)
                if time.monotonic() - self._renewed > self.timing.lease:
                    self._lost()
        connections.close_all()

    def _beat(self, stop: threading.Event) -> None:
        since = time.monotonic() - self._renewed
        started, self._started = self._started, 0
        mine = Worker.objects.using(self.database).filter(
            name=self.name, lease_until__gt=Now()
        )
        renewed = mine.update(
            lease_until=runs.later(self.timing.lease), rate=started / since
        )
        if renewed:
            self._renewed = time.monotonic()
            runs.release(self.database, self.name, tuple(self._active))
        else:
            self._lost()
            with self._lock:
                if not stop.is_set():
                    self._register()

    def _lost(self) -> None:
        count = self.interrupts.raise_in_all(LeaseLost)
        logger.error("Lost the lease of %s with %d runs in hand.", self.name, count)
