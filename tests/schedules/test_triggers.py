"""Intervals, single moments, and what all triggers share."""

import datetime as datetime_module
import json
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core import InvalidTrigger, at, crontab, every, solar
from core.triggers import Every, Timetable, read, version

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 1, 12, 34, 56, 789, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TRIGGERS = [
    crontab("0 0 * * *", tz="Asia/Shanghai"),
    crontab("0 0 13 * FRI", day_match="and", dst="skip"),
    every(hours=1),
    every(seconds=1.5),
    every(
        timedelta(days=2),
        anchor=datetime(2026, 1, 1, 8, tzinfo=UTC),
        tz="Europe/Berlin",
    ),
    at(datetime(2026, 12, 24, 18, tzinfo=BERLIN), deadline=timedelta(hours=1)),
    at(datetime(2026, 12, 24, 18, tzinfo=UTC)),
    solar("sunset", 52.52, 13.40),
    solar("dawn_nautical", -33.9, 151.2, tz="Australia/Sydney"),
]


@pytest.mark.parametrize("trigger", TRIGGERS, ids=str)
def test_trigger_comes_back_from_json(trigger: object) -> None:
    assert read(json.loads(json.dumps(trigger.asdict()))) == trigger


@pytest.mark.parametrize("trigger", TRIGGERS, ids=str)
def test_trigger_reads_as_it_was_written(trigger: object) -> None:
    names = {"datetime": datetime_module, "zoneinfo": zoneinfo}
    names |= {"crontab": crontab, "every": every, "at": at, "solar": solar}
    assert eval(str(trigger), names) == trigger  # noqa: S307  # what we wrote ourselves


def test_short_ones_read_short() -> None:
    assert str(crontab("0 0 * * *", tz="Asia/Shanghai")) == (
        'crontab("0 0 * * *", tz="Asia/Shanghai")'
    )
    assert str(every(timedelta(minutes=90))) == "every(minutes=90)"
    assert str(solar("sunset", 52.52, 13.40)) == 'solar("sunset", 52.52, 13.4)'


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (
            crontab("30 2 * * MON", tz="Europe/Berlin"),
            "At 02:30, only on Monday, Europe/Berlin",
        ),
        (crontab("@daily"), "At 00:00, UTC"),
        (crontab("5 H * * *"), "5 H * * *, UTC"),
        (
            crontab("0 0 13 * FRI", day_match="or"),
            "At 00:00, on day 13 of the month, or on Friday (either is enough), UTC",
        ),
        (every(hours=1), "Every hour"),
        (every(days=3), "Every 3 days at 00:00, UTC"),
        (
            at(datetime(2026, 12, 24, 18, tzinfo=BERLIN)),
            "Once, 2026-12-24 18:00, Europe/Berlin",
        ),
        (solar("dusk_civil", 52.52, 13.40), "At dusk civil at 52.52, 13.4"),
    ],
)
def test_trigger_is_described_in_words(trigger: object, words: str) -> None:
    assert trigger.words() == words


def test_description_shows_the_hashed_time_of_a_name() -> None:
    slot = crontab("0 H * * *").next(NOW, "nightly")
    assert f"At {slot:%H}:00" in crontab("0 H * * *").words("nightly")


def test_interval_counts_from_its_anchor() -> None:
    trigger = every(minutes=7, anchor=datetime(2026, 1, 1, tzinfo=UTC))
    anchor, seconds = datetime(2026, 1, 1, tzinfo=UTC), 7 * 60
    late = NOW
    for slot in islice(trigger.slots(NOW), 50):
        assert (slot - anchor).total_seconds() % seconds == 0
        assert trigger.next(late) == slot
        late = slot + timedelta(seconds=100)  # somebody who comes late


def test_interval_goes_back_before_its_anchor() -> None:
    trigger = every(hours=6, anchor=datetime(2030, 1, 1, 3, tzinfo=UTC))
    assert trigger.next(NOW) == datetime(2026, 5, 1, 15, tzinfo=UTC)


def test_week_begins_on_monday_and_a_day_at_midnight() -> None:
    assert every(weeks=1).next(NOW) == datetime(2026, 5, 4, tzinfo=UTC)
    assert (
        every(days=1, tz="Asia/Kolkata")
        .next(NOW)
        .astimezone(ZoneInfo("Asia/Kolkata"))
        .hour
        == 0
    )


