"""A schedule whose runs fail one after the other pauses itself."""

import logging

import pytest

from core.models import AuditEntry, Run, Schedule
from core.schedules import find, resume, tick
from tests.schedules.rows import MINUTE, NOON, WAITS, fires, make, sent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


def passes(minute: int, state: str = "dead") -> None:
    """Let a slot come, and its run end so."""
    tick(now=NOON + minute * MINUTE)
    Run.objects.filter(state="pending").update(state=state)


def whats(row: Schedule) -> list[str]:
    return [what for _, what in fires(row)]


def test_schedule_is_paused_before_it_fires_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = make(options=WAITS, pause_after=2)
    passes(1)
    passes(2)
    with caplog.at_level(logging.ERROR):
        passes(3)
    assert whats(row) == ["fired", "fired", "paused"]
    row.refresh_from_db()
    assert (row.paused, row.error) == (True, "Paused: its last 2 runs failed.")
    assert "Paused the schedule report: its last 2 runs failed." in caplog.text
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.target) == ("pause_after", "report")
    passes(4)
    row.refresh_from_db()
    assert row.error == "Paused: its last 2 runs failed."


def test_other_ends_are_no_failures() -> None:
    row = make(options=WAITS, pause_after=2)
    for minute, state in enumerate(("dead", "succeeded", "dead", "cancelled"), 1):
        passes(minute, state)
    passes(5)
    assert whats(row) == ["fired"] * 5
    passes(6)
    assert whats(row) == ["fired"] * 5 + ["paused"], "a cancelled run says nothing"


def test_run_that_has_not_ended_says_nothing() -> None:
    row = make(options=WAITS, pause_after=2)
    passes(1)
    passes(2, "running")
    passes(3)
    Run.objects.filter(pk=sent(row)[1].pk).update(state="succeeded")
    passes(4)
    assert whats(row) == ["fired"] * 4


def test_run_that_was_deleted_had_succeeded() -> None:
    row = make(options=WAITS, pause_after=2)
    passes(1)
    passes(2, "succeeded")
    Run.objects.filter(state="succeeded").delete()
    passes(3)
    passes(4)
    assert whats(row)[-1] == "fired"


def test_after_a_resume_failures_count_anew() -> None:
    row = make(options=WAITS, pause_after=2)
    for minute in (1, 2, 3):
        passes(minute)
    assert find("report").paused
    assert resume("report")
    Schedule.objects.update(next_at=NOON)
    passes(4)
    row.refresh_from_db()
    assert (row.paused, row.error) == (False, "")
    passes(5)
    assert not find("report").paused
    passes(6)
    assert find("report").paused


def test_other_schedules_go_on() -> None:
    row = make(options=WAITS, pause_after=1)
    other = make(options=WAITS, name="other")
    passes(1)
    passes(2)
    assert whats(row)[-1] == "paused"
    assert whats(other)[-1] == "fired"
