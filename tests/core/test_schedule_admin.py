"""Schedules in the admin: made, edited, paused and run there, while everything runs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from core import actor, at, crontab, every, monitoring, solar
from core.models import Fire, Origin, Run, Schedule
from core.schedules import tick
from core.triggers import Trigger
from tests.core.test_permissions import staff

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/core/schedule/"
PREVIEW = f"{PAGE}preview/"


@actor(actor_name="test.schedule_admin.report", schedulable=True)
def report(day: str = "today") -> None: ...


@actor(actor_name="test.schedule_admin.secretive")
def secretive() -> None: ...


def editor() -> Client:
    return staff("view_schedule", "add_schedule", "change_schedule", "delete_schedule")


#: What the page sends of a schedule at 02:30 in Berlin.
FIELDS = {
    "name": "nightly",
    "actor_name": report.actor_name,
    "args": "[]",
    "kwargs": "{}",
    "options": "{}",
    "kind": "crontab",
    "tz": "Europe/Berlin",
    "expr": "30 2 * * *",
    "day_match": "",
    "dst": "once",
    "number": "",
    "unit": "hours",
    "missed": "latest",
    "overlap": "allow",
    "jitter": "0",
}


def made(trigger: Trigger | None = None, **said: Any) -> Schedule:
    when = trigger or crontab("30 2 * * *", tz="Europe/Berlin")
    given = {"name": "nightly", "actor_name": report.actor_name, **said}
    row = Schedule(trigger=when.asdict(), **given)
    row.save()
    return row


def shown(client: Client, row: Schedule) -> dict[str, str]:
    """What the page of a schedule would send if nothing were touched."""
    form = client.get(f"{PAGE}{row.pk}/change/").context["adminform"].form
    values = {field.html_name: field.value() for field in form}
    return {
        name: f"{value:%Y-%m-%dT%H:%M:%S}" if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def fires(row: Schedule) -> bool:
    """Have the next slot come; say whether it fired."""
    tick()
    row.refresh_from_db()
    return tick(now=row.next_at).fired == 1


def audit() -> list[tuple[str, str, str, int]]:
    return [(e.by, e.verb, e.target, e.changed) for e in monitoring.audit()]


def test_schedule_that_is_made_there_fires_and_the_audit_says_who_made_it() -> None:
    client = editor()
    every_second = {"kind": "every", "number": "1", "unit": "seconds"}
    client.post(f"{PAGE}add/", FIELDS | every_second)
    row = Schedule.objects.get()
    assert (row.when, row.origin) == (every(seconds=1, tz="Europe/Berlin"), "admin")
    assert audit() == [("carol", "add_schedule", "nightly", 1)]
    assert fires(row)


TRIGGERS = [
    crontab("0 0 13 * FRI", tz="Asia/Kolkata", day_match="or", dst="skip"),
    every(minutes=90, tz="Europe/Berlin"),
    every(days=2, tz="Europe/Berlin", anchor=datetime(2026, 1, 1, 8, tzinfo=UTC)),
    at(
        datetime(2030, 12, 24, 18, tzinfo=UTC),
        deadline=datetime(2031, 1, 1, tzinfo=UTC),
    ),
    solar("dusk_nautical", 52.52, 13.40, tz="Europe/Berlin"),
]


@pytest.mark.parametrize("trigger", TRIGGERS, ids=str)
def test_page_that_is_saved_untouched_changes_no_trigger(trigger: Trigger) -> None:
    row = made(trigger, start_at=datetime(2026, 5, 1, tzinfo=UTC), args=["monday"])
    client = editor()
    done = client.post(f"{PAGE}{row.pk}/change/", shown(client, row))
    assert done.status_code == 302
    again = Schedule.objects.get()
    for name in ("when", "start_at", "args", "digest", "after"):
        assert getattr(again, name) == getattr(row, name)


def test_edit_is_live_at_the_next_tick_and_the_audit_says_what_was_changed() -> None:
    row = made()
    client = editor()
    fields = shown(client, row) | {"expr": "* * * * * *", "missed": "skip"}
    client.post(f"{PAGE}{row.pk}/change/", fields)
    assert audit() == [("carol", "change_schedule", "nightly: trigger, missed", 1)]
    assert fires(row)
    assert row.missed == "skip"


def test_dates_and_times_are_those_of_its_own_zone() -> None:
    bounds = {"start_at": "2026-07-01T08:00", "excluded": "2026-12-24 2026-12-25"}
    editor().post(f"{PAGE}add/", FIELDS | bounds)
    row = Schedule.objects.get()
    assert row.start_at == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert row.excluded == ["2026-12-24", "2026-12-25"]


def test_declared_schedule_cannot_be_changed_on_its_page() -> None:
    row = made(origin=Origin.CODE, args=["monday"])
    client = editor()
    page = client.get(f"{PAGE}{row.pk}/change/")
    assert "declared in code" in page.text
    assert "At 02:30" in page.text
    changed = FIELDS | {"expr": "0 5 * * *"}
    assert client.post(f"{PAGE}{row.pk}/change/", changed).status_code == 403
    assert client.post(f"{PREVIEW}?id={row.pk}", changed).status_code == 403
    gone = client.post(f"{PAGE}{row.pk}/delete/", {"post": "yes"})
    assert gone.status_code == 403
    assert Schedule.objects.get().when == row.when


@pytest.mark.parametrize(
    ("permissions", "seen"), [([], False), (["view_arguments"], True)]
)
def test_arguments_of_a_schedule_need_their_permission(
    permissions: list[str], seen: bool
) -> None:
    row = made(args=["green tiger"])
    client = staff("view_schedule", *permissions)
    assert ("green tiger" in client.get(f"{PAGE}{row.pk}/change/").text) is seen
    guess = client.get(f"{PAGE}?args__icontains=tiger")
    assert (guess.status_code == 400) is not seen


ACTS = [
    ("pause", "pause_schedule"),
    ("resume", "pause_schedule"),
    ("run_now", "run_schedule"),
]


def act(client: Client, action: str, row: Schedule) -> None:
    chosen = {"action": action, "_selected_action": [row.pk]}
    client.post(PAGE, chosen, follow=True)


@pytest.mark.parametrize(("action", "permission"), ACTS)
def test_action_needs_its_permission(action: str, permission: str) -> None:
    row = made(paused=action == "resume")
    others = {"pause_schedule", "run_schedule"} - {permission}
    client = staff("view_schedule", "change_schedule", *others)
    act(client, action, row)
    assert Schedule.objects.get().paused is row.paused
    assert Run.objects.count() == 0
    assert audit() == []


@pytest.mark.parametrize(("action", "permission"), ACTS)
def test_permission_is_enough_also_for_a_declared_one(
    action: str, permission: str
) -> None:
    row = made(paused=action == "resume", origin=Origin.CODE)
    act(staff("view_schedule", permission), action, row)
    assert Schedule.objects.get().paused is (action == "pause")
    assert Run.objects.count() == (action == "run_now")
    verb = f"{action.removesuffix('_now')}_schedule"
    assert audit() == [("carol", verb, "nightly", 1)]


def test_failed_run_now_says_why() -> None:
    made(actor_name="test.nowhere")
    client = staff("view_schedule", "run_schedule")
    chosen = {"action": "run_now", "_selected_action": [Schedule.objects.get().pk]}
    page = client.post(PAGE, chosen, follow=True)
    assert "test.nowhere" in page.text
    assert Fire.objects.count() == 0


def test_deleted_schedule_goes_with_its_slots_and_the_audit_says_who() -> None:
    row = made(every(seconds=1))
    assert fires(row)
    client = editor()
    slots = f"Slots: {Fire.objects.count()}<"
    assert slots in client.get(f"{PAGE}{row.pk}/delete/").text
    client.post(f"{PAGE}{row.pk}/delete/", {"post": "yes"})
    assert (Schedule.objects.count(), Fire.objects.count()) == (0, 0)
    assert audit() == [("carol", "delete_schedule", "nightly", 1)]
