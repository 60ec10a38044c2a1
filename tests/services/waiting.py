"""Waiting for a condition, never for a while."""

import time
from collections.abc import Callable

#: Between two looks at a condition, s.
PAUSE = 0.02


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return when `condition` is true; raise `TimeoutError` naming `what` if late."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(PAUSE)