def test_moment_comes_once() -> None:
    trigger = at(datetime(2026, 12, 24, 18, tzinfo=BERLIN))
    assert list(trigger.slots(NOW)) == [datetime(2026, 12, 24, 17, tzinfo=UTC)]
    assert trigger.next(datetime(2026, 12, 24, 17, tzinfo=UTC)) is None


def test_moment_that_the_clocks_skip_comes_when_they_are_set() -> None:
    trigger = at(datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN))
    assert trigger.next(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_moment_in_the_second_pass_of_an_hour_stays_there() -> None:
    second = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    assert at(second).next(NOW) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: crontab("0 0 * * *", tz="Europe/Atlantis"), "no time zone"),
        (lambda: crontab("0 0 * * *", tz="../etc/passwd"), "no time zone"),
        (lambda: crontab("0 0 * * *", tz="Europe"), "no time zone"),
        (lambda: crontab("0 0 * * *", dst="maybe"), "dst"),
        (lambda: crontab("0 0 * * *", day_match="xor"), "day_match"),
        (lambda: crontab(5), "string"),
        (lambda: every(timedelta(0)), "at least a second"),
        (lambda: every(seconds=0.01), "at least a second"),
        (lambda: every(days=-1), "at least a second"),
        (lambda: every(), "give a timedelta"),
        (lambda: every(timedelta(hours=1), hours=1), "give a timedelta"),
        (lambda: every(fortnights=1), "fortnights"),
        (lambda: every(5), "timedelta"),
        (lambda: at(datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001  # on purpose
        (lambda: at(NOW, deadline=NOW - timedelta(days=1)), "before the moment"),
        (lambda: solar("moonrise", 0, 0), "none of"),
        (lambda: solar("sunset", 90, 0), "latitude"),
        (lambda: solar("sunset", 0, 181), "longitude"),
        (lambda: solar("sunset", float("nan"), 0), "latitude"),
        (lambda: read({"kind": "lunar"}), "kind"),
        (lambda: read({"kind": "crontab"}), "expr"),
        (lambda: read({"kind": "every", "seconds": "x"}), "every"),
        (lambda: read({"kind": "crontab", "expr": "0 0 * * *", "x": 1}), "x"),
    ],
)
def test_bad_trigger_is_refused(make: object, says: str) -> None:
    with pytest.raises(InvalidTrigger, match=says):
        make()


def test_slots_are_computed_when_they_are_asked_for() -> None:
    endless = crontab("* * * * * *").slots(NOW)
    assert len(list(islice(endless, 3))) == 3


class Counted(Every):
    """A trigger that counts how often it is asked."""

    asked = 0

    def next(self, after: datetime, seed: str = "") -> datetime | None:
        type(self).asked += 1
        return super().next(after, seed)


def test_excluded_dates_are_jumped_over_and_not_walked_through() -> None:
    first = NOW.date()
    days = frozenset(first + timedelta(days=n) for n in range(10))
    table = Timetable(Counted(1.0), excluded=days)
    assert table.next(NOW) == datetime(2026, 5, 11, tzinfo=UTC)
    assert Counted.asked <= 11


@pytest.mark.parametrize("most", [3, 10, 50, 5000])
@pytest.mark.parametrize("expr", ["* 9-17 1 5 *", "*/10 * * * *", "0 0 1 * *"])
def test_newest_slots_are_found_wherever_they_are(expr: str, most: int) -> None:
    table = Timetable(crontab(expr))
    until = NOW + timedelta(days=200, hours=3)
    slots = list(takewhile(lambda slot: slot <= until, table.slots(NOW)))
    found, first, beyond = table.newest(NOW, until, most)
    assert beyond == table.next(until)
    if len(slots) <= most:
        assert (found, first) == (slots, None)
    else:
        assert (found, first) == (slots[-len(found) :], slots[0])
        assert most // 2 < len(found) <= most


def test_version_of_the_zone_database_is_known() -> None:
    assert re.fullmatch(r"20\d\d[a-z]|\d{4}-\d\d-\d\dT.*", version())


def test_only_core_computes_slots() -> None:
    # Celery and APScheduler read cron differently from us, and from each other. An
    # import asks Celery what it has fired so far; that fires nothing.
    asking = ROOT / "backends" / "celery" / "importing"
    foreign = re.compile(r"celery\.schedules|apscheduler\.triggers\.(?!base)")
    code = [
        path
        for room in ("core", "backends", "shop", "project", "settings")
        for path in (ROOT / room).rglob("*.py")
    ]
    users = {path.parent for path in code if foreign.search(path.read_text())}
    assert users == {asking}
    assert len(code) > 100
