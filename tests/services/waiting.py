"""Waiting for a condition, never for a while."""

import os
import time
from collections.abc import Callable
from typing import Any

#: Promised deadlines are asserted so many times as wide; `make faults` asserts them.
PATIENCE = float(os.environ.get("TEST_PATIENCE", "3"))
#: Between two looks at a condition, s.
PAUSE = 0.02


def wait_for(condition: Callable[[], Any], seconds: float = 20, what: str = "") -> Any:
    """Return the condition's first true value; raise `TimeoutError` if it is late."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what or condition}: not within {seconds} s")
        time.sleep(PAUSE)
    return value
