"""Alerts of real faults: each is told once, in time, to a mail server and a webhook.

Several processes look and send all the while. It takes minutes: `make faults` runs it.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.alerts.notices import CLAIM
from tests.faults.matrix import COMBINATIONS, Case
from tests.faults.processes import Program
from tests.faults.rig import Rig
from tests.faults.sizes import FULL
from tests.services.faults import down
from tests.services.waiting import wait_for
from tests.services.webhooks import Webhooks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FULL, reason="takes minutes: make faults"),
]

#: An alert is told within so many seconds of what it is about, s.
IN_TIME = 60
RULES = {
    "failing": {"when": "failures", "above": 5, "within": 45, "repeat": 20},
    "full": {"when": "backlog", "above": 40},
    "alone": {"when": "no_worker"},
    "down": {"when": "broker_down", "for": 5},
    # Not of the shop's own: one that is due each minute may be missed as well.
    "missed": {"when": "missed_slot", "within": 45, "schedule": "often"},
}
ADDRESS = "ops@example.org"
SENDS = "from tests.faults.tasks import fails, slow;"


class Told:
    """What has arrived, by mail and at the webhook."""

    def __init__(self, rig: Rig, hooks: Webhooks) -> None:
        self.rig = rig
        self.hooks = hooks

    def mails(self, word: str, rule: str) -> int:
        subjects = [str(mail["Subject"]) for mail in self.rig.smtp.to(ADDRESS)]
        return sum(f"{word} {rule}: " in subject for subject in subjects)

    def until(self, rule: str, event: str, seconds: float = IN_TIME) -> None:
        """Wait until both have been told, and note how long it took."""
        word = {"firing": "ALERT", "resolved": "RESOLVED", "repeated": "STILL"}[event]
        start = time.monotonic()
        both = lambda: (  # noqa: E731  # a condition
            len(self.hooks.of(rule, event)) >= 1 and self.mails(word, rule) >= 1
        )
        self.wait(both, seconds, f"{rule} is {event}")
        took = round(time.monotonic() - start, 1)
        self.rig.measured[f"{rule} {event}"] = took
        assert len(self.hooks.of(rule, event)) == 1
        assert self.mails(word, rule) == 1
        assert len(self.hooks.of(rule, "firing")) == 1

    def wait(self, condition: Callable[[], Any], seconds: float, what: str) -> None:
        """Wait for a condition; if it is late, show what the processes said."""
        try:
            wait_for(condition, seconds, what)
        except TimeoutError as error:
            error.add_note(self.rig.tails())
            raise


@pytest.fixture
def told(rig: Rig) -> Iterator[Told]:
    with Webhooks() as hooks:
        hook = {"type": "webhook", "url": hooks.url, "secret": "a key of the tests"}
        mail = {"type": "email", "to": [ADDRESS]}
        alerts: dict[str, Any] = {
            "RULES": RULES,
            "RECEIVERS": {"mail": mail, "hook": hook},
            "ALLOW_NETWORKS": ["127.0.0.0/8"],
        }
        rig.more = {"FAULTS_ALERTS": json.dumps(alerts)}
        yield Told(rig, hooks)


def on_both_engines(test: Any) -> Any:
    """Try it on both engines and both brokers; ALL_ALERTS=1: on all combinations."""
    chosen = COMBINATIONS if "ALL_ALERTS" in os.environ else COMBINATIONS[:2]
    cases = [Case("alerts", None, engine, broker, 0, 0) for engine, broker in chosen]
    names = [f"{case.engine}-{case.broker}" for case in cases]
    return pytest.mark.parametrize("case", cases, ids=names)(test)


def several(rig: Rig) -> Program:
    """Start several processes that look and send; return the scheduler."""
    scheduler = rig.start("scheduler", "scheduler")
    rig.work()
    rig.work(processes=1)
    return scheduler


@on_both_engines
def test_failing_actor_raises_one_alert_and_a_reminder(
    case: Case, rig: Rig, told: Told
) -> None:
    several(rig)
    rig.manage("shell", "-c", f"{SENDS} [fails.send() for _ in range(8)]")
    told.until("failing", "firing")
    told.until("failing", "repeated", seconds=20 + IN_TIME)
    told.until("failing", "resolved", seconds=45 + IN_TIME)


@on_both_engines
def test_backlog_raises_one_alert(case: Case, rig: Rig, told: Told) -> None:
    several(rig)
    rig.manage("shell", "-c", f"{SENDS} [slow.send(1.0) for _ in range(500)]")
    told.until("full", "firing")
    told.until("full", "resolved", seconds=2 * IN_TIME)


@on_both_engines
def test_killed_workers_raise_one_alert(case: Case, rig: Rig, told: Told) -> None:
    several(rig)
    for crew in rig.crews:
        crew.kill()
    told.until("alone", "firing")  # the schedule goes on sending
    rig.work()
    told.until("alone", "resolved")


@on_both_engines
def test_stopped_broker_raises_one_alert(case: Case, rig: Rig, told: Told) -> None:
    several(rig)
    with down(rig.broker):
        told.until("down", "firing")
    told.until("down", "resolved")


@on_both_engines
def test_missed_slot_raises_one_alert(case: Case, rig: Rig, told: Told) -> None:
    scheduler = several(rig)
    fires = "SELECT count(*) FROM core_fire"
    told.wait(lambda: rig.books.number(fires), IN_TIME, "a slot fires")
    scheduler.kill()
    told.until("missed", "firing", seconds=20 + IN_TIME)  # the next slot comes first
    rig.start("another-scheduler", "scheduler")
    told.until("missed", "resolved", seconds=45 + IN_TIME)


@on_both_engines
def test_worker_that_never_reached_its_broker_tells_that_it_is_down(
    case: Case, rig: Rig, told: Told
) -> None:
    with down(rig.broker):
        rig.start("worker", "worker", "--processes=1")
        told.until("down", "firing")
    told.until("down", "resolved")


@on_both_engines
def test_alert_of_a_sender_that_died_is_late_and_not_lost(
    case: Case, rig: Rig, told: Told
) -> None:
    told.hooks.may_answer.clear()
    first = rig.work()
    rig.manage("shell", "-c", f"{SENDS} [fails.send() for _ in range(8)]")
    told.wait(lambda: told.hooks.of("failing", "firing"), IN_TIME, "it is told")
    first.kill()
    told.hooks.may_answer.set()
    rig.work()
    told.wait(
        lambda: len(told.hooks.of("failing", "firing")) == 2,
        CLAIM + IN_TIME,
        "another tells it",
    )
    once, again = told.hooks.of("failing", "firing")
    rig.measured["late"] = round(again.at - once.at, 1)
    assert once.json["id"] == again.json["id"]
