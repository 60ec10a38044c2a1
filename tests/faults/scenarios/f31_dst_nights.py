"""Both nights on which clocks are set, 240 times as fast: the fires are the oracle's.

Real Celery Beat and real APScheduler, each alone with its schedules. Every slot is
decided by a tick at a time that the faked clock of its process shows; see `nights`.
"""

import statistics
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from tests.faults.nights import KINDS, RUNS, SENT, Night
from tests.faults.rig import Rig
from tests.faults.sizes import FULL, Size, lasting
from tests.schedules.oracle import Asked
from tests.schedules.walk import Walk

SIZE = Size(orders=1, few=1)
#: `celery beat` is Celery's own command, and nothing here goes to a broker's queue.
ENGINES, BROKERS = ("celery",), ("valkey",)
#: Zone and instant: clocks go an hour forward and back, and half an hour.
NIGHTS = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
]
RATE = lasting(240, 720)
BEFORE = timedelta(minutes=lasting(120, 60))
AFTER = timedelta(minutes=lasting(120, 45))
HALF_A_MINUTE = timedelta(seconds=30)
#: The last one is how far a driver has come.
ASKED = {
    "fixed": Asked("30 2 * * *"),
    "short gap": Asked("15 2 * * *"),
    "skip": Asked("15 2 * * *", dst="skip"),
    "twice": Asked("45 1,2 * * *", dst="twice"),
    "wild": Asked("*/15 * * * *"),
    "wild hour": Asked("*/20 2 * * *"),
    "range": Asked("50 0-4 * * *"),
    "midnight": Asked("0 0 * * *"),
    "minute": Asked("* * * * *"),
}


def run(rig: Rig) -> None:
    parties = [[(kind, *night) for kind in KINDS] for night in NIGHTS]
    if not FULL:  # each kind has one of the nights, at the same time
        parties = [[(kind, *night) for kind, night in zip(KINDS, NIGHTS, strict=False)]]
    late: list[float] = []
    for party in parties:
        late += pass_the_night(rig, party)
    rig.measured |= {"slots": len(late), "late_s": round(statistics.median(late), 1)}


def pass_the_night(rig: Rig, party: list[tuple[str, str, datetime]]) -> list[float]:
    """Have drivers live through it; return how late their fires were, by its clock."""
    start = {kind: set_at - BEFORE + HALF_A_MINUTE for kind, _, set_at in party}
    nights = {kind: Night(rig, f"{kind}-{at:%m-%d}") for kind, at in start.items()}
    for kind, tz, _ in party:
        nights[kind].make(start[kind], tz, ASKED)
    with ExitStack() as drivers:
        for kind, night in nights.items():
            drivers.callback(night.drive(kind, start[kind], RATE).end)
        for kind, tz, set_at in party:
            come = lambda k=kind, at=set_at: nights[k].has_come_to(at + AFTER)  # noqa: E731  # a condition
            rig.until(come, 150, f"{kind} comes through the night of {tz}")
    for kind, tz, set_at in party:
        fires_are_the_oracles(nights[kind], tz, start[kind], set_at + AFTER)
    return [
        (decided - slot).total_seconds()
        for night in nights.values()
        for _, slot, _, decided in night.fires()
    ]


def fires_are_the_oracles(
    night: Night, tz: str, start: datetime, end: datetime
) -> None:
    """Assert that each schedule has fired its slots, each once, each with a run."""
    fires = night.fires()
    assert {state for _, _, state, _ in fires} == {"fired"}
    assert night.books.number(SENT) == night.books.number(RUNS) == len(fires)
    walk = Walk(tz, start.replace(second=0), end + timedelta(minutes=1))
    for name, one in ASKED.items():
        mine = [slot for which, slot, _, _ in fires if which == name and slot <= end]
        assert mine == walk.slots(one, (start, end)), f"{night.name}: {name}"
