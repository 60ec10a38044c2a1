"""Runs that have not ended when the next slot comes, pauses, and runs by hand."""

from typing import Any

import pytest

from core import every
from core.models import Fire, Run, Schedule
from core.schedules import find, pause, resume, run_now, tick
from core.schedules.fire import fire_due
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


def through(last: int, first: int = 1) -> None:
    """Tick at these minutes after noon."""
    for number in range(first, last + 1):
        tick(now=NOON + number * MINUTE)


def test_allowed_overlap_fires_every_slot() -> None:
    row = make(options=WAITS)
    through(3)
    assert len(fired(row)) == 3


def test_slot_is_skipped_while_a_run_has_not_ended() -> None:
    row = make(options=WAITS, overlap="skip")
    through(2)
    end(sent(row)[0])
    through(3, first=3)
    assert fires(row) == [
        ("12:01:00", "fired"),
        ("12:02:00", "an earlier run has not ended"),
        ("12:03:00", "fired"),
    ]


def test_first_of_several_due_slots_fires_with_skip() -> None:
    row = make(every(seconds=5), options=WAITS, overlap="skip")
    tick(now=NOON + 10 * SECOND)
    assert fired(row) == ["12:00:05"]


def test_queued_slots_are_sent_one_by_one_as_runs_end() -> None:
    row = make(options=WAITS, overlap="queue")
    through(3)
    assert [what for _, what in fires(row)] == ["fired", "waiting", "waiting"]
    end(sent(row)[0])
    done = tick(now=NOON + 3 * MINUTE + SECOND, driver="second")
    assert done.fired == 1
    assert [what for _, what in fires(row)] == ["fired", "fired", "waiting"]
    assert Fire.objects.get(slot=NOON + 2 * MINUTE).driver == "second"
    assert done.wait <= 1
    assert tick(now=NOON + 3 * MINUTE + 2 * SECOND).fired == 0
    end(sent(row)[1])
    assert tick(now=NOON + 3 * MINUTE + 3 * SECOND).fired == 1
    assert Run.objects.count() == 3


def test_new_slot_does_not_overtake_the_queue() -> None:
    row = make(options=WAITS, overlap="queue")
    through(2)
    end(sent(row)[0])
    # Another scheduler is just about to let the second one go.
    fire_due("default", "", NOON + 3 * MINUTE)
    assert [what for _, what in fires(row)] == ["fired", "waiting", "waiting"]


def test_earlier_run_is_cancelled_for_a_newer_slot() -> None:
    row = make(options=WAITS, overlap="cancel_other")
    through(2)
    assert [what for _, what in fires(row)] == ["fired", "fired"]
    assert [run.state for run in sent(row)] == ["cancelled", "pending"]


def test_newer_slot_waits_until_the_cancelled_run_has_ended() -> None:
    row = make(options=WAITS, overlap="cancel_other")
    through(1)
    (first,) = sent(row)
    Run.objects.filter(pk=first.pk).update(state="running")
    through(3, first=2)
    first.refresh_from_db()
    assert first.cancel_requested
    # Of those that wait the newest alone is left.
    replaced = "a newer slot took its place"
    assert [what for _, what in fires(row)] == ["fired", replaced, "waiting"]
    Run.objects.filter(pk=first.pk).update(state="cancelled")
    tick(now=NOON + 3 * MINUTE + SECOND)
    assert fired(row) == ["12:01:00", "12:03:00"]


def test_newest_of_several_due_slots_fires_with_cancel_other() -> None:
    row = make(every(seconds=5), options=WAITS, overlap="cancel_other")
    tick(now=NOON + 10 * SECOND)
    assert fired(row) == ["12:00:10"]


def test_overlap_counts_runs_from_before_it_was_forbidden() -> None:
    row = make(options=WAITS)
    through(1)
    Schedule.objects.update(overlap="skip")
    through(2, first=2)
    assert fired(row) == ["12:01:00"]


def test_pause_records_its_slots_and_resume_follows_the_missed_rule() -> None:
    row = make()
    through(1)
    Schedule.objects.update(paused=True)
    through(4, first=2)
    assert [what for _, what in fires(row)] == ["fired", "paused", "paused", "paused"]
    assert Run.objects.count() == 1
    Schedule.objects.update(paused=False, next_at=NOON)
    tick(now=NOON + 4 * MINUTE + 30 * SECOND)
    assert [what for _, what in fires(row)] == ["fired", "paused", "paused", "fired"]
    assert Run.objects.count() == 2
    through(5, first=5)
    assert fired(row) == ["12:01:00", "12:04:00", "12:05:00"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"missed": "skip"}, []),
        ({"missed": "all", "missed_max": 2}, ["12:03:00", "12:04:00"]),
    ],
)
def test_resume_follows_each_missed_rule(
    said: dict[str, Any], expected: list[str]
) -> None:
    row = make(paused=True, **said)
    through(4)
    Schedule.objects.update(paused=False, next_at=NOON)
    tick(now=NOON + 4 * MINUTE + 30 * SECOND)
    assert fired(row) == expected
    tick(now=NOON + 5 * MINUTE)
    assert fired(row) == [*expected, "12:05:00"]


def test_pause_and_resume_are_live_at_the_next_tick() -> None:
    row = make(every(seconds=1))
    assert pause("report")
    assert not pause("report")
    tick()
    row.refresh_from_db()
    assert row.paused_from is not None
    assert fired(row) == []
    assert resume("report")
    assert tick().fired >= 1
    assert not find("report").paused


def test_run_by_hand_moves_no_slot() -> None:
    row = make(args=["now"])
    before = find("report").next_at
    message = run_now("report", driver="anna")
    fire = Fire.objects.get()
    assert (fire.slot, fire.driver, str(fire.run_id)) == (
        None,
        "anna",
        message.message_id,
    )
    assert Run.objects.get(pk=message.message_id).args == ["now"]
    row.refresh_from_db()
    assert (row.next_at, row.fires) == (before, 0)
    tick(now=NOON + MINUTE)
    assert Run.objects.count() == 2


def test_run_by_hand_is_one_that_others_overlap_with() -> None:
    row = make(options=WAITS, overlap="skip")
    run_now("report")
    tick(now=NOON + MINUTE)
    assert ("12:01:00", "an earlier run has not ended") in [
        (f"{fire.slot:%H:%M:%S}", fire.reason)
        for fire in Fire.objects.filter(schedule=row, slot__isnull=False)
    ]
