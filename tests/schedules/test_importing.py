"""django-celery-beat's tables become schedules of ours, and what changes is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from backends.celery.importing import find
from core.models import Schedule
from core.schedules import plan, tick
from core.triggers import at, every, solar
from tests.schedules.importing import ask, changes, only, planned
from tests.schedules.old_tables import add, tables
from tests.schedules.rows import NOON, echo, fired

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database,
    pytest.mark.usefixtures("_tables"),
]
ECHO = echo.actor_name
BEAT = "tests.schedules.old_project:BEAT"
BERLIN = {"timezone": "Europe/Berlin"}


@pytest.fixture
def _tables(db: None) -> Iterator[None]:
    with tables():
        yield


def test_crontab_of_the_tables_keeps_its_own_zone() -> None:
    add("nightly", ECHO, "crontab", {"minute": "30", "hour": "2", **BERLIN})
    assert only().trigger == 'crontab("30 2 * * *", tz="Europe/Berlin")'
    assert changes(only()) == (["2027-03-28 01:30"], ["2027-03-28 01:00"])


def test_interval_of_the_tables_is_counted_from_its_last_run() -> None:
    last = datetime(2026, 4, 30, 7, 12, 3, 456, tzinfo=UTC)
    add("hourly", ECHO, "interval", last_run_at=last)
    slot = every(hours=1, anchor=last.replace(microsecond=0)).next(NOON)
    row = only().row
    assert row is not None
    assert row.when.next(NOON) == slot == datetime(2026, 5, 1, 12, 12, 3, tzinfo=UTC)
    assert changes(only()) == ([], [])
    assert "counts from its last run" in only().notes[0]


def test_arguments_options_and_bounds_are_kept() -> None:
    end = datetime(2026, 5, 3, tzinfo=UTC)
    add(
        *("kept", ECHO, "crontab"),
        args=["hello"],
        queue="quiet",
        expire_seconds=60,
        expires=end,
        last_run_at=NOON,
        start_time=NOON,
    )
    row = only().row
    assert row is not None
    assert (row.args, row.options) == (
        ["hello"],
        {"queue_name": "quiet", "max_age": 60_000},
    )
    assert list(row.timetable(row.said).slots(NOON)) == [end - timedelta(days=1)]
    assert changes(only()) == ([], [])


def test_start_at_which_celery_believes_to_have_missed_a_run_is_told() -> None:
    start = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
    add("later", ECHO, "crontab", start_time=start)
    assert changes(only()) == (["2026-05-03 09:30"], [])


def test_queue_that_no_actor_has_is_left_out_and_told() -> None:
    add("lost", ECHO, "crontab", queue="celery", priority=3, headers={"a": 1})
    found = only()
    assert found.row is not None
    assert found.row.options == {}
    told = "\n".join(found.notes)
    assert "no actor has the queue 'celery'" in told
    assert "priority 3 is left out" in told
    assert "headers" in told


def test_disabled_is_paused_and_what_ran_once_fires_once() -> None:
    add("off", ECHO, "crontab", enabled=False)
    add("once", ECHO, "interval", one_off=True, last_run_at=NOON)
    add("done", ECHO, "interval", one_off=True, total_run_count=1)
    found = planned()
    assert (found["off"].paused, found["done"].why) == (
        True,
        "It was to run once, and has.",
    )
    assert changes(found["once"]) == ([], [])
    assert found["once"].row is not None
    assert found["once"].row.max_fires == 1


def test_clocked_moment_that_was_missed_still_fires_once() -> None:
    add("soon", ECHO, "clocked", {"clocked_time": NOON}, one_off=True)
    over = {"clocked_time": NOON}
    add("over", ECHO, "clocked", over, one_off=True, enabled=False)
    assert planned()["over"].why == "It was for 2026-05-01 12:00 UTC, and is off."
    ask()
    row = Schedule.objects.get()
    assert (row.name, row.when) == ("soon", at(NOON))
    assert [tick().fired, tick().fired] == [1, 0]
    assert fired(row) == ["12:00:00"]


def test_sun_schedule_is_imported_and_marked_as_not_compared() -> None:
    add("evening", ECHO, "solar")
    row = only().row
    assert row is not None
    assert row.when == solar("sunset", 52.52, 13.4)
    assert only().comparison is None or only().comparison.is_same


def test_unreadable_rows_are_refused_and_the_rest_imported() -> None:
    add("args", ECHO, "crontab", args="[1")
    add("field", ECHO, "crontab", {"minute": "61"})
    add("gone", ECHO, "crontab", crontab_id=999)
    add("zone", ECHO, "crontab", {"timezone": "Moon/Sea"})
    add("celery.backend_cleanup", "celery.backend_cleanup", "crontab")
    add("well", ECHO, "crontab")
    why = {name: one.why for name, one in planned().items()}
    assert why.pop("well") == ""
    words = {
        "args": "It cannot be read",
        "field": "It cannot be read",
        "gone": "Its row in django_celery_beat_crontabschedule is gone.",
        "zone": "Moon/Sea",
        "celery.backend_cleanup": "No actor named 'celery.backend_cleanup'",
    }
    assert why.keys() == words.keys()
    assert {name for name in words if words[name] not in why[name]} == set()


def test_tables_go_before_a_path() -> None:
    add("hourly", ECHO, "crontab", args=["table"])
    found = plan(find(BEAT), NOON)
    assert [(one.name, one.status) for one in found] == [
        ("hourly", "new"),
        ("hourly", "there"),
    ]
