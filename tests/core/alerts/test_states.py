"""When an alert fires, is told again, and is over; and whose turn it is to look."""

from datetime import timedelta

import pytest

from core.alerts import rounds
from core.alerts.measures import Look, find
from core.alerts.plan import plan
from core.models import Alert, AlertRound, Run
from core.testing import advance_time
from tests.core.alerts.conftest import DATABASE, Declare, look, told
from tests.core.monitoring.figures import breaks, works

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_rehearsed")]
BACKLOG = {"when": "backlog", "above": 1, "to": ["log"]}
SECOND = timedelta(seconds=1)


def grow() -> None:
    breaks.send()
    breaks.send()


def shrink() -> None:
    Run.objects.all().delete()


def states() -> list[str]:
    return list(Alert.objects.order_by("subject").values_list("state", flat=True))


def test_no_configuration_takes_no_turn() -> None:
    grow()
    assert not look()
    assert not AlertRound.objects.filter(number__gt=1).exists()
    assert told("pk") == []


def test_alert_is_told_once_and_when_it_is_over(rules: Declare) -> None:
    rules(full=BACKLOG)
    assert not look()
    grow()
    assert look()
    assert not look()
    assert states() == ["firing"]
    shrink()
    assert look()
    assert not look()
    assert states() == ["resolved"]
    assert told("event", "receiver") == [("firing", "log"), ("resolved", "log")]


def test_alert_fires_only_if_it_lasts(rules: Declare) -> None:
    rules(full={**BACKLOG, "for": 25})
    grow()
    assert not look()
    assert states() == ["pending"]
    assert not look(20 * SECOND)
    shrink()
    assert not look()
    assert states() == []
    grow()
    assert not look()
    assert not look(20 * SECOND)
    assert look(10 * SECOND)
    assert states() == ["firing"]


def test_alert_is_over_only_if_it_stays_well_as_long(rules: Declare) -> None:
    rules(full={**BACKLOG, "for": 15})
    grow()
    look()
    assert look(20 * SECOND)
    shrink()
    look()
    grow()
    look(20 * SECOND)
    assert states() == ["firing"]
    shrink()
    look()
    assert states() == ["firing"]
    look(20 * SECOND)
    assert states() == ["resolved"]
    assert told("event") == ["firing", "resolved"]


def test_time_without_looks_does_not_count(rules: Declare) -> None:
    rules(full={**BACKLOG, "for": 600})
    grow()
    look()
    assert not look(timedelta(hours=1))
    assert states() == ["pending"]
    for _ in range(6):
        look(100 * SECOND)
    assert states() == ["firing"]


def test_alert_is_told_again_as_often_as_set(rules: Declare) -> None:
    rules(full={**BACKLOG, "repeat": 60})
    grow()
    look()
    for _ in range(12):
        look()
    assert told("event") == ["firing", "repeated", "repeated"]


def test_without_repeat_and_resolved_one_notice_is_sent(rules: Declare) -> None:
    rules(full={**BACKLOG, "repeat": None, "resolved": False})
    grow()
    look()
    look(timedelta(days=1))
    shrink()
    look()
    assert told("event") == ["firing"]
    assert states() == ["resolved"]


def test_alert_that_comes_back_is_told_again(rules: Declare) -> None:
    rules(full=BACKLOG)
    for _ in range(2):
        grow()
        look()
        shrink()
        look()
    assert told("event") == ["firing", "resolved"] * 2
    assert Alert.objects.count() == 1


def test_alert_that_joins_later_shares_the_message(rules: Declare) -> None:
    rules(full=BACKLOG)
    grow()
    look()
    works.send()
    works.send()
    look()
    assert [len(alerts) for alerts in told("alerts")] == [1, 1]
    shrink()
    look()
    last = told("title", "alerts")[-1]
    assert "(and 1 more)" in last[0]
    assert [one["subject"] for one in last[1]] == ["brittle", "default"]


def test_only_one_process_has_the_turn(rules: Declare) -> None:
    rules(full=BACKLOG)
    rounds.take_turn(DATABASE)
    advance_time(10 * SECOND)
    first = rounds.take_turn(DATABASE)
    assert first is not None
    assert rounds.take_turn(DATABASE) is None
    advance_time(10 * SECOND)
    assert rounds.take_turn(DATABASE) == first + 1


def test_process_that_was_frozen_in_its_turn_writes_nothing(rules: Declare) -> None:
    rules(full=BACKLOG)
    grow()
    look()
    advance_time(10 * SECOND)
    frozen = rounds.take_turn(DATABASE)
    assert frozen is not None
    current = plan(DATABASE)
    saw = {"full": list(find(current.rules["full"], Look(DATABASE)))}
    shrink()
    assert look()
    assert not rounds.write(DATABASE, frozen, current, saw)
    assert states() == ["resolved"]
    assert told("event") == ["firing", "resolved"]


def test_rule_that_is_gone_is_forgotten_in_the_end_not_at_once(rules: Declare) -> None:
    rules(full=BACKLOG)
    grow()
    look()
    rules(other={**BACKLOG, "above": 100})
    look()
    assert states() == ["firing"]  # a process of another release may know the rule
    look(timedelta(days=8))
    assert states() == []
