"""Slots of the past that fire after all."""

from datetime import UTC, datetime

import pytest

from core import crontab, every
from core.errors import InvalidFilter, UnknownSchedule
from core.models import Fire, Run, Schedule
from core.schedules import backfill, tick, unfired
from core.schedules.backfilling import MOST
from tests.schedules.rows import (
    MINUTE,
    NOON,
    SECOND,
    WAITS,
    end,
    fired,
    fires,
    make,
    sent,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


def test_slots_from_before_the_schedule_fire() -> None:
    row = make(args=["then"])
    slots = unfired("report", NOON - 3 * MINUTE, NOON - MINUTE)
    assert slots == [NOON - number * MINUTE for number in (3, 2, 1)]
    done = backfill("report", slots, driver="anna")
    assert [fire.slot for fire in done] == slots
    assert fired(row) == ["11:57:00", "11:58:00", "11:59:00"]
    assert {run.args[0] for run in sent(row)} == {"then"}
    assert set(Fire.objects.values_list("driver", flat=True)) == {"anna"}
    row.refresh_from_db()
    assert (row.after, row.fires) == (NOON, 0)
    tick(now=NOON + MINUTE)
    assert fired(row)[-1] == "12:01:00"


def test_backfill_fires_skipped_slots_and_leaves_fired_ones() -> None:
    row = make(every(hours=1))
    tick(now=datetime(2026, 5, 1, 14, 30, tzinfo=UTC))
    assert [what for _, what in fires(row)] == ["missed", "fired"]
    slots = unfired("report", NOON, NOON + 180 * MINUTE)
    assert [f"{slot:%H:%M}" for slot in slots] == ["12:00", "13:00", "15:00"]
    backfill("report", slots)
    # Somebody else had the same in mind.
    assert backfill("report", slots) == []
    assert fired(row) == ["12:00:00", "13:00:00", "14:00:00", "15:00:00"]
    assert unfired("report", NOON, NOON + 180 * MINUTE) == []


def test_row_that_stands_for_many_begins_after_those_that_get_their_own() -> None:
    row = make(every(seconds=1))
    tick(now=NOON + 10 * MINUTE)
    shared = Fire.objects.get(until__isnull=False)
    assert shared.slot == NOON + SECOND
    within = NOON + 3 * SECOND
    backfill("report", [within])
    backfill("report", unfired("report", NOON + SECOND, NOON + 2 * SECOND))
    shared.refresh_from_db()
    assert shared.slot == NOON + 4 * SECOND
    assert fired(row)[:3] == ["12:00:01", "12:00:02", "12:00:03"]
    assert shared.until is not None
    backfill("report", unfired("report", NOON, shared.until))
    assert not Fire.objects.filter(until__isnull=False).exists()
    assert fired(row)[0] == "12:00:00"


def test_runs_that_must_not_overlap_wait_for_one_another() -> None:
    row = make(options=WAITS, overlap="skip")
    backfill("report", unfired("report", NOON - 2 * MINUTE, NOON))
    assert [what for _, what in fires(row)] == ["fired", "waiting", "waiting"]
    end(sent(row)[0])
    tick(now=NOON + SECOND)
    assert [what for _, what in fires(row)] == ["fired", "fired", "waiting"]


def test_slot_that_no_tick_has_decided_fires_once() -> None:
    row = make()
    backfill("report", unfired("report", NOON + MINUTE, NOON + 2 * MINUTE))
    tick(now=NOON + 3 * MINUTE)
    assert fired(row) == ["12:01:00", "12:02:00", "12:03:00"]
    assert Run.objects.count() == 3


def test_backfill_says_why_a_slot_cannot_be_sent() -> None:
    make()
    Schedule.objects.update(args=["too", "many"])
    (fire,) = backfill("report", [NOON])
    assert fire.state == "skipped"
    assert "too" in fire.reason


def test_moments_without_a_zone_are_those_of_the_schedule() -> None:
    make(crontab("0 0 * * *", tz="Asia/Shanghai"))
    day = datetime(2026, 4, 1)  # noqa: DTZ001  # the clocks of Shanghai show it
    assert unfired("report", day, day) == [datetime(2026, 3, 31, 16, tzinfo=UTC)]


def test_bad_range_is_refused() -> None:
    make()
    with pytest.raises(InvalidFilter, match="of the past, and before"):
        unfired("report", NOON, NOON - MINUTE)
    with pytest.raises(InvalidFilter, match="of the past, and before"):
        unfired("report", datetime(2099, 1, 1, tzinfo=UTC), None)
    with pytest.raises(InvalidFilter, match=f"more than {MOST} slots"):
        unfired("report", NOON - MOST * MINUTE, NOON)
    with pytest.raises(UnknownSchedule):
        unfired("nobody's", NOON, NOON)


def test_slots_to_come_fire_by_themselves() -> None:
    make(every(days=1))
    last = unfired("report", NOON, datetime(2099, 1, 1, tzinfo=UTC))[-1]
    assert last <= datetime.now(UTC)
