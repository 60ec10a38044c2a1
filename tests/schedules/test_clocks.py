"""The two nights of a year on which clocks are set, one example each."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest

from core import crontab, every


def on(day: str, expr: str, tz: str, dst: str = "once") -> list[str]:
    """Return the slots of a day, and what the clocks show then."""
    trigger = crontab(expr, tz=tz, dst=dst)
    start = datetime.fromisoformat(day).replace(tzinfo=trigger.zone)
    end = start + timedelta(days=1)
    slots = trigger.slots(start.astimezone(UTC) - timedelta(seconds=1))
    return [
        slot.astimezone(trigger.zone).strftime("%H:%M%z")
        for slot in takewhile(lambda slot: slot < end.astimezone(UTC), slots)
    ]


@pytest.mark.parametrize(
    ("expr", "dst", "expected"),
    [
        ("30 2 * * *", "once", ["03:00+0200"]),
        ("0,30 2 * * *", "once", ["03:00+0200"]),
        ("0 2,3 * * *", "once", ["03:00+0200"]),
        ("30 2 * * *", "skip", []),
        ("30 2 * * *", "twice", ["03:00+0200"]),
        ("*/30 2 * * *", "once", []),
        ("0 1-4 * * *", "once", ["01:00+0100", "03:00+0200", "04:00+0200"]),
        (
            "15 */2 * 3 *",
            "once",
            [f"{h:02}:15+0{1 + (h > 2)}00" for h in range(0, 24, 2) if h != 2],
        ),
    ],
)
def test_clocks_are_set_forward(expr: str, dst: str, expected: list[str]) -> None:
    assert on("2026-03-29", expr, "Europe/Berlin", dst) == expected


@pytest.mark.parametrize(
    ("expr", "dst", "expected"),
    [
        ("30 2 * * *", "once", ["02:30+0200"]),
        ("30 2 * * *", "skip", ["02:30+0200"]),
        ("30 2 * * *", "twice", ["02:30+0200", "02:30+0100"]),
        (
            "0,30 2 * * *",
            "twice",
            ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"],
        ),
        (
            "*/30 2 * * *",
            "once",
            ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"],
        ),
    ],
)
def test_clocks_are_set_back(expr: str, dst: str, expected: list[str]) -> None:
    assert on("2026-10-25", expr, "Europe/Berlin", dst) == expected


@pytest.mark.parametrize(
    ("day", "tz", "expected"),
    [
        ("2026-04-24", "Africa/Cairo", ["01:00+0300"]),
        ("2026-09-06", "America/Santiago", ["01:00-0300"]),
        ("2026-03-29", "Europe/London", ["00:00+0000"]),
    ],
)
def test_skipped_midnight_fires_when_clocks_are_set(
    day: str, tz: str, expected: list[str]
) -> None:
    assert on(day, "0 0 * * *", tz) == expected


def test_midnight_job_comes_on_the_days_after_clocks_were_set_forward() -> None:
    slots = crontab("0 0 * * *", tz="America/Santiago").slots(
        datetime(2026, 9, 5, tzinfo=UTC)
    )
    days = [next(slots).isoformat()[:16] for _ in range(4)]
    assert days == [
        "2026-09-05T04:00",
        "2026-09-06T04:00",
        "2026-09-07T03:00",
        "2026-09-08T03:00",
    ]


def test_half_hour_clock_change_of_lord_howe_is_handled() -> None:
    assert on("2026-10-04", "15 2 * * *", "Australia/Lord_Howe") == ["02:30+1100"]
    assert on("2026-04-05", "45 1 * * *", "Australia/Lord_Howe", "twice") == [
        "01:45+1100",
        "01:45+1030",
    ]


def test_day_by_the_clocks_is_not_24_hours() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    day = every(days=1, anchor=datetime(2026, 1, 1, 9), tz="Europe/Berlin")  # noqa: DTZ001  # the clocks of its zone
    slots = day.slots(start)
    assert [next(slots).hour for _ in range(2)] == [7, 7]
    assert day.next(start - timedelta(hours=12)).hour == 8
    hours = every(
        hours=12, anchor=datetime(2026, 1, 1, 8, tzinfo=UTC), tz="Europe/Berlin"
    )
    assert [
        slot.hour for slot, _ in zip(hours.slots(start), range(3), strict=False)
    ] == [
        20,
        8,
        20,
    ]
