"""What each kind of rule finds wrong, and that it finds nothing where nothing is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from core import actor, every, runs
from core.alerts.measures import Finding, Look, find
from core.alerts.plan import declared
from core.models import Fire, FireState, Parked, Run, Schedule, State, Worker
from core.monitoring import served
from core.monitoring.probing import DEADLINE
from core.schedules.missed import MISSED, OVERLAP
from core.testing import advance_time, drain
from tests.core.monitoring.conftest import _away  # noqa: F401  # a fixture of both
from tests.core.monitoring.figures import ALIAS, breaks, roll_up, works

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("_rehearsed"),
]
FAILS = f"{breaks.actor_name} in brittle"


@actor(actor_name="test.alerts.never", broker="celery_valkey", queue_name="lonely")
def never() -> None:
    """Wait for a worker that is not there."""


def found(settings: Any, when: str, **given: Any) -> list[Finding]:
    settings.ALERTS = {
        "RULES": {"r": {"when": when, **given}},
        "RECEIVERS": {"log": {"type": "log"}},
    }
    assert declared().errors == ()
    return list(find(declared().rules["r"], Look("default")))


def subjects(settings: Any, when: str, **given: Any) -> list[str]:
    return [one.subject for one in found(settings, when, **given)]


def fail(times: int = 3) -> None:
    for _ in range(times):
        breaks.send()
    drain()


def test_failures_are_counted_at_once_and_by_actor(settings: Any) -> None:
    works.send()
    fail(3)
    (one,) = found(settings, "failures", above=2)
    assert (one.broker, one.subject, one.value) == (ALIAS, FAILS, 3)
    assert one.says == f"{FAILS} of {ALIAS}: 3 attempts failed in 5m"
    assert one.see == ("manage.py tasks errors --period 5m",)
    assert subjects(settings, "failures", above=3) == []


def test_old_failures_do_not_count(settings: Any) -> None:
    fail(3)
    advance_time(timedelta(minutes=6))
    assert subjects(settings, "failures", above=2) == []
    assert subjects(settings, "failures", above=2, within=600) == [FAILS]


@pytest.mark.parametrize(
    ("only", "is_meant"),
    [
        ({"actor": breaks.actor_name}, True),
        ({"actor": works.actor_name}, False),
        ({"queue": "brittle"}, True),
        ({"queue": "default"}, False),
        ({"broker": ALIAS}, True),
        ({"broker": "inprocess"}, False),
    ],
)
def test_rule_is_about_what_it_names(
    settings: Any, only: dict[str, str], is_meant: bool
) -> None:
    fail(1)
    assert bool(subjects(settings, "dead_letters", **only)) is is_meant


def test_failure_rate_counts_what_succeeded_rolled_up_or_not(settings: Any) -> None:
    for word in ("cold", "hot"):
        run = Run.objects.get(pk=breaks.send(word).message_id)
        Run.objects.filter(pk=run.pk).update(
            state=State.SUCCEEDED, started_at=run.due_at, finished_at=run.due_at
        )
        roll_up()
    fail(2)
    (one,) = found(settings, "failure_rate", above=0.4, at_least=4)
    assert one.value == pytest.approx(0.5)
    assert "50% of 4 attempts failed" in one.says
    assert found(settings, "failure_rate", above=0.5, at_least=4) == []
    assert found(settings, "failure_rate", above=0.4, at_least=5) == []
    Run.objects.filter(state=State.SUCCEEDED).update(finished_at=Now())
    assert "6 attempts" in found(settings, "failure_rate", above=0, at_least=4)[0].says


def test_backlog_counts_what_might_start(settings: Any) -> None:
    for _ in range(3):
        breaks.send()
    breaks.using(delay=timedelta(hours=1)).send()
    (one,) = found(settings, "backlog", above=2)
    assert (one.subject, one.value) == ("brittle", 3)
    assert one.see[1] == f"manage.py worker --broker {ALIAS} --queues brittle"
    assert subjects(settings, "backlog", above=3) == []


def test_oldest_wait_raises_an_alert(settings: Any) -> None:
    breaks.send()
    assert subjects(settings, "oldest_wait", above=60) == []
    advance_time(timedelta(seconds=90))
    (one,) = found(settings, "oldest_wait", above=60)
    assert one.says == f"queue brittle of {ALIAS}: the oldest run has waited for 90 s"


def test_dead_letters_are_those_that_are_dead_still(settings: Any) -> None:
    fail(2)
    (one,) = found(settings, "dead_letters", above=1)
    assert (one.subject, one.value) == (FAILS, 2)
    dead = [run.pk for run in Run.objects.filter(state=State.DEAD)]
    runs.requeue("default", dead[:1])
    assert found(settings, "dead_letters", above=1) == []


def test_parked_bodies_are_dead_letters(settings: Any) -> None:
    values = {"broker": ALIAS, "queue": "q", "payload": b"?", "size": 1, "reason": "no"}
    Parked.objects.create(parked_at=Now(), **values)
    assert subjects(settings, "dead_letters") == ["parked messages"]
    assert subjects(settings, "dead_letters", queue="brittle") == []
    Parked.objects.update(parked_at=runs.later(-3700))
    assert subjects(settings, "dead_letters") == []


def test_poison_alert_counts_only_poisoned_runs(settings: Any) -> None:
    fail(2)
    assert subjects(settings, "poison") == []
    one = Run.objects.filter(state=State.DEAD)[0]
    Run.objects.filter(pk=one.pk).update(error="poison: its process died, 3 times")
    assert subjects(settings, "poison") == [FAILS]


def test_queue_with_work_and_no_live_worker_is_found(settings: Any) -> None:
    assert subjects(settings, "no_worker") == []
    never.send()
    breaks.send()  # the alias "default" needs no worker
    (one,) = found(settings, "no_worker")
    assert (one.broker, one.subject, one.value) == ("celery_valkey", "lonely", 1)
    Worker.objects.create(
        name="w",
        broker="celery_valkey",
        host="h",
        pid=1,
        queues=["lonely", "other"],
        threads=2,
        started_at=Now(),
        lease_until=runs.later(15),
    )
    assert served("celery_valkey") == {"lonely", "other"}
    assert subjects(settings, "no_worker") == []
    Worker.objects.update(lease_until=runs.later(-1))
    assert subjects(settings, "no_worker") == ["lonely"]


def schedule(**changes: Any) -> Schedule:
    row = Schedule(
        name="nightly",
        actor_name=works.actor_name,
        trigger=every(hours=1).asdict(),
    )
    row.save()
    Schedule.objects.filter(pk=row.pk).update(**changes)
    return row


def test_slot_that_nobody_looks_at_is_missed(settings: Any) -> None:
    row = schedule(next_at=runs.later(-45))
    (one,) = found(settings, "missed_slot")
    assert one.subject == "nightly"
    assert "due for 45 s, and no scheduler has looked" in one.says
    assert one.see[0] == "manage.py scheduler"
    assert found(settings, "missed_slot", above=60) == []
    assert found(settings, "missed_slot", schedule="weekly") == []
    Schedule.objects.filter(pk=row.pk).update(paused=True)
    assert found(settings, "missed_slot") == []


def test_slot_that_was_skipped_for_being_late_is_missed(settings: Any) -> None:
    row = schedule(next_at=runs.later(3600))
    skipped = {"schedule": row, "state": FireState.SKIPPED, "decided_at": Now()}
    Fire.objects.create(slot=runs.later(-60), reason=OVERLAP, **skipped)
    assert found(settings, "missed_slot") == []
    Fire.objects.create(slot=runs.later(-30), reason=MISSED, **skipped)
    assert "slots were missed 1 times in 1h" in found(settings, "missed_slot")[0].says


def test_schedule_that_cannot_be_sent_is_reported_without_its_error(
    settings: Any,
) -> None:
    schedule(next_at=runs.later(60), error="the password is hunter2")
    (one,) = found(settings, "missed_slot")
    assert "cannot be sent" in one.says
    assert "hunter2" not in str(one)


@pytest.mark.usefixtures("_away")
def test_broker_that_is_down_or_silent_is_found_in_time(settings: Any) -> None:
    found_down = found(settings, "broker_down")
    assert [one.broker for one in found_down] == ["down", "silent"]
    says = "the broker of 'down' (celery) does not answer"
    assert (found_down[0].says, found_down[0].value) == (says, None)
    assert DEADLINE <= 1
    assert [one.broker for one in found(settings, "broker_down", broker="down")] == [
        "down"
    ]
