"""What a cron expression may be, what it means, and where a mistake is."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from core import InvalidTrigger, crontab

START = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)


def slots(expr: str, number: int = 40, seed: str = "", **more: str) -> list[datetime]:
    return list(islice(crontab(expr, **more).slots(START, seed), number))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("  0   9\t* * *\n", "0 9 * * *"),
        ("@Daily", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 JAN *"),
        ("0 0 9 * * *", "0 9 * * *"),
        ("0 9 ? * 7", "0 9 * * 0"),
        ("0 9 * * fri-MON", "0 9 * * 5,6,0,1"),
        ("0 9 * * 5-7", "0 9 * * 5,6,7"),
        ("0 9 * * 0-7", "0 9 * * *"),
        ("0 22-2 * * *", "0 22,23,0,1,2 * * *"),
        ("0 0 29-2 * *", "0 0 29,30,31,1,2 * *"),
        ("0 0 1 nov-feb *", "0 0 1 11,12,1,2 *"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        ("50/20 * * * *", "50 * * * *"),
        ("*/25 * * * *", "0,25,50 * * * *"),
        ("10-40/15 * * * *", "10,25,40 * * * *"),
        ("0 22-3/2 * * *", "0 22,0,2 * * *"),
        ("0 0 * * */2", "0 0 * * 0,2,4,6"),
        ("1,5-6,*/30 * * * *", "0,1,5,6,30 * * * *"),
        ("*/5 2 * * *", "0-59/5 2 * * *"),
    ],
)
def test_two_ways_of_writing_the_same(one: str, other: str) -> None:
    assert slots(one) == slots(other)


@pytest.mark.parametrize(
    ("expr", "days"),
    [
        ("0 0 L * *", ["01-31", "02-28", "03-31"]),
        ("0 0 * * friL", ["01-30", "02-27", "03-27"]),
        ("0 0 * * 5L", ["01-30", "02-27", "03-27"]),
        ("0 0 * * 0L", ["01-25", "02-22", "03-29"]),
        ("0 0 * * mon#2", ["01-12", "02-09", "03-09"]),
        ("0 0 * * 4#5", ["01-29", "04-30", "07-30"]),
        ("0 0 1W * *", ["01-01", "02-02", "03-02"]),  # 1 February is a Sunday
        ("0 0 1W 8 *", ["08-03"]),  # 1 August is a Saturday
        ("0 0 31W * *", ["01-30", "03-31", "05-29"]),  # 31 January is a Saturday
        ("0 0 15W 8 *", ["08-14"]),  # a Saturday
        ("0 0 L,15 2 *", ["02-15", "02-28"]),
    ],
)
def test_days_relative_to_the_month_are_found(expr: str, days: list[str]) -> None:
    assert [f"{slot:%m-%d}" for slot in slots(expr, len(days))] == days


def test_day_and_weekday_both_restricted_mean_what_is_said() -> None:
    both = slots("0 0 13 * FRI", 2, day_match="and")
    assert [f"{slot:%m-%d}" for slot in both] == ["02-13", "03-13"]
    either = slots("0 0 13 * FRI", 3, day_match="or")
    assert [f"{slot:%m-%d}" for slot in either] == ["01-02", "01-09", "01-13"]


def test_hash_is_stable_and_spreads_names() -> None:
    hours = {slots("H H * * *", 1, seed=f"report-{n}")[0] for n in range(200)}
    assert len(hours) > 150
    assert slots("H H H * *", 3, seed="a") == slots("H H H * *", 3, seed="a")
    assert all(slot.day <= 28 for slot in slots("0 0 H * *", 24, seed="b"))


@pytest.mark.parametrize(
    ("expr", "position", "says"),
    [
        ("", 1, "0 fields"),
        ("0 0 * *", 8, "4 fields"),
        ("0 0 * * * * *", 13, "7 fields"),
        ("60 * * * *", 1, "minute (0-59)"),
        ("0 24 * * *", 3, "hour (0-23)"),
        ("0 0 0 * *", 5, "day (1-31)"),
        ("0 0 1 13 *", 7, "month (1-12)"),
        ("0 0 * * 8", 9, "weekday (0-7)"),
        ("0 1,9-99 * * *", 7, "99"),
        ("0 0 * FOO *", 7, "FOO"),
        ("0 0 * JANUARY *", 7, "JANUARY"),
        ("*/60 * * * *", 3, "larger"),
        ("0 */24 * * *", 5, "larger"),
        ("0 0 */31 * *", 7, "larger"),
        ("0 0 * * 1-5/7", 13, "larger"),
        ("*/0 * * * *", 3, "at least 1"),
        ("5/ * * * *", 3, "at least 1"),
        ("5/x * * * *", 3, "at least 1"),
        ("1- * * * *", 3, "nothing that minute"),
        ("1,,2 * * * *", 3, "nothing that minute"),
        ("*-5 * * * *", 1, "nothing that minute"),
        ("-5 * * * *", 1, "nothing that minute"),
        ("? * * * *", 1, "nothing that minute"),
        ("H/5 * * * *", 1, "nothing that minute"),
        ("٣ * * * *", 1, "nothing that minute"),
        ("0 0 * * L", 9, "nothing that weekday"),
        ("0 0 LW * *", 5, "nothing that day"),
        ("0 0 32W * *", 5, "day (1-31)"),
        ("0 0 * * MON#6", 13, "1 to 5"),
        ("0 0 * * MON#", 13, "1 to 5"),
        ("@reboot", 1, "none of"),
        ("@daily *", 9, "2 fields"),
        ("0 0 30 2 *", 5, "never comes"),
        ("0 0 30W FEB *", 5, "never comes"),
        ("0 0 31 4,6,9,11 *", 5, "never comes"),
        ("0 0 1 * MON", 5, "day_match"),
        ("0 0 */2 * 1-7", 5, "day_match"),
        ("0," * 300, 501, "500"),
        ("9" * 300 + " * * * *", 1, "not in minute"),
    ],
)
def test_bad_expression_is_refused_with_its_position(
    expr: str, position: int, says: str
) -> None:
    with pytest.raises(InvalidTrigger) as caught:
        crontab(expr)
    assert caught.value.position == position
    assert says in str(caught.value)


def test_date_that_can_never_match_is_refused() -> None:
    with pytest.raises(InvalidTrigger, match="never comes"):
        crontab("0 0 1 * MON#2", day_match="and")
    assert slots("0 0 1 * MON#2", 1, day_match="or")


def test_rare_date_comes() -> None:
    found = crontab("0 0 29 2 MON", day_match="and").next(
        datetime(2097, 1, 1, tzinfo=UTC)
    )
    assert found == datetime(2112, 2, 29, tzinfo=UTC)


def test_calendar_ends() -> None:
    assert crontab("0 0 1 1 *").next(datetime(9998, 6, 1, tzinfo=UTC)) is None
