"""Taking messages as Dramatiq's worker does, without its threads."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from dramatiq import Consumer, MessageProxy

from tests.services.waiting import PATIENCE, in_time


def take(consumer: Consumer, seconds: float = 20) -> MessageProxy:
    """Return the next good message."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = next(consumer)
        if message is not None:
            return message
    raise AssertionError(f"no message within {seconds} s")


@contextmanager
def faster_than(seconds: float) -> Iterator[None]:
    """Fail if the block took PATIENCE times as long, or longer."""
    start = time.monotonic()
    yield
    in_time(time.monotonic() - start, seconds * PATIENCE, "the block")
