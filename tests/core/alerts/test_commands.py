"""manage.py tasks alerts: the rules, how they stand, and whether a message arrives."""

import json
import shlex
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class

from core import runs
from core.alerts import alerts
from core.management.tasks_verbs.alerting import NO_RULE
from core.models import Notice, Run, State
from core.testing import drain
from tests.core.alerts.conftest import Declare, deliver, look
from tests.core.monitoring.figures import breaks
from tests.core.verbs import tasks
from tests.services.smtp import SmtpServer
from tests.services.webhooks import Webhooks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_rehearsed")]


def test_without_rules_it_says_so() -> None:
    assert tasks("alerts") == f"{NO_RULE}\n"
    assert json.loads(tasks("alerts", "--json")) == {"alerts": [], "errors": []}


def test_alerts_are_told_to_people_and_to_programs(rules: Declare) -> None:
    rules(
        full={"when": "backlog", "above": 0, "to": ["log"]},
        failing={"when": "failures"},
    )
    breaks.send()
    look()
    head, first, second = tasks("alerts").splitlines()
    assert head.split()[:3] == ["rule", "when", "state"]
    assert first.split()[:3] == ["full", "backlog", "firing"]
    assert "1 run waits to start" in first
    assert second.split()[:3] == ["failing", "failures", "ok"]
    full, failing = json.loads(tasks("alerts", "--json"))["alerts"]
    assert (full["rule"], full["state"], full["subject"]) == (
        "full",
        "firing",
        "brittle",
    )
    assert full["last_sent"] == full["firing_since"] != None  # noqa: E711  # JSON
    assert failing["to"] == ["mail", "hook", "log"]


def test_failed_delivery_is_reported(rules: Declare, hooks: Webhooks) -> None:
    rules(full={"when": "backlog", "above": 0, "to": ["hook"]})
    breaks.send()
    look()
    hooks.status = 500
    deliver()
    (one,) = alerts()
    assert one.undelivered == 1


def test_mistake_in_the_settings_is_reported_and_ends_with_1(rules: Declare) -> None:
    rules(full={"when": "backlog"}, bad={"when": "never"})
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("tasks", "alerts", stdout=out)
    assert ended.value.code == 1
    assert "ALERTS['RULES']['bad']: when is 'never'" in out.getvalue()
    assert "full  backlog  ok" in out.getvalue()


def test_test_says_what_each_receiver_answered(
    rules: Declare, mailed: SmtpServer, hooks: Webhooks
) -> None:
    rules(full={"when": "backlog"})
    hooks.status = 200
    assert tasks("alerts", "test", "full").splitlines() == [
        "ok   mail: sent to ops@example.org",
        "ok   hook: 200 OK",
        "ok   log: logged as INFO by core.alerts",
    ]
    (mail,) = mailed.messages
    assert " TEST full: backlog" in mail["Subject"]
    assert "Nothing is wrong: this is a test" in mail.get_content()
    assert hooks.received[0].json["event"] == "test"
    assert not Notice.objects.exists()


def test_test_of_a_blocked_receiver_ends_with_1(
    rules: Declare, hooks: Webhooks
) -> None:
    rules(full={"when": "backlog", "to": ["hook"]})
    hooks.status = 401
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("tasks", "alerts", "test", "full", "--json", stdout=out)
    assert ended.value.code == 1
    assert json.loads(out.getvalue()) == {
        "hook": {"ok": False, "text": "it answered 401 Unauthorized"}
    }


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nowhere"], "No alert rule is named 'nowhere': there are full."),
        ([], "Say which rule: tasks alerts test NAME."),
    ],
)
def test_test_of_no_rule_is_refused(rules: Declare, args: list[str], says: str) -> None:
    rules(full={"when": "backlog"})
    with pytest.raises(CommandError) as refused:
        tasks("alerts", "test", *args)
    assert str(refused.value) == says


def test_every_command_named_in_a_message_exists(rules: Declare) -> None:
    rules(
        **{
            when: {"when": when, "above": 0}
            for when in ("failures", "dead_letters", "poison", "backlog", "oldest_wait")
        }
    )
    breaks.send()
    drain()
    Run.objects.filter(state=State.DEAD).update(error="poison: it died")
    row = breaks.send()
    Run.objects.filter(pk=row.message_id).update(due_at=runs.later(-5))
    look()
    found = [command for one in alerts() for command in one.see]
    assert len(found) >= 8
    for command in found:
        assert parsed(command), command


def parsed(command: str) -> Any:
    """Have Django read a command line; it ends the test if it cannot."""
    python, name, *args = shlex.split(command)
    assert python == "manage.py"
    parser = load_command_class("core", name).create_parser("manage.py", name)
    return parser.parse_args(args)
