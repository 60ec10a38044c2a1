"""Why a run has not started that its broker, or a worker, has or should have."""

from typing import Any

import pytest

from core import brokers, runs
from core.models import Outcome, Run
from core.runs import Failure
from tests.core.monitoring.explaining.asking import (
    ALIAS,
    add_worker,
    claimed,
    explain,
    reasons,
    row,
)
from tests.core.one_queue import THREADS
from tests.core.verbs import tasks, told
from tests.services.environment import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_run_whose_queue_nobody_serves_says_how_to_start_a_worker() -> None:
    add_worker(queues=["other"])
    add_worker("dead", lease_until=runs.later(-5))
    (reason,) = explain(row()).reasons
    assert reason.code == "no_worker"
    assert "those that are alive serve other" in reason.text
    assert f"manage.py worker --broker={ALIAS} --queues=default" in reason.text


@pytest.mark.usefixtures("_worker")
def test_run_whose_broker_is_away_says_so(settings: Any) -> None:
    run = row()
    config = {**settings.BROKERS[ALIAS], "URL": f"redis://127.0.0.1:{free_port()}"}
    settings.BROKERS = {**settings.BROKERS, ALIAS: config}
    brokers.forget(ALIAS)
    assert reasons(run) == ["broker_away"]


@pytest.mark.usefixtures("_worker")
def test_run_behind_others_says_how_many_and_that_the_broker_is_full() -> None:
    row(priority=-10)
    row()
    published = [row() for _ in range(2 * THREADS)]
    runs.mark("default", published, 20)
    run = row()
    behind, full = explain(run).reasons
    assert (behind.code, full.code) == ("behind", "full")
    assert behind.text.startswith("2 more urgent or older")
    assert "4 of default are at the broker, which is given 4" in full.text
    assert f"0 of {THREADS} threads are busy" in full.text


@pytest.mark.usefixtures("_worker")
def test_run_that_is_just_being_published_says_by_whom() -> None:
    by_sender = row(relay_at=runs.later(5))
    (reason,) = explain(by_sender).reasons
    assert (reason.code, reason.text[:10]) == ("publishing", "Its sender")
    by_relay = row(relay_at=runs.later(5), reserved=True)
    assert explain(by_relay).reasons[-1].text.startswith("A relay")


@pytest.mark.usefixtures("_worker")
def test_published_run_says_what_comes_before_it_and_who_is_busy() -> None:
    claimed()
    first, second = row(), row()
    runs.mark("default", [first], 20)
    Run.objects.filter(pk=first.pk).update(relay_at=runs.later(10))
    runs.mark("default", [second], 20)
    (reason,) = explain(second).reasons
    assert reason.code == "published"
    assert "1 of default come before it" in reason.text
    assert f"1 of {THREADS} threads are busy, the longest for" in reason.text


@pytest.mark.usefixtures("_worker")
def test_running_run_says_where_and_whether_its_worker_is_gone() -> None:
    assert reasons(claimed()) == ["running"]
    assert reasons(claimed("silent")) == ["running", "left"]


@pytest.mark.usefixtures("_worker")
def test_run_that_was_cancelled_while_it_crashed_starts_no_more() -> None:
    assert reasons(row(cancel_requested=True)) == ["cancelled"]


def test_run_that_has_ended_says_how() -> None:
    run = claimed()
    runs.bury("default", run, Failure(Outcome.FAILED, "ValueError: no"))
    (reason,) = explain(run).reasons
    assert reason.code == "ended"
    assert reason.text.endswith("dead: ValueError: no")


def test_command_prints_text_or_json() -> None:
    run = row()
    text = tasks("explain", str(run.pk))
    assert f"{run.pk} on {ALIAS} is pending." in text
    assert "- No live worker serves the queue default" in text
    values = told("explain", str(run.pk))
    assert values["reasons"][0]["code"] == "no_worker"
