"""Rules that are made in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from core.alerts import alerts
from core.alerts.plan import plan
from core.models import AlertRule
from tests.core.alerts.conftest import DATABASE, Declare, look, told
from tests.core.monitoring.figures import breaks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_rehearsed")]
PAGE = "/admin/core/alertrule/"
RULE = {"name": "mine", "when": "backlog", "above": "0", "to": ["log"], "repeat": "1:0"}
ON = {"enabled": "on", "resolved": "on"}


def staff(*codenames: str) -> Client:
    user = User.objects.create_user("carol", is_staff=True)
    found = Permission.objects.filter(codename__in=codenames)
    assert found.count() == len(codenames)
    user.user_permissions.add(*found)
    client = Client()
    client.force_login(user)
    return client


def make(**changes: Any) -> Any:
    client = staff("add_alertrule", "view_alertrule")
    return client.post(f"{PAGE}add/", {**RULE, **ON, **changes})


def test_rule_of_the_admin_is_looked_at(rules: Declare) -> None:
    rules()
    assert make().status_code == 302
    (rule,) = plan(DATABASE).rules.values()
    assert (rule.name, rule.to, rule.origin) == ("mine", ("log",), "admin")
    breaks.send()
    assert look()
    assert told("rule", "receiver") == [("mine", "log")]
    AlertRule.objects.update(enabled=False)
    assert alerts() == []


def test_rule_without_receivers_notifies_all(rules: Declare) -> None:
    rules()
    assert make(to=[]).status_code == 302
    (rule,) = plan(DATABASE).rules.values()
    assert rule.to == ("mail", "hook", "log")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"within": "5:0"}, "&#x27;within&#x27; goes not with &#x27;backlog&#x27;"),
        ({"broker": "nowhere"}, "broker is &#x27;nowhere&#x27;"),
        ({"name": "full"}, "has a rule of this name"),
        ({"above": "-1"}, "above is -1.0; it must be"),
        ({"to": ["nobody"]}, "nobody is not one of the available choices"),
    ],
)
def test_bad_rule_is_refused(
    rules: Declare, changes: dict[str, Any], says: str
) -> None:
    rules(full={"when": "backlog", "above": 100})
    answer = make(**changes)
    assert answer.status_code == 200
    assert says in answer.text
    assert not AlertRule.objects.exists()


def test_making_a_rule_needs_the_permission(rules: Declare) -> None:
    rules()
    answer = staff("view_alertrule", "view_alert").post(f"{PAGE}add/", {**RULE, **ON})
    assert answer.status_code == 403
    assert not AlertRule.objects.exists()


def test_outdated_rule_does_not_break_the_others(rules: Declare) -> None:
    rules(full={"when": "backlog", "above": 0, "to": ["log"]})
    AlertRule.objects.create(name="old", when="never")
    AlertRule.objects.create(name="full", when="failures")
    found = plan(DATABASE)
    assert [rule.when for rule in found.rules.values()] == ["backlog"]
    assert "Alert rule 'old': when is 'never'" in str(found.errors[0])
    breaks.send()
    assert look()


def test_alerts_and_notices_are_read_only(rules: Declare) -> None:
    rules(full={"when": "backlog", "above": 0, "to": ["log"]})
    breaks.send()
    look()
    client = staff("view_alert", "view_notice", "change_alert", "change_notice")
    for page in ("alert", "notice"):
        listed = client.get(f"/admin/core/{page}/")
        assert "1 run waits to start" in listed.text
        assert client.get(f"/admin/core/{page}/add/").status_code == 403
