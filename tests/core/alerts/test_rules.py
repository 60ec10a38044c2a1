"""ALERTS: what may be written there, and what is said of the rest."""

from datetime import timedelta
from typing import Any

import pytest

from core import checks
from core.alerts import declared
from core.alerts.kinds import COMMON, KINDS
from core.alerts.receivers import Admins

MAIL = {"type": "email", "to": ["ops@example.org"]}


def alerts(settings: Any, rule: Any = None, receiver: Any = MAIL, **more: Any) -> None:
    rules = {} if rule is None else {"r": rule}
    settings.ALERTS = {"RULES": rules, "RECEIVERS": {"ops": receiver}, **more}


def test_no_configuration_means_no_rules_and_no_receivers() -> None:
    assert declared().rules == {}
    assert declared().receivers == {}
    assert checks.check_alerts() == []


ADMINS = {
    "as in Django 5.2": [("Ann", "ann@example.org"), ("Bo", "bo@example.org")],
    "as since Django 6.0": ["ann@example.org", "bo@example.org"],
}


@pytest.mark.parametrize("admins", ADMINS.values(), ids=ADMINS)
def test_admins_are_mailed_by_default(settings: Any, admins: list[Any]) -> None:
    del settings.ALERTS
    settings.ADMINS = admins
    settings.SERVER_EMAIL = "server@example.org"
    found = declared()
    assert checks.check_alerts() == []
    assert {rule.when: rule.above for rule in found.rules.values()} == {
        "dead_letters": 0,
        "oldest_wait": 300,
        "no_worker": 0,
        "broker_down": 0,
    }
    (receiver,) = found.receivers.values()
    assert isinstance(receiver, Admins)
    assert receiver.to == ["ann@example.org", "bo@example.org"]
    assert receiver.sender == "server@example.org"


def test_admins_are_not_mailed_of_a_cancelled_run(settings: Any) -> None:
    settings.ADMINS = ["ann@example.org"]
    settings.ALERTS = {}
    assert declared().rules == {}


@pytest.mark.parametrize("when", KINDS)
def test_every_kind_holds_with_what_is_documented(settings: Any, when: str) -> None:
    alerts(settings, {"when": when})
    (rule,) = declared().rules.values()
    kind = KINDS[when]
    assert (rule.above, rule.within, rule.to) == (kind.above, kind.within, ("ops",))
    assert (rule.lasting, rule.repeat) == (timedelta(), timedelta(hours=4))
    assert rule.resolved


def test_durations_are_timedeltas_or_seconds(settings: Any) -> None:
    given = {"above": timedelta(minutes=2), "for": 90, "repeat": None}
    alerts(settings, {"when": "oldest_wait", **given})
    (rule,) = declared().rules.values()
    assert rule.above == 120
    assert (rule.lasting, rule.repeat) == (timedelta(seconds=90), None)


WRONG = [
    ("failures", "ALERTS['RULES']['r']: it is 'failures'; write {'when': ...}"),
    ({"when": "failure"}, "when is 'failure'; did you mean 'failures'?"),
    ({"when": "backlog", "within": 5}, "'within' goes not with 'backlog'"),
    ({"when": "backlog", "abov": 5}, "did you mean 'above'?"),
    ({"when": "backlog", "above": "many"}, "above is 'many'; it must be a number of 0"),
    ({"when": "backlog", "above": -1}, "above is -1; it must be"),
    ({"when": "backlog", "above": float("nan")}, "above is nan; it must be"),
    ({"when": "failures", "within": 0}, "within is 0; it must be a timedelta"),
    ({"when": "failures", "within": 1e300}, "within is 1e+300; it must be"),
    ({"when": "failures", "for": True}, "for is True; it must be a timedelta"),
    ({"when": "failures", "repeat": 0}, "repeat is 0; it must be a timedelta"),
    ({"when": "failures", "resolved": 1}, "resolved is 1; it must be True or False"),
    ({"when": "failures", "to": "ops"}, "to is 'ops'; it must be a list"),
    ({"when": "failures", "to": ["opps"]}, "did you mean 'ops'?"),
    ({"when": "failures", "to": []}, "nobody is told"),
    ({"when": "failures", "broker": "defualt"}, "did you mean 'default'?"),
    ({"when": "failures", "actor": 7}, "actor is 7; it must be a name"),
]


