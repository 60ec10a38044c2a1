"""A sample of `python -m tests.schedules`, and the oracle itself."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.schedules.compare import ZONES, compare
from tests.schedules.expressions import expressions
from tests.schedules.oracle import Asked
from tests.schedules.walk import Walk


def days(first: str, number: int) -> tuple[datetime, datetime]:
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return start, start + timedelta(days=number)


@pytest.mark.parametrize(
    ("tz", "first"),
    [
        ("Australia/Lord_Howe", "2026-03-15"),
        ("Africa/Cairo", "2026-04-10"),
        ("America/Santiago", "2026-08-20"),
        ("Antarctica/Troll", "2026-10-10"),
    ],
)
def test_registry_equals_the_oracle(tz: str, first: str) -> None:
    start, beyond = days(first, 40)
    walk = Walk(tz, start, beyond)
    results = [
        compare(walk, tz, asked, beyond - timedelta(seconds=1))
        for asked in expressions(int(first[5:7]), 40)
    ]
    assert [one for result in results for one in result.differences] == []
    assert sum(result.slots for result in results) > 1000
    assert len(walk.transitions()) == 1


def test_oracle_covers_the_night_of_a_clock_change() -> None:
    window = days("2026-03-28", 3)
    walk = Walk("Europe/Berlin", *window)
    (slot,) = walk.slots(Asked("30 2 29 * *"), window)
    assert slot == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert walk.transitions() == [slot]


def test_zones_are_those_of_the_rule() -> None:
    assert len(set(ZONES)) == 10
