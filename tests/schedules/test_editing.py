"""Edits while everything runs: live at the next tick, nothing twice, nothing early."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from core import InvalidTrigger, crontab, every
from core.models import Origin, Schedule
from core.schedules import Tick, sync, tick
from core.triggers import version
from tests.schedules.rows import MINUTE, NOON, SECOND, echo, fired, make

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]

FAR = timedelta(days=3650)


def now() -> datetime:
    """The database's time, nearly."""
    return datetime.now(UTC)


def test_new_schedule_fires_from_now_on() -> None:
    Schedule(
        name="new", actor_name=echo.actor_name, trigger=every(hours=1).asdict()
    ).save()
    assert tick().fired == 0
    row = Schedule.objects.get()
    assert now() < row.next_at <= now() + timedelta(hours=1)


def test_edited_trigger_is_live_at_the_next_tick() -> None:
    row = make(every(days=3650), after=now())
    assert tick().wait == 1.0
    row.trigger = every(hours=1).asdict()
    row.save()
    tick()
    row.refresh_from_db()
    assert row.next_at <= now() + timedelta(hours=1)


def test_edited_trigger_fires_no_slot_from_before_the_edit() -> None:
    row = make(every(days=3650), after=now() - timedelta(hours=5))
    row.trigger = every(minutes=1).asdict()
    row.save()
    assert tick().fired == 0
    assert fired(row) == []


def test_edit_of_something_else_leaves_a_slot_due() -> None:
    row = make(every(minutes=1), after=now() - timedelta(minutes=1))
    row.args = ["changed"]
    row.save()
    assert tick().fired == 1


def test_trigger_that_was_changed_without_save_fires_no_old_slot() -> None:
    row = make()
    Schedule.objects.update(trigger=every(seconds=20).asdict())
    assert tick(now=NOON + MINUTE).fired == 0
    tick(now=NOON + MINUTE + 20 * SECOND)
    assert fired(row) == ["12:01:20"]


def test_form_that_was_opened_before_a_tick_takes_nothing_back() -> None:
    row = make(every(minutes=1), after=now() - timedelta(minutes=1))
    opened = Schedule.objects.get()
    tick()
    opened.args = ["changed"]
    opened.save()
    assert tick().fired == 0
    known = Schedule.objects.get()
    assert (known.fires, known.args, known.after > row.after) == (1, ["changed"], True)


def test_slots_are_computed_again_when_the_zones_change() -> None:
    row = make(crontab("0 9 * * *", tz="Asia/Kolkata"), after=now())
    Schedule.objects.update(zones="1999a", next_at=now() + FAR)
    sync()  # what a driver does when it starts
    tick()
    row.refresh_from_db()
    assert row.zones == version()
    assert row.next_at <= now() + timedelta(days=1)
    assert (row.next_at.hour, row.next_at.minute) == (3, 30)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"trigger": {"kind": "crontab", "expr": "0 25 * * *"}}, "character 3"),
        ({"trigger": "0 0 * * *"}, "kind"),
        ({"missed": "all"}, "missed_max"),
        ({"missed": "some"}, "missed"),
        ({"overlap": "never"}, "overlap"),
        ({"excluded": ["tomorrow"]}, "2026-12-24"),
        ({"max_fires": 0}, "max_fires"),
        ({"jitter": -MINUTE}, "jitter"),
        ({"args": "hello"}, "args"),
        ({"kwargs": ["hello"]}, "kwargs"),
    ],
)
def test_bad_schedule_is_refused_when_it_is_saved(
    said: dict[str, Any], says: str
) -> None:
    given = {"trigger": every(hours=1).asdict(), **said}
    row = Schedule(name="bad", actor_name=echo.actor_name, **given)
    with pytest.raises(InvalidTrigger, match=says):
        row.save()
    with pytest.raises(ValidationError, match=says):
        row.clean()
    assert Schedule.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"actor_name": "test.nowhere"}, "test.nowhere"),
        ({"actor_name": "switchyard.hand_out"}, "schedulable"),
        ({"kwargs": {"volume": 11}}, "volume"),
        ({"options": {"prio": 11}}, "prio"),
        ({"options": {"durable": False}, "overlap": "skip"}, "durable"),
        ({"actor_name": "test.schedules.log_in", "args": ["ann", "x"]}, "password"),
    ],
)
def test_form_refuses_an_actor_that_may_not_be_scheduled(
    said: dict[str, Any], says: str
) -> None:
    given = {"actor_name": echo.actor_name, "trigger": every(hours=1).asdict(), **said}
    with pytest.raises(ValidationError, match=says):
        Schedule(name="bad", **given).clean()


def test_form_may_only_pause_a_declared_schedule() -> None:
    row = make(origin=Origin.CODE)
    row.paused = True
    row.clean()
    row.missed = "skip"
    with pytest.raises(ValidationError, match="missed"):
        row.clean()


def test_driver_waits_no_longer_than_an_edit_may() -> None:
    assert Tick(0, 0, NOON + FAR, NOON).wait == 1.0
    assert Tick(0, 0, NOON + SECOND / 4, NOON).wait == 0.25
    assert Tick(1, 0, NOON - MINUTE, NOON).wait == 0.0
    assert Tick(0, 0, NOON - MINUTE, NOON).wait == 0.05
    assert Tick(0, 0, None, None).wait == 1.0