@pytest.mark.parametrize(("rule", "says"), WRONG)
def test_bad_rule_is_an_error(settings: Any, rule: Any, says: str) -> None:
    alerts(settings, rule)
    (found,) = checks.check_alerts()
    assert found.id == "switchyard.E010"
    assert found.msg.startswith("ALERTS['RULES']['r']: ")
    assert says in found.msg
    assert "docs/how-to/alerts.md" in found.hint


HOOK = {"type": "webhook", "url": "https://hooks.example.org/x", "secret": "x" * 16}
WRONG_RECEIVERS = [
    ("ops@example.org", "it must be a dict, {'type': 'email', ...}"),
    ({"type": "mail"}, "type is 'mail'; it must be one of admins, email, webhook"),
    ({"type": "a.b"}, "type is 'a.b': No module named 'a'"),
    ({"type": "email", "to": "ops@example.org"}, "it must be a list of addresses"),
    ({"type": "email", "to": ["ops"]}, "'ops', which is no address"),
    ({"type": "admins"}, "ADMINS is empty"),
    ({"type": "email"}, "missing 1 required positional argument: 'to'"),
    ({**HOOK, "secret": "short"}, "secret must be a text of 16 characters or more"),
    ({**HOOK, "url": "ftp://x/"}, "url must be like https://host/path"),
    ({**HOOK, "url": "https://x:y/"}, "url must be like https://host/path"),
    ({**HOOK, "url": "https://x/a b"}, "url must be like https://host/path"),
    ({**HOOK, "url": "https://x/\r\nA: b"}, "url must be a text of plain characters"),
    ({**HOOK, "url": "https://u:hunter2@x/"}, "url has a user or a password"),
]


@pytest.mark.parametrize(("receiver", "says"), WRONG_RECEIVERS)
def test_bad_receiver_is_an_error(settings: Any, receiver: Any, says: str) -> None:
    alerts(settings, None, receiver)
    (found,) = checks.check_alerts()
    assert found.msg.startswith("ALERTS['RECEIVERS']['ops']: ")
    assert says in found.msg
    assert "hunter2" not in found.msg


def test_all_mistakes_are_named_and_correct_entries_hold(settings: Any) -> None:
    alerts(settings, {"when": "failures"}, ALOW_NETWORKS=[])
    settings.ALERTS["RULES"]["bad"] = {"when": "never"}
    found = [one.msg for one in checks.check_alerts()]
    assert len(found) == 2
    assert "Did you mean 'ALLOW_NETWORKS'?" in found[0]
    assert list(declared().rules) == ["r"]


@pytest.mark.parametrize("given", ["10.0.0.0/8", ["10.0.0.1/8"], ["here"]])
def test_networks_that_cannot_be_are_an_error(settings: Any, given: Any) -> None:
    alerts(settings, ALLOW_NETWORKS=given)
    (found,) = checks.check_alerts()
    assert found.msg.startswith("ALERTS['ALLOW_NETWORKS']: ")


def test_plain_text_to_a_webhook_is_warned_of_at_deployment(settings: Any) -> None:
    alerts(settings, None, HOOK)
    assert checks.check_receivers() == []
    alerts(settings, None, {**HOOK, "url": "http://hooks.example.org/x"})
    (found,) = checks.check_receivers()
    assert found.id == "switchyard.W109"


def test_every_key_of_a_kind_is_one_of_a_rule(settings: Any) -> None:
    numbers = {"above": 1, "within": 60, "at_least": 1}
    for when, kind in KINDS.items():
        values = {key: numbers.get(key, "default") for key in kind.keys}
        alerts(settings, {"when": when, "for": 1, "repeat": 1, "to": ["ops"], **values})
        assert checks.check_alerts() == [], when
    assert set(COMMON) == {"when", "for", "repeat", "resolved", "to"}
