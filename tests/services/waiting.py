"""Waiting for a condition, never for a while."""

import os
import time
from collections.abc import Callable
from typing import Any

#: Promised deadlines are asserted so many times as wide; `make faults` asserts them.
PATIENCE = float(os.environ.get("TEST_PATIENCE", "3"))
#: Seconds between two looks at a condition.
PAUSE = 0.02
#: Seconds after a deadline in which what comes is late, and not missing.
GRACE = 60.0


class TooLate(TimeoutError):
    """The condition became true, but after its deadline: see `lateness`."""


def wait_for(
    condition: Callable[[], Any],
    seconds: float = 20,
    what: str = "",
    *,
    grace: float = GRACE,
) -> Any:
    """Return the condition's first true value.

    Raises `TooLate` if that comes after `seconds`, and `TimeoutError` if it has not
    come `grace` seconds later either.
    """
    started, late = time.monotonic(), False
    while not (value := condition()):
        waited = time.monotonic() - started
        late = waited > seconds
        if waited > seconds + grace:
            raise TimeoutError(f"{what or condition}: not within {waited:.0f} s")
        time.sleep(PAUSE)
    if late:
        took = time.monotonic() - started
        raise TooLate(f"{what or condition}: after {took:.1f} s, not within {seconds}")
    return value
