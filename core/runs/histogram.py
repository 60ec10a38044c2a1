"""Durations counted in fixed buckets, and what a share of them stayed under.

A bucket reaches from one bound to the next, half as far again as the one before: a
percentile is off by less than that. Only buckets that hold something are kept.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

#: Each bound is this many times the one before.
FACTOR = 1.5
#: The upper bounds in ms: 1 ms to about two days. What takes longer is in one more.
BOUNDS = tuple(round(FACTOR**power, 3) for power in range(48))

#: The count of each bucket, by its number as a string (as in JSON).
Buckets = Mapping[str, int]


def added(several: Iterable[Buckets]) -> dict[str, int]:
    """Return what several histograms hold together."""
    total: Counter[str] = Counter()
    for buckets in several:
        total.update(buckets)
    return dict(total)


def percentile(buckets: Buckets, share: float) -> float | None:
    """Return under how many seconds this share (0 to 1) stayed; None: there is nothing.

    Within a bucket they are taken to lie evenly.
    """
    total = sum(buckets.values())
    if not total:
        return None
    wanted, seen = math.ceil(share * total), 0
    for number in sorted(map(int, buckets)):
        count = buckets[str(number)]
        if seen + count >= wanted:
            return _within(number, (wanted - seen) / count)
        seen += count
    raise AssertionError("a share of more than all")


def _within(number: int, part: float) -> float:
    low = BOUNDS[number - 1] if number else 0.0
    high = BOUNDS[number] if number < len(BOUNDS) else low * FACTOR
    return (low + (high - low) * part) / 1000
