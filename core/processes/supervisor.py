"""The parent of a worker's processes: starts them again, and keeps the alias going.

Stock Dramatiq stops the whole group when one child is killed; here the others go on.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from uuid import uuid4

from django.db import Error, connections

from core.models import Worker
from core.processes.keeper import Keeper
from core.worker.lease import SUPERVISOR

logger = logging.getLogger(__name__)

#: A child that dies younger than this is started again after a growing pause, s.
YOUNG = 5.0
#: The longest such pause, s.
LONGEST_PAUSE = 10.0
#: For each process so many more may be started, for runs that must be alone.
LONE_PER_PROCESS = 2


@dataclass(slots=True)
class Child:
    """One place for a process, which is filled again when the process dies."""

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = 0.25


class Supervisor:
    """Runs `processes` copies of `command` until SIGTERM or SIGINT."""

    def __init__(self, keeper: Keeper, command: Sequence[str], processes: int) -> None:
        self.keeper = keeper
        self.command = list(command)
        self.children = [Child() for _ in range(processes)]
        #: Of runs that crashed their process; see `core.worker.alone`.
        self.lone: list[subprocess.Popen[bytes]] = []
        self.name = f"{os.getpid()}-{uuid4().hex[:8]}"
        self._stop = threading.Event()

    def run(self) -> None:
        """Block until stopped; a second signal kills what still runs."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        self.keeper.start()
        try:
            while not self._stop.is_set():
                for child in self.children:
                    self._tend(child)
                self._tend_lone()
                self._stop.wait(0.1)
        finally:
            self._end()
            self.keeper.stop()

    def _told(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():
            self._signal(signal.SIGKILL)
        self._stop.set()

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
        elif child.process.poll() is not None:
            self._bury(child, child.process, now)

    def _tend_lone(self) -> None:
        for process in [one for one in self.lone if one.poll() is not None]:
            self.lone.remove(process)
            if process.returncode:
                logger.error("A run killed its process, which it had to itself.")
            self._sign_off(process.pid)
        most = LONE_PER_PROCESS * max(1, len(self.children))
        if len(self.lone) < min(self.keeper.suspects, most):
            try:
                self.lone.append(self._spawn([*self.command, "--alone"]))
            except OSError as error:
                logger.error("Could not start a process: %s", error)

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  # our own command line
            command,
            env={**os.environ, SUPERVISOR: self.name},
            # A Ctrl-C in the terminal reaches us alone: a second signal kills.
            start_new_session=True,
        )

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        try:
            child.process = self._spawn(self.command)
        except OSError as error:  # no memory, no process ids: not for ever
            logger.error("Could not start a worker process: %s", error)
            child.start_at = child.started_at + LONGEST_PAUSE

    def _bury(self, child: Child, process: subprocess.Popen[bytes], now: float) -> None:
        young = now - child.started_at < YOUNG
        child.pause = min(child.pause * 2, LONGEST_PAUSE) if young else 0.25
        child.start_at = now + (child.pause if young else 0)
        child.process = None
        logger.error(
            "Worker process %d ended with %d; starting another.",
            process.pid,
            process.returncode,
        )
        self._sign_off(process.pid)

    def _sign_off(self, pid: int) -> None:
        """Take the dead child's lease away, so that its runs need not wait for it."""
        database = self.keeper.outbox.database
        try:
            Worker.objects.using(database).filter(
                supervisor=self.name, pid=pid
            ).delete()
        except Error:
            connections[database].close()
            logger.warning("Left the lease of process %d to run out.", pid)
        self.keeper.rescue_now()

    def _processes(self) -> "list[subprocess.Popen[bytes]]":
        started = [child.process for child in self.children if child.process]
        return started + self.lone

    def _signal(self, number: int) -> None:
        for process in self._processes():
            if process.poll() is None:
                process.send_signal(number)

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self.keeper.outbox.timing.stop
        for process in self._processes():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.error("Killed process %d: it did not stop.", process.pid)
                process.kill()
                process.wait()
                self._sign_off(process.pid)
