"""Whatever an operator does leaves one row that says who did what."""

import os
import pwd
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from core import InvalidOption, Message, actor, brokers, control, monitoring, runs
from core.models import AuditEntry, Effect, EffectState, Run
from core.options.retention import Keep, Retention
from core.runs import later
from tests.core.test_retention import make_ended
from tests.core.test_runs import make

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]
ME = f"command line: {pwd.getpwuid(os.getuid()).pw_name}"


@actor(actor_name="test.audit.wait")
def wait() -> None:
    """Is always sent with a delay."""


@pytest.fixture
def waiting() -> Message:
    return wait.send_with_options(delay=600_000)


def only() -> monitoring.AuditSnapshot:
    (entry,) = monitoring.audit()
    return entry


def tasks(*args: str) -> None:
    call_command("tasks", *args, stdout=StringIO())


def test_cancel_and_requeue_are_audited_with_user_and_count(waiting: Message) -> None:
    control.cancel([waiting.message_id], by="alice")
    control.requeue([waiting.message_id], by="bob")
    told = [(e.by, e.verb, e.target, e.changed) for e in monitoring.audit()]
    target = f"1 ids: {waiting.message_id}"
    assert told == [("bob", "requeue", target, 1), ("alice", "cancel", target, 1)]


def test_whole_filter_leaves_one_row(monkeypatch: Any) -> None:
    monkeypatch.setattr(control, "BATCH", 2)
    for _ in range(5):
        make()
    control.cancel_all(by="alice", actor_name="test.actor")
    entry = only()
    assert (entry.verb, entry.target, entry.changed) == (
        "cancel_all",
        "actor_name=test.actor",
        5,
    )
    control.requeue_all(by="alice")
    assert (monitoring.audit()[0].target, monitoring.audit()[0].changed) == ("all", 5)


def test_act_that_changed_nothing_is_audited_too() -> None:
    control.cancel([str(uuid4())], by="alice")
    assert (only().verb, only().changed) == ("cancel", 0)


def test_row_is_written_with_the_change_or_not_at_all(monkeypatch: Any) -> None:
    ids = [str(make().pk) for _ in range(4)]
    monkeypatch.setattr(control, "BATCH", 2)
    with connection.execute_wrapper(Failing(at=2)), pytest.raises(DatabaseError):
        control.cancel(ids, by="alice")
    assert only().changed == Run.objects.filter(state="cancelled").count() == 2


class Failing:
    """A database that fails at the second statement on the audit."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, execute: Any, sql: str, *args: Any) -> Any:
        if "core_auditentry" in sql:
            self.left -= 1
            if not self.left:
                raise DatabaseError("gone")
        return execute(sql, *args)


def test_answer_says_what_was_answered() -> None:
    Effect.objects.create(
        key="r.pay", name="pay", state=EffectState.UNKNOWN, intended_at=later(0)
    )
    control.answer("r.pay", happened=False, by="alice")
    assert (only().verb, only().target) == ("answer", "r.pay: it did not happen")
    assert only().changed == 1


def test_prune_tells_how_much_it_deleted() -> None:
    for _ in range(3):
        make_ended(broker="default", hours=10**4)
    control.prune("default", by="alice")
    assert (only().verb, only().target, only().changed) == ("prune", "default", 3)


@pytest.mark.parametrize("verb", [["requeue", "--all"], ["cancel", "--all"], ["prune"]])
def test_dry_run_leaves_no_row(waiting: Message, verb: list[str]) -> None:
    tasks(*verb, "--dry-run")
    assert monitoring.audit() == []


@pytest.mark.parametrize("verb", [["requeue", "--all"], ["cancel", "--all"], ["prune"]])
def test_command_says_who_ran_it(verb: list[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    tasks(*verb)
    assert only().by == ME


def test_code_that_cancels_its_own_message_is_no_operator(waiting: Message) -> None:
    assert waiting.cancel()
    assert monitoring.audit() == []


def test_very_long_target_is_shortened() -> None:
    control.cancel([str(uuid4()) for _ in range(2000)], by="a" * 300)
    assert only().target.startswith("2000 ids: ")
    assert len(only().target) <= 500
    assert len(only().by) == 200


def test_newest_come_first_and_only_so_many() -> None:
    for name in ("a", "b", "c"):
        control.cancel([], by=name)
    assert [entry.by for entry in monitoring.audit(limit=2)] == ["c", "b"]


def test_audit_is_kept_for_its_time() -> None:
    for hours in (2, 0.5):
        AuditEntry.objects.create(at=later(-hours * 3600), by="a", verb="v", target="")
    assert runs.prune("default", "test", Retention(audit=Keep(3600))) == {"audit": 1}
    assert brokers["default"].retention.audit.age == 365 * 86_400.0


@pytest.mark.parametrize("by", ["", "  ", None])
def test_act_without_an_operator_is_refused(by: Any, waiting: Message) -> None:
    with pytest.raises(InvalidOption, match=r"'by'.*nightly clean-up"):
        control.cancel([waiting.message_id], by=by)
    assert waiting.status() == "pending"
    assert monitoring.audit() == []
