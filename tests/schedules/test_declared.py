"""What code and settings declare, as rows."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import InvalidArguments, InvalidOption, actor, crontab, every, scheduled
from core.errors import ScheduleConfigError
from core.interface.declarations import declared
from core.models import Fire, FireState, Origin, Schedule
from core.registry import registry
from core.schedules import Synced, sync, tick
from tests.schedules.rows import MINUTE, NOON, WAITS, echo, fired, log_in, make
from tests.schedules.test_commands import ask
from tests.services.threads import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.usefixtures("forget"),
]

NAME = "test.schedules.nightly"


@pytest.fixture
def forget() -> Iterator[None]:
    """Undo what a test has declared; the shop's own schedules are not there."""
    before = dict(registry._actors)
    for one in declared().values():
        registry._actors.pop(one.actor_name, None)
    yield
    registry._actors.clear()
    registry._actors.update(before)


def declare(schedule: Any) -> None:
    """Declare the actor, anew if it is declared: as another release would."""
    registry._actors.pop(NAME, None)

    @actor(actor_name=NAME, schedule=schedule)
    def nightly(value: str = "") -> None: ...


def rows() -> dict[str, Schedule]:
    return {row.name: row for row in Schedule.objects.all()}


def test_actor_with_a_schedule_has_a_row() -> None:
    declare(crontab("0 0 * * *", tz="Asia/Shanghai"))
    assert sync() == Synced(made=1)
    row = rows()[NAME]
    assert (row.origin, row.actor_name, row.is_declared) == ("code", NAME, True)
    assert row.when == crontab("0 0 * * *", tz="Asia/Shanghai")
    assert sync() == Synced()


def test_list_names_the_declared_ones_before_a_scheduler_has_started() -> None:
    make(name="old")
    Schedule.objects.update(retired_at=NOON, next_at=None)
    assert ask("list").strip() == "There are no schedules."
    declare(every(hours=1))
    known = f"Nothing fires before `manage.py scheduler` has started. Declared: {NAME}."
    assert ask("list").strip() == known


def test_several_triggers_have_a_row_each() -> None:
    declare([every(hours=1), scheduled(every(hours=2), name="slow", args=["x"])])
    sync()
    assert set(rows()) == {f"{NAME}: every(hours=1)", "slow"}
    assert rows()["slow"].args == ["x"]


def test_changed_declaration_changes_the_row_and_keeps_the_pause() -> None:
    declare(every(hours=1))
    sync()
    Schedule.objects.update(paused=True)
    declare(scheduled(every(hours=2), overlap="skip"))
    assert sync() == Synced(changed=1)
    row = rows()[NAME]
    assert (str(row.when), row.overlap, row.paused) == ("every(hours=2)", "skip", True)


def test_declaration_that_is_gone_retires_the_row_and_its_queue() -> None:
    declare(scheduled(every(minutes=1), overlap="queue", options=WAITS))
    sync()
    Schedule.objects.update(after=NOON, next_at=NOON)
    tick(now=NOON + MINUTE)
    tick(now=NOON + 2 * MINUTE)
    declare(())
    assert sync() == Synced(retired=1)
    assert tick(now=NOON + 3 * MINUTE).fired == 0
    assert not Fire.objects.filter(state=FireState.WAITING).exists()
    assert rows()[NAME].retired_at is not None
    assert sync() == Synced()


def test_declaration_that_comes_back_fires_nothing_from_meanwhile() -> None:
    declare(every(minutes=1))
    sync()
    registry._actors.pop(NAME)
    sync()
    Schedule.objects.update(after=NOON)
    declare(every(minutes=1))
    assert sync() == Synced(changed=1)
    assert tick().fired == 0
    row = rows()[NAME]
    assert row.retired_at is None
    assert row.next_at is not None


def test_settings_declare_schedules(settings: Any) -> None:
    settings.SCHEDULES = {
        "hourly": {"actor": echo.actor_name, "trigger": every(hours=1), "args": ["a"]},
        "daily": {"actor": echo, "trigger": crontab("@daily"), "missed": "skip"},
    }
    assert sync() == Synced(made=2)
    assert rows()["hourly"].origin == Origin.SETTINGS
    assert (rows()["daily"].missed, rows()["hourly"].args) == ("skip", ["a"])


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"trigger": every(hours=1)}, "it has no 'actor'; write {"),
        ({"actor": echo}, "it has no 'trigger'; write {"),
        ({"actor": "test.nowhere", "trigger": every(hours=1)}, "test.nowhere"),
        ({"actor": echo, "trigger": "0 0 * * *"}, "no trigger"),
        ({"actor": echo, "trigger": every(hours=1), "args": ["a", "b"]}, "too many"),
        ({"actor": echo, "trigger": every(hours=1), "options": {"prio": 1}}, "prio"),
        (
            {"actor": echo, "trigger": every(hours=1), "mised": "skip"},
            "Did you mean 'missed'?",
        ),
        ({"actor": echo, "trigger": scheduled(every(hours=1))}, "bare"),
        ("0 0 * * *", "it is a str; write {"),
    ],
)
def test_wrong_setting_is_named(
    settings: Any, entry: dict[str, Any], says: str
) -> None:
    settings.SCHEDULES = {"bad": entry}
    with pytest.raises(ScheduleConfigError, match=r"^SCHEDULES\['bad'\]: ") as caught:
        sync()
    assert says in str(caught.value)


def test_wrong_setting_tells_no_secret(settings: Any) -> None:
    entry = {"actor": log_in, "trigger": every(hours=1), "args": ["ann", "s3cret"]}
    settings.SCHEDULES = {"bad": entry}
    with pytest.raises(ScheduleConfigError, match="password") as caught:
        sync()
    assert "s3cret" not in str(caught.value)


def test_two_declarations_of_one_name_are_refused(settings: Any) -> None:
    declare(scheduled(every(hours=1), name="twin"))
    settings.SCHEDULES = {"twin": {"actor": echo, "trigger": every(hours=1)}}
    with pytest.raises(InvalidOption, match="twin"):
        sync()


def test_wrong_schedule_is_refused_where_it_is_written() -> None:
    with pytest.raises(InvalidOption, match="schedule"):
        declare("0 0 * * *")
    with pytest.raises(InvalidArguments, match="volume"):
        declare(scheduled(every(hours=1), kwargs={"volume": 11}))


def test_schedule_of_the_admin_is_not_taken_over() -> None:
    made = make(name=NAME)
    declare(every(hours=1))
    assert sync() == Synced()
    made.refresh_from_db()
    assert (made.origin, made.is_declared) == ("admin", False)


def test_schedulers_that_start_at_once_make_each_row_once() -> None:
    declare([every(hours=number) for number in range(1, 9)])
    assert sum(made.made for made in at_once(lambda _: sync(), 4)) >= 8
    assert len(rows()) == 8


def test_declared_schedule_fires() -> None:
    declare(scheduled(every(minutes=1), args=["hello"]))
    sync()
    Schedule.objects.update(after=NOON, next_at=NOON)
    tick(now=NOON + MINUTE)
    assert fired(rows()[NAME]) == ["12:01:00"]
