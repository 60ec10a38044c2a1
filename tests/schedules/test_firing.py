"""What a tick does, at whatever time it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from core import at, crontab, every
from core.models import Fire, Run, Schedule
from core.schedules import BUSY_WAIT, next_due, tick
from core.triggers import jitter
from tests.schedules.rows import MINUTE, NOON, SECOND, echo, fired, fires, make, sent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


def test_slot_fires_once_with_its_run_and_the_next_slot() -> None:
    row = make(args=["hello"], options={"priority": 5})
    done = tick(now=NOON + MINUTE + SECOND, driver="beat@here")
    assert (done.fired, done.skipped) == (1, 0)
    (run,) = sent(row)
    assert (run.actor_name, run.args, run.priority) == (echo.actor_name, ["hello"], 5)
    assert run.queue_name == "quiet"
    fire = Fire.objects.get()
    assert (fire.slot, fire.late, fire.driver) == (NOON + MINUTE, SECOND, "beat@here")
    row.refresh_from_db()
    assert (row.next_at, row.fires) == (NOON + 2 * MINUTE, 1)
    assert done.next_at == next_due() == NOON + 2 * MINUTE


def test_nothing_fires_early() -> None:
    row = make()
    assert tick(now=NOON + MINUTE - SECOND).fired == 0
    assert tick(now=NOON + MINUTE).fired == 1
    assert tick(now=NOON + MINUTE).fired == 0
    assert fired(row) == ["12:01:00"]


def test_clock_that_jumps_back_fires_nothing_again() -> None:
    row = make()
    tick(now=NOON + MINUTE)
    assert tick(now=NOON - 5 * MINUTE).fired == 0
    Schedule.objects.update(after=NOON - 5 * MINUTE, next_at=NOON - 5 * MINUTE)
    tick(now=NOON + MINUTE)
    assert fired(row).count("12:01:00") == 1
    assert tick(now=NOON + 2 * MINUTE).fired == 1


def test_several_slots_on_time_all_fire() -> None:
    row = make(every(seconds=5))
    tick(now=NOON + 12 * SECOND)
    assert fired(row) == ["12:00:05", "12:00:10"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"missed": "skip"}, []),
        ({"missed": "latest"}, ["12:05:00"]),
        ({"missed": "all", "missed_max": 3}, ["12:03:00", "12:04:00", "12:05:00"]),
        ({"missed": "latest", "window": timedelta(seconds=20)}, []),
        (
            {"missed": "all", "missed_max": 9, "window": timedelta(seconds=100)},
            ["12:04:00", "12:05:00"],
        ),
    ],
)
def test_missed_slots_follow_the_rule(
    said: dict[str, Any], expected: list[str]
) -> None:
    row = make(**said)
    tick(now=NOON + 5 * MINUTE + 30 * SECOND)
    assert fired(row) == expected
    missed = [slot for slot, what in fires(row) if what == "missed"]
    assert sorted(missed + expected) == [f"12:0{n}:00" for n in range(1, 6)]


def test_slot_on_time_fires_whatever_the_missed_rule_says() -> None:
    row = make(missed="skip")
    tick(now=NOON + 3 * MINUTE + 14 * SECOND)
    assert fired(row) == ["12:03:00"]


def test_more_missed_slots_than_rows_leave_one_row_for_all_before() -> None:
    row = make(every(seconds=1), after=NOON - timedelta(days=30))
    done = tick(now=NOON + timedelta(milliseconds=500))
    assert done.fired == 15
    old = Fire.objects.get(until__isnull=False)
    assert old.slot == NOON - timedelta(days=30) + SECOND
    later = Fire.objects.filter(schedule=row, until=None).order_by("slot")
    assert (later[0].slot, later.count()) == (old.until, done.fired + done.skipped - 1)
    assert 100 < later.count() <= 200


def test_moment_is_never_dropped_for_being_late() -> None:
    row = make(
        at(NOON - timedelta(days=30)), after=NOON - timedelta(days=31), missed="skip"
    )
    assert tick(now=NOON).fired == 1
    row.refresh_from_db()
    assert row.next_at is None


def test_moment_that_was_written_late_still_fires() -> None:
    row = Schedule(name="late", actor_name=echo.actor_name, trigger=at(NOON).asdict())
    row.save()
    assert tick().fired == 1
    row.save()
    assert tick().fired == 0


def test_moment_after_its_deadline_is_skipped() -> None:
    row = make(at(NOON + MINUTE, deadline=timedelta(hours=1)))
    tick(now=NOON + timedelta(hours=2))
    assert fires(row) == [("12:01:00", "its deadline is over")]


def test_start_and_end_belong_to_it() -> None:
    row = make(start_at=NOON + 2 * MINUTE, end_at=NOON + 4 * MINUTE)
    for number in range(7):
        tick(now=NOON + number * MINUTE)
    assert fired(row) == ["12:02:00", "12:03:00", "12:04:00"]
    row.refresh_from_db()
    assert row.next_at is None


def test_excluded_date_has_no_slots() -> None:
    row = make(crontab("0 0 * * *", tz="Asia/Shanghai"), excluded=["2026-05-03"])
    for number in range(4):
        tick(now=NOON + timedelta(days=number))
    days = (
        Fire.objects.filter(schedule=row)
        .order_by("slot")
        .values_list("slot", flat=True)
    )
    assert [day.day for day in days] == [1, 3]


def test_trigger_ends_after_max_fires() -> None:
    row = make(max_fires=3, missed="all", missed_max=9)
    tick(now=NOON + 2 * MINUTE)
    tick(now=NOON + 9 * MINUTE)
    assert fired(row) == ["12:01:00", "12:02:00", "12:03:00"]
    row.refresh_from_db()
    assert (row.next_at, row.fires) == (None, 3)


def test_jitter_delays_the_run_and_not_the_slot() -> None:
    names = [f"report {number}" for number in range(20)]
    rows = [make(name=name, jitter=MINUTE) for name in names]
    tick(now=NOON + MINUTE)
    delays = [run.due_at - (NOON + MINUTE) for row in rows for run in sent(row)]
    assert min(delays) >= timedelta(0)
    assert max(delays) <= MINUTE
    assert len(set(delays)) > 10
    assert {slot for row in rows for slot in fired(row)} == {"12:01:00"}
    assert delays == [jitter(name, NOON + MINUTE, MINUTE) for name in names]


def test_unknown_actor_leaves_its_slots_to_other_schedulers() -> None:
    row = make(actor_name="test.schedules.gone")
    assert tick(now=NOON + MINUTE + 16 * SECOND).fired == 0
    row.refresh_from_db()
    assert "test.schedules.gone" in row.error
    Schedule.objects.update(actor_name=echo.actor_name)
    tick(now=NOON + 2 * MINUTE + 16 * SECOND)
    row.refresh_from_db()
    assert (fired(row), row.error) == (["12:02:00"], "")


@pytest.mark.parametrize(
    "unknown", [{"actor_name": "test.schedules.new"}, {"trigger": {"kind": "lunar"}}]
)
def test_scheduler_of_an_old_release_does_not_hold_up_a_new_one(
    unknown: dict[str, Any],
) -> None:
    row = make()
    tick(now=NOON)
    known = {name: getattr(row, name) for name in unknown}
    for minute in range(1, 4):
        Schedule.objects.update(**unknown)
        old = tick(now=NOON + minute * MINUTE)
        assert (old.fired, old.wait) == (0, BUSY_WAIT)
        Schedule.objects.update(**known)
        assert tick(now=NOON + minute * MINUTE + SECOND).fired == 1
    row.refresh_from_db()
    assert fired(row) == ["12:01:00", "12:02:00", "12:03:00"]
    assert row.error == ""


def test_bad_schedule_is_skipped_and_others_fire() -> None:
    bad, good = make(name="bad", kwargs={"volume": 11}), make(name="good")
    tick(now=NOON + MINUTE)
    ((slot, reason),) = fires(bad)
    assert (slot, "volume" in reason) == ("12:01:00", True)
    assert fired(good) == ["12:01:00"]


def test_unreadable_schedule_does_not_block_others() -> None:
    bad, good = make(name="bad"), make(name="good")
    Schedule.objects.filter(pk=bad.pk).update(trigger={"kind": "lunar"})
    assert tick(now=NOON + MINUTE).fired == 1
    assert fired(good) == ["12:01:00"]
    tick(now=NOON + MINUTE + 16 * SECOND)
    bad.refresh_from_db()
    assert "lunar" in bad.error
    assert bad.next_at > NOON + MINUTE + 16 * SECOND


@pytest.mark.parametrize("table", ["core_run", "core_fire", "core_schedule"])
def test_failure_in_the_middle_leaves_neither_fire_nor_run(table: str) -> None:
    row = make()

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith((f'INSERT INTO "{table}"', f"UPDATE {table} ")):
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail), pytest.raises(OperationalError):
        tick(now=NOON + MINUTE)
    assert (Fire.objects.count(), Run.objects.count()) == (0, 0)
    assert tick(now=NOON + MINUTE).fired == 1
    assert fired(row) == ["12:01:00"]
