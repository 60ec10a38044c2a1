"""The parent of a worker's processes: starts them again, and keeps the alias going.

Stock Dramatiq stops the whole group when one child is killed; here the others go on.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from uuid import uuid4

from django.db import Error, connections

from core.models import Worker
from core.processes.child import Child
from core.processes.clock import Clock

logger = logging.getLogger(__name__)

#: A child that dies within this many seconds is started again after a growing pause.
YOUNG = 5.0
#: Seconds of the longest such pause.
LONGEST_PAUSE = 10.0
#: Seconds of silence after which a process is killed; more, if a lease is longer: until
#: then its runs are its own.
SILENT_SECONDS = 10.0
#: Seconds between two looks at the processes, and at whether to stop.
LOOK_SECONDS = 0.1
#: Processes for runs that must be alone, for each of the others.
LONE_PER_PROCESS = 2


@dataclass(slots=True)
class Replica:
    """A process that should be there; another is started when it dies."""

    child: Child | None = None
    start_at: float = 0.0
    pause: float = 0.25


class Supervisor:
    """Runs `processes` copies of `command` until SIGTERM or SIGINT."""

    def __init__(self, clock: Clock, command: Sequence[str], processes: int) -> None:
        self.clock = clock
        self.command = list(command)
        self.replicas = [Replica() for _ in range(processes)]
        #: Of runs that crashed their process; see `core.worker.alone`.
        self.lone: list[Child] = []
        #: Beyond their work; each ends when its last bodies have.
        self.retiring: list[Child] = []
        self.name = f"{os.getpid()}-{uuid4().hex[:8]}"
        #: A process that says nothing for that long, s, is killed.
        timing = clock.broker.timing
        self.longest_silence = max(SILENT_SECONDS, timing.lease + timing.heartbeat)
        # No Event: the signal may stop the very code that holds its lock.
        self._is_stopping = False

    def run(self) -> None:
        """Block until stopped; a second signal kills what still runs."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        self.clock.start()
        try:
            while not self._is_stopping:
                self._resize()
                for replica in self.replicas:
                    self._tend(replica)
                self._tend_lone()
                self._tend_retiring()
                self._kill_silent()
                time.sleep(LOOK_SECONDS)
        finally:
            self._end()
            self.clock.stop()

    def _told(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            self._signal(signal.SIGKILL)
        self._is_stopping = True

    def _tend(self, replica: Replica) -> None:
        now = time.monotonic()
        if replica.child is None:
            if now >= replica.start_at:
                self._fill(replica)
        elif replica.child.has_ended():
            self._empty(replica, replica.child, now)
        elif replica.child.is_retiring:
            child = replica.child
            logger.warning("Worker process %d retires: starting another.", child.pid)
            self.retiring.append(child)
            replica.child = None

    def _resize(self) -> None:
        """Have as many replicas as there should be; who leaves ends its work first."""
        scale = self.clock.autoscale
        if scale is None:
            return
        wanted = scale.wanted  # the clock's thread may change it meanwhile
        while len(self.replicas) < wanted:
            self.replicas.append(Replica())
        while len(self.replicas) > wanted:
            child = self.replicas.pop().child
            if child is not None and not child.has_ended():
                child.process.send_signal(signal.SIGTERM)
                self.retiring.append(child)

    def _tend_lone(self) -> None:
        for child in [one for one in self.lone if one.has_ended()]:
            self.lone.remove(child)
            if child.process.returncode:
                logger.error("A run killed its process, which it had to itself.")
            self._bury(child)
        most = LONE_PER_PROCESS * max(1, len(self.replicas))
        if len(self.lone) < min(self.clock.suspects, most):
            try:
                self.lone.append(Child([*self.command, "--alone"], self.name))
            except OSError as error:
                logger.error("Could not start a process: %s", error)

    def _tend_retiring(self) -> None:
        for child in [one for one in self.retiring if one.has_ended()]:
            self.retiring.remove(child)
            logger.info("Worker process %d has ended.", child.pid)
            self._bury(child)

    def _kill_silent(self) -> None:
        for child in self._processes():
            if child.is_silent(self.longest_silence) and not child.has_ended():
                logger.error(
                    "Killed process %d: it has said nothing for %.0f s. It is stopped,"
                    " or a body holds Python's lock.",
                    child.pid,
                    self.longest_silence,
                )
                child.process.kill()

    def _fill(self, replica: Replica) -> None:
        try:
            replica.child = Child(self.command, self.name)
        except OSError as error:  # no memory, no process ids: not for ever
            logger.error("Could not start a worker process: %s", error)
            replica.start_at = time.monotonic() + LONGEST_PAUSE

    def _empty(self, replica: Replica, child: Child, now: float) -> None:
        young = now - child.started_at < YOUNG
        replica.pause = min(replica.pause * 2, LONGEST_PAUSE) if young else 0.25
        replica.start_at = now + (replica.pause if young else 0)
        replica.child = None
        logger.error(
            "Worker process %d ended with %d; starting another.",
            child.pid,
            child.process.returncode,
        )
        self._bury(child)

    def _bury(self, child: Child) -> None:
        child.forget()
        self._sign_off(child.pid)

    def _sign_off(self, pid: int) -> None:
        """Take the dead child's lease away, so that its runs need not wait for it."""
        database = self.clock.broker.database
        try:
            Worker.objects.using(database).filter(
                supervisor=self.name, pid=pid
            ).delete()
        except Error:
            connections[database].close()
            logger.warning("Left the lease of process %d to run out.", pid)
        self.clock.rescue_now()

    def _processes(self) -> list[Child]:
        running = [replica.child for replica in self.replicas if replica.child]
        return running + self.lone + self.retiring

    def _signal(self, number: int) -> None:
        for child in self._processes():
            if not child.has_ended():
                child.process.send_signal(number)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self.clock.broker.timing.stop
        for child in self._processes():
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.error("Killed process %d: it did not stop.", child.pid)
                child.process.kill()
                child.process.wait()
                self._sign_off(child.pid)
