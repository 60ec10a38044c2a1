"""Timing a loop of sends in a process of its own."""

import sys
import time
from collections.abc import Callable


def run(send: Callable[[], object]) -> None:
    """Send as often as the command line says; print the microseconds of one send."""
    count = int(sys.argv[1])
    send()  # imports, connections and declarations are not what is measured
    start = time.perf_counter()
    for _ in range(count - 1):
        send()
    print((time.perf_counter() - start) / (count - 1) * 1e6)
