"""python -m tests.schedules: the registry's slots are those of the oracle.

500 random expressions in ten zones, 2026 to 2030; about ten minutes.
"""

import argparse
import time
from datetime import timedelta

from tests.schedules.compare import ZONES, compare
from tests.schedules.expressions import expressions
from tests.schedules.walk import Walk, years


def main() -> int:
    """Compare; print what differs and the figures; return how many differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.schedules")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--number", type=int, default=500)
    given = parser.parse_args()
    asked, start = expressions(given.seed, given.number), time.perf_counter()
    first, beyond = years(2026, 2030)
    slots = wrong = 0
    for tz in ZONES:
        walk = Walk(tz, first, beyond)
        for one in asked:
            result = compare(walk, tz, one, beyond - timedelta(seconds=1))
            slots += result.slots
            wrong += bool(result.differences)
            for difference in result.differences[:1]:
                print(difference)  # noqa: T201  # a command
        seconds = time.perf_counter() - start
        print(f"{tz}: {slots:,} slots so far, {wrong} differ, {seconds:.0f} s")  # noqa: T201  # a command
    return wrong


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
