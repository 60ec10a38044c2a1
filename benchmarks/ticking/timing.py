"""What every scheduler is asked for, timed alike; the figures go out as JSON.

idle_ms   a tick when nothing is due
due_s     all of the schedules due at once, until each has been sent
edit_ms   from one edit until the scheduler goes by it
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

#: So many are timed of what takes little.
IDLE_TICKS, EDITS = 100, 10
#: Who has not sent all after that is told by how far it has come, s.
PATIENCE = 20


def count() -> int:
    """Return for how many schedules the command line asks."""
    return int(sys.argv[1])


def median_ms(step: Callable[[], object], times: int) -> float:
    """Return the median of how long a step takes."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        step()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def due_s(step: Callable[[], object], sent: Callable[[], int]) -> dict[str, float]:
    """Take steps until all are sent; return the seconds, and how many were sent."""
    start = time.perf_counter()
    while sent() < count() and time.perf_counter() - start < PATIENCE:
        step()
    seconds = time.perf_counter() - start
    return {"due_s": seconds * count() / max(1, sent()), "sent": sent()}


def tell(**figures: float | None) -> None:
    """Print what was measured."""
    print(json.dumps(figures))
