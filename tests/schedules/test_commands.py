"""manage.py tasks schedules: what it tells, and what it does."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from core import control, crontab, every, monitoring
from core.models import Fire, Run, Schedule
from core.schedules import tick
from core.triggers import at
from tests.core.test_audit import ME
from tests.schedules.rows import MINUTE, NOON, SECOND, echo, make

pytestmark = pytest.mark.django_db
BERLIN = "Europe/Berlin"


def ask(*args: str) -> str:
    out = StringIO()
    call_command("tasks", "schedules", *args, stdout=out)
    return out.getvalue()


def told(*args: str) -> Any:
    return json.loads(ask(*args, "--json"))


def paused() -> dict[str, bool]:
    return dict(Schedule.objects.order_by("name").values_list("name", "paused"))


def test_list_shows_rule_zone_and_last_and_next_fire() -> None:
    make(crontab("30 2 * * *", tz=BERLIN), name="nightly")
    tick(now=datetime(2026, 5, 2, 0, 30, 7, tzinfo=UTC))
    (one,) = told("list")
    assert (one["name"], one["rule"]) == ("nightly", f"At 02:30, {BERLIN}")
    assert one["trigger"] == f'crontab("30 2 * * *", tz="{BERLIN}")'
    assert (one["zone"], one["paused"], one["late"]) == (BERLIN, False, 7)
    assert one["last_slot"] == "2026-05-02 00:30:00+00:00"
    assert datetime.fromisoformat(one["next_at"]) > datetime.now(UTC)
    head, line = ask().splitlines()
    assert line.split()[:6] == ["nightly", "At", "02:30", BERLIN, "2026-05-02", "02:30"]
    assert "7.0 s" in line
    assert head.index("late") == line.index("7.0 s")


def test_list_marks_paused_finished_and_overdue_schedules() -> None:
    make(at(NOON), name="once")
    tick(now=NOON + MINUTE)
    make(name="paused", paused=True)
    Schedule.objects.filter(name="paused").update(next_at=Now())
    make(name="overdue")
    found = {one["name"]: one for one in told("list")}
    assert found["paused"]["paused"] is True
    assert found["once"]["next_at"] is None
    assert [name for name, one in found.items() if one["overdue"]] == ["overdue"]
    lines = {line.split()[0]: line for line in ask().splitlines()}
    assert lines["paused"].endswith("  paused")
    assert "2026-05-01 12:00 UTC: does a scheduler run?" in lines["overdue"]


def test_unreadable_row_hides_no_other() -> None:
    make(name="broken")
    make(name="well")
    Schedule.objects.filter(name="broken").update(trigger={"kind": "moon"})
    assert [one["name"] for one in told("list")] == ["broken", "well"]
    assert "its kind must be one of" in ask("list")


def test_retired_schedules_are_listed_when_asked_for() -> None:
    make(name="old")
    Schedule.objects.update(retired_at=NOON, next_at=None)
    assert (told("list"), "old" in ask("list")) == ([], False)
    assert [one["name"] for one in told("list", "--retired")] == ["old"]
    assert told("next", "old") == []


def test_next_fires_are_told_in_the_zone_and_in_utc() -> None:
    make(crontab("30 2 * * *", tz=BERLIN), name="nightly")
    line = ["next", "nightly", "--count", "3", "--from", "2026-03-28T00:00"]
    assert [(one["local"], one["utc"]) for one in told(*line)] == [
        ("2026-03-28 02:30:00+01:00", "2026-03-28 01:30:00+00:00"),
        ("2026-03-29 03:00:00+02:00", "2026-03-29 01:00:00+00:00"),
        ("2026-03-30 02:30:00+02:00", "2026-03-30 00:30:00+00:00"),
    ]
    last = ask(*line).splitlines()[-1]
    assert last.split()[:5] == ["Mon", "2026-03-30", "02:30", "CEST", "+0200"]
    assert last.endswith("  2026-03-30 00:30")


def test_next_begins_with_the_moment_itself_and_ends_with_max_fires() -> None:
    make(every(hours=1), max_fires=2)
    since = "2026-05-01T12:00+00:00"
    assert [one["utc"] for one in told("next", "report", "--from", since)] == [
        "2026-05-01 12:00:00+00:00",
        "2026-05-01 13:00:00+00:00",
    ]
    Schedule.objects.update(fires=2)
    assert ask("next", "report").strip() == "It fires no more."


def test_next_counts_from_now() -> None:
    make()
    (one,) = told("next", "report", "--count", "1")
    slot = datetime.fromisoformat(one["utc"])
    assert abs(slot - datetime.now(UTC)) <= MINUTE + 5 * SECOND


def test_run_sends_at_once_and_moves_no_slot() -> None:
    row = make(args=["hello"])
    sent = told("run", "report")
    assert Run.objects.get(pk=sent["run"]).args == ["hello"]
    assert Fire.objects.get().driver == ME
    row.refresh_from_db()
    assert (row.after, row.next_at, row.fires) == (NOON, NOON, 0)
    (entry,) = monitoring.audit()
    assert (entry.by, entry.verb, entry.target) == (ME, "run_schedule", "report")


def test_run_of_a_range_fires_what_has_not_fired_there() -> None:
    row = make(crontab("30 2 * * *", tz=BERLIN), name="nightly")
    range_ = ["run", "nightly", "--from", "2026-03-28", "--to", "2026-03-29"]
    would = [
        {"slot": "2026-03-28 01:30:00+00:00", "what": "would fire"},
        {"slot": "2026-03-29 01:00:00+00:00", "what": "would fire"},
    ]
    assert told(*range_, "--dry-run") == would
    assert not Fire.objects.exists()
    line = ask(*range_).splitlines()[-1]
    assert line.split() == ["2026-03-29", "03:00", "2026-03-29", "01:00", "fired"]
    assert ask(*range_).strip() == "All have fired."
    assert Run.objects.count() == Fire.objects.filter(schedule=row).count() == 2
    nothing, entry = monitoring.audit()
    assert (entry.by, entry.verb, entry.changed) == (ME, "backfill_schedule", 2)
    assert entry.target == "nightly: 2026-03-28 00:00:00 to 2026-03-29 23:59:59.999999"
    assert nothing.changed == 0


def test_run_of_a_range_ends_now_unless_told() -> None:
    make(every(days=1))
    since = datetime.now(UTC) - timedelta(days=3)
    found = told("run", "report", "--from", since.isoformat(), "--dry-run")
    assert len(found) == 3
    with pytest.raises(CommandError, match="go with --from"):
        ask("run", "report", "--dry-run")


def test_pause_and_resume_of_several_leave_a_row_each() -> None:
    for name in ("a", "b", "c"):
        make(name=name)
    assert ask("pause", "a", "c").strip() == "Paused 2 schedules."
    assert paused() == {"a": True, "b": False, "c": True}
    assert told("resume", "a") == {"changed": 1}
    assert paused() == {"a": False, "b": False, "c": True}
    assert [(e.by, e.verb, e.target, e.changed) for e in monitoring.audit()] == [
        (ME, "resume_schedules", "a", 1),
        (ME, "pause_schedules", "a, c", 2),
    ]


def test_dry_run_names_what_would_change_and_changes_nothing() -> None:
    for name in ("a", "b"):
        make(name=name)
    control.pause_schedules(["a"], by="ann")
    assert told("pause", "--all", "--dry-run") == {"would_pause": ["b"]}
    assert ask("resume", "--all", "--dry-run").splitlines() == [
        "Would resume 1 schedule.",
        "a",
    ]
    assert paused() == {"a": True, "b": False}
    assert len(monitoring.audit()) == 1


def test_all_pauses_all_but_retired_schedules() -> None:
    for name in ("a", "b", "gone"):
        make(name=name)
    Schedule.objects.filter(name="gone").update(retired_at=NOON)
    assert told("pause", "--all") == {"changed": 2}
    assert paused() == {"a": True, "b": True, "gone": False}
    assert monitoring.audit()[0].target == "all"


def test_nothing_is_paused_if_one_name_is_unknown() -> None:
    make(name="known")
    with pytest.raises(CommandError, match="no schedule named 'unknown'"):
        ask("pause", "known", "unknown")
    assert paused() == {"known": False}
    assert monitoring.audit() == []


REFUSED = [
    (["next", "reprot"], "named 'reprot'. Did you mean 'report'?"),
    (
        ["run", "night"],
        "There is no schedule named 'night'. Did you mean 'nightly report'?",
    ),
    (["run", "REP"], "'REP'. Did you mean 'nightly report' or 'report'?"),
    (["pause", "zzz"], "There is no schedule named 'zzz'."),
    (["pause"], "Give names of schedules, or --all."),
    (["resume", "report", "--all"], "Give names of schedules, or --all."),
    (["next", "report", "--count", "0"], "'0' must be a whole number over 0"),
    (["next", "report", "--count", "9999"], "no more than 1000"),
    (["next", "report", "--from", "soon"], "write 2026-03-28T12:00 or"),
    (["next", "report", "--from", "9999-12-31"], "give a year from 1970 to 2199"),
    (["next"], "required: name"),
    (["stop"], "invalid choice: 'stop'"),
]


@pytest.mark.parametrize(("line", "words"), REFUSED)
def test_bad_input_is_refused_with_the_mend(line: list[str], words: str) -> None:
    make(name="report")
    make(name="nightly report")
    with pytest.raises(CommandError) as caught:
        ask(*line)
    assert words in str(caught.value)


def test_run_of_a_bad_schedule_fails_and_leaves_no_trace() -> None:
    make(kwargs={"volume": 11})
    with pytest.raises(CommandError, match="volume"):
        ask("run", "report")
    assert (monitoring.audit(), Fire.objects.count()) == ([], 0)


def test_verbs_have_permissions_for_the_pages() -> None:
    names = {"pause_schedule", "run_schedule"}
    assert Permission.objects.filter(codename__in=names).count() == 2


def test_manual_run_takes_the_options_of_its_actor() -> None:
    make(options={"delay": 3_600_000})
    Run.objects.get(pk=told("run", "report")["run"])
    later = Run.objects.filter(actor_name=echo.actor_name, due_at__gt=NOON)
    assert later.get().due_at > datetime.now(UTC) + timedelta(minutes=50)
