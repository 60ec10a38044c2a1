"""The worker processes of this host that may be hurt: proven to be what a row says."""

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from core.models import Worker
from core.worker.lease import SUPERVISOR

#: Wakes a process when its own standard input ends, also because we were killed.
WAKER = 'read line; kill -CONT "$1"'


@dataclass(frozen=True, slots=True)
class Victim:
    """A worker with its process."""

    worker: Worker
    process: psutil.Process


def victims(workers: Sequence[Worker]) -> list[Victim]:
    """Return those that run here, and that a supervisor starts again."""
    found = [(worker, _process(worker)) for worker in workers]
    return [Victim(worker, process) for worker, process in found if process]


def _process(worker: Worker) -> psutil.Process | None:
    """Return a worker's process; None unless it carries its supervisor's own mark.

    A row may be older than a restart of this host, and its pid somebody else's by now.
    A worker that no supervisor started has no mark: nobody would start it again.
    """
    if worker.host != socket.gethostname():
        return None
    try:
        process = psutil.Process(worker.pid)
        mark = process.environ().get(SUPERVISOR)
    except psutil.Error:  # it is gone, or another user's
        return None
    return process if mark == worker.supervisor else None


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """Keep a process from running; it goes on afterwards, whatever becomes of us."""
    waker = subprocess.Popen(  # noqa: S603  # our own line, and a number
        ["/bin/sh", "-c", WAKER, "waker", str(process.pid)],
        stdin=subprocess.PIPE,
        cwd=os.sep,
        start_new_session=True,  # a Ctrl-C is not for it
    )
    try:
        process.suspend()
        yield
    finally:
        waker.communicate()
