"""/metrics counts what has ended, and no counter falls."""

from typing import Any

import pytest
from django.db.models.functions import Now
from prometheus_client.parser import text_string_to_metric_families

from core import runs
from core.models import Rollup, Run, State
from core.models.rollup import SPANS
from core.options.retention import Keep, Retention
from core.runs import later
from core.runs.histogram import BOUNDS
from tests.backends.scraping import TOKEN, counted, insert, roll_up, samples, scrape

pytestmark = pytest.mark.django_db

LINE = {"broker": "default", "queue": "counted", "actor": counted.actor_name}


@pytest.fixture
def token(settings: Any) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def end(state: State, waited: float = 0, took: float = 0) -> None:
    """Have a run that has just ended, and that waited and took so long, in seconds."""
    insert(
        state,
        later(-took - waited),
        started_at=later(-took),
        finished_at=Now(),
    )


def test_ends_are_counted_by_outcome(token: str) -> None:
    for state in (State.SUCCEEDED, State.SUCCEEDED, State.DEAD, State.CANCELLED):
        end(state)
    roll_up()
    assert samples("switchyard_runs_total", **LINE) == {
        ("succeeded",): 2,
        ("dead",): 1,
        ("cancelled",): 1,
    }


def test_actor_that_has_not_run_is_listed_with_zeros(token: str) -> None:
    assert set(samples("switchyard_runs_total", **LINE).values()) == {0}
    assert samples("switchyard_failed_attempts_total", **LINE) == {(): 0}


def test_failed_attempts_are_counted(token: str) -> None:
    roll_up()  # from now on
    run = insert(State.PENDING, later(60))
    times = {"started_at": later(-1), "finished_at": Now()}
    for number in (1, 2):
        run.attempts.create(
            number=number, outcome="failed", traceback="in counted", **times
        )
    roll_up()
    assert samples("switchyard_failed_attempts_total", **LINE) == {(): 2}


def test_durations_are_in_the_buckets_that_hold_them(token: str) -> None:
    end(State.SUCCEEDED, waited=1.2, took=0.5)
    end(State.DEAD, waited=1.2, took=100)
    end(State.CANCELLED, waited=1000, took=1000)
    roll_up()
    for name, durations in (
        ("switchyard_run_wait_seconds_bucket", [1.2, 1.2]),
        ("switchyard_run_duration_seconds_bucket", [0.5, 100]),
    ):
        told = {float(bound): n for (bound,), n in samples(name, **LINE).items()}
        assert told == {
            bound: sum(took <= bound for took in durations) for bound in told
        }
        assert max(told) == float("inf")
        assert set(told) < {bound / 1000 for bound in BOUNDS} | {float("inf")}


def test_counters_do_not_fall_when_all_that_they_counted_is_deleted(
    token: str,
) -> None:
    end(State.SUCCEEDED, waited=1.2)
    roll_up()
    before = scrape()
    nothing = Retention(**dict.fromkeys(("succeeded", "rollups"), Keep(age=0)))
    while runs.prune("default", "default", nothing):
        pass
    assert not Run.objects.exists()
    assert not Rollup.objects.filter(span__in=SPANS).exists()
    assert counters(scrape()) == counters(before)
    end(State.SUCCEEDED)
    roll_up()
    assert samples("switchyard_runs_total", **LINE)[("succeeded",)] == 2


def counters(text: str) -> list[Any]:
    return [
        sample
        for family in text_string_to_metric_families(text)
        if family.type in ("counter", "histogram")
        for sample in family.samples
    ]


def test_counters_say_until_when_they_count(token: str) -> None:
    roll_up()
    (until,) = samples(
        "switchyard_counted_until_timestamp_seconds", broker="default"
    ).values()
    assert until % 60 == 0
