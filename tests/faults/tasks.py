"""Actors that misbehave, and one that only a newer release has."""

import ctypes
import os
import signal
import time

from django.db import connection

from core import actor, current_run
from tests.faults.settings import env

#: More than the processes of F19 may have.
TOO_MUCH = 8 * 2**30


@actor
def poison() -> None:
    """Kill the process in which it runs."""
    os.kill(os.getpid(), signal.SIGKILL)


@actor(max_retries=1, min_backoff=10, max_backoff=10)
def glutton() -> None:
    """Take more memory than there is."""
    bytearray(TOO_MUCH)


@actor
def hold() -> None:
    """Sleep with Python's lock in hand: no other thread of the process runs."""
    ctypes.PyDLL(None).sleep(3600)


@actor(max_retries=0)
def slow(seconds: float) -> None:
    """Take its time."""
    time.sleep(seconds)


@actor(max_retries=0)
def mark(number: int) -> None:
    """Take a moment, then leave a row: exactly one."""
    time.sleep(1)
    with current_run().atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO mark VALUES (%s)", [number])


@actor(schedulable=True)
def idle() -> None:
    """Do nothing: the run itself is the effect."""


@actor(max_retries=0)
def fails() -> None:
    """Fail."""
    raise RuntimeError("as it always does")


@actor(max_retries=0)
def breaks_until(file: str, number: int) -> None:
    """Fail until the file is there; then leave a row: exactly one."""
    if not os.path.exists(file):
        raise RuntimeError("not mended yet")
    with current_run().atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO mark VALUES (%s)", [number])


@actor(durable=False)
def jot(file: str, number: int) -> None:
    """Append a number to a file, in one write."""
    time.sleep(0.01)
    with open(file, "ab", buffering=0) as notes:
        notes.write(b"%d\n" % number)


if env.str("FAULTS_RELEASE", default="old") == "new":

    @actor(queue_name="default")
    def fresh() -> None:
        """Be unknown to those who run the old release."""
