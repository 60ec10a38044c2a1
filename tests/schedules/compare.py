"""Where the registry's slots differ from the oracle's."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from core.triggers import Crontab
from tests.schedules.oracle import Asked, Matcher
from tests.schedules.walk import Walk, within

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Europe/London",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Santiago",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "Asia/Kolkata",
)
#: With more slots than that, some windows of the years are compared.
WHOLE = 3000
#: So many windows besides those around the transitions, with about so many slots each.
WINDOWS, SLOTS = 6, 120
MOMENT = timedelta(microseconds=1)

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Result:
    """What comparing one expression in one zone gave."""

    slots: int
    #: "zone, expression: slot, which only one of the two has"
    differences: list[str]


def compare(walk: Walk, tz: str, asked: Asked, last: datetime) -> Result:
    """Compare the whole of the walk, or windows of it, up to `last`."""
    minutes = walk.minutes_of(asked)
    count = len(minutes) * len(Matcher(asked).seconds)
    trigger = Crontab(asked.expr, tz, asked.day_match, asked.dst)
    differences, compared = [], 0
    for window in _windows(walk, count, last, asked.seed):
        mine = within(walk, asked, minutes, window)
        theirs = list(_slots(trigger, asked.seed, window))
        compared += len(mine)
        if mine != theirs:
            first = min(set(mine) ^ set(theirs), default="order")
            who = "oracle" if first in mine else "registry"
            differences.append(f"{tz} {asked}: {first} only in the {who}")
    return Result(compared, differences)


def _slots(trigger: Crontab, seed: str, window: Window) -> Iterator[datetime]:
    slots = trigger.slots(window[0] - MOMENT, seed)
    return takewhile(lambda slot: slot <= window[1], slots)


def _windows(walk: Walk, count: int, last: datetime, seed: str) -> Iterator[Window]:
    if count <= WHOLE:
        yield walk.first, last
        return
    span = last - walk.first
    width = max(timedelta(hours=2), min(span * SLOTS / count, timedelta(days=30)))
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    middles = [walk.first + span * chance.random() for _ in range(WINDOWS)]
    for middle in [*walk.transitions(), *middles]:
        middle = middle.replace(microsecond=0)
        width = width - timedelta(microseconds=width.microseconds)
        yield max(walk.first, middle - width), min(last, middle + width)
