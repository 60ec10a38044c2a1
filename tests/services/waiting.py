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


def in_time(took: float, seconds: float, what: str) -> None:
    """Raise `TooLate` unless something took less than so many seconds.

    `TimeoutError`, if it took so much longer that it was in trouble, not late.
    """
    if took >= seconds:
        kind = TimeoutError if took > seconds + GRACE else TooLate
        raise kind(f"{what}: after {took:.1f} s, not within {seconds:g}")


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
        in_time(time.monotonic() - started, seconds, what or str(condition))
    return value
