"""/metrics says what is in the database, to those who may know."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from core.models import Effect, EffectState, Parked, State
from core.runs import NEVER, later
from tests.backends.scraping import TOKEN, get, insert, samples, scrape, worker

pytestmark = pytest.mark.django_db

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def token(settings: Any) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


# Who may know.


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9"]
)
def test_metrics_are_refused_without_the_token(token: str, given: str) -> None:
    answer = get(authorization=given)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert b"switchyard" not in answer.content


@pytest.mark.parametrize("unset", ["", None])
@pytest.mark.parametrize("given", ["Bearer ", "Bearer None"])
def test_no_token_in_the_settings_lets_nobody_in(
    settings: Any, unset: Any, given: str
) -> None:
    settings.METRICS_TOKEN = unset
    assert get(authorization=given).status_code == 401


def test_user_who_may_see_runs_may_see_their_numbers() -> None:
    user = User.objects.create_user("viewer")
    client = Client()
    client.force_login(user)
    assert client.get("/metrics").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_run"))
    assert client.get("/metrics").status_code == 200


def test_json_answer_is_not_cached_and_only_answers_get(token: str) -> None:
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert "no-store" in client.get("/metrics")["Cache-Control"]
    assert client.post("/metrics").status_code == 405


# What is told.


def test_open_runs_are_counted_by_what_they_wait_for(token: str) -> None:
    insert(State.PENDING, later(60))
    insert(State.PENDING, NEVER)
    insert(State.PENDING, later(-1))
    insert(State.QUEUED, later(-1))
    for _ in range(3):
        insert(State.RUNNING, later(-1))
    insert(State.SUCCEEDED, later(-1))
    assert samples("switchyard_queue_runs", broker="default", queue="counted") == {
        ("scheduled",): 2,
        ("due",): 1,
        ("queued",): 1,
        ("running",): 3,
    }


@pytest.mark.parametrize("state", [State.PENDING, State.QUEUED])
def test_oldest_wait_counts_startable_runs(token: str, state: State) -> None:
    insert(State.PENDING, later(60))
    insert(State.RUNNING, later(-500))
    insert(state, later(-100))
    insert(state, later(-5))
    name = "switchyard_queue_oldest_wait_seconds"
    (oldest,) = samples(name, broker="default", queue="counted").values()
    assert 100 <= oldest < 130


def test_oldest_wait_is_the_longest_on_both_sides_of_the_broker(token: str) -> None:
    name = "switchyard_queue_oldest_wait_seconds"
    insert(State.PENDING, later(60))
    assert samples(name, broker="default", queue="counted") == {(): 0}
    insert(State.PENDING, later(-100))
    insert(State.QUEUED, later(-5))
    (oldest,) = samples(name, broker="default", queue="counted").values()
    assert 100 <= oldest < 130


def test_empty_queue_is_listed(token: str) -> None:
    line = {"broker": "default", "queue": "counted"}
    assert samples("switchyard_queue_oldest_wait_seconds", **line) == {(): 0}
    assert set(samples("switchyard_queue_runs", **line).values()) == {0}
    assert samples("switchyard_queue_workers", **line) == {(): 0}
    assert samples("switchyard_dead_runs", **line) == {(): 0}


def test_workers_of_both_engines_are_counted_while_they_live(token: str) -> None:
    worker("a")
    worker("b", threads=8, queues=["counted", "other"])
    worker("c", engine="dramatiq", queues=["other"], rss=2**20)
    worker("silent", lease=-1)
    worker("a scheduler", threads=0)
    assert samples("switchyard_workers", broker="default") == {
        ("celery",): 2,
        ("dramatiq",): 1,
        ("inprocess",): 0,
    }
    assert samples("switchyard_worker_threads", broker="default")[("celery",)] == 12
    memory = samples("switchyard_worker_resident_memory_bytes", broker="default")
    assert memory[("dramatiq",)] == 2**20
    workers = samples("switchyard_queue_workers", broker="default")
    assert (workers[("counted",)], workers[("other",)]) == (2, 2)


def test_dead_parked_and_unknown_are_counted(token: str) -> None:
    insert(State.DEAD, later(-1), finished_at=Now())
    Parked.objects.create(broker="default", size=1, parked_at=Now())
    for number, state in enumerate((EffectState.UNKNOWN, EffectState.DONE)):
        Effect.objects.create(key=str(number), state=state, intended_at=Now())
    dead = samples("switchyard_dead_runs", broker="default", queue="counted")
    assert dead == {(): 1}
    assert samples("switchyard_parked_messages", broker="default") == {(): 1}
    assert samples("switchyard_unknown_effects") == {(): 1}


# All of it.


def test_runs_of_a_removed_alias_are_not_listed(token: str) -> None:
    insert(State.PENDING, later(-1), broker="gone")
    assert "gone" not in scrape()


def test_log_format_is_the_one_of_the_setting(token: str) -> None:
    text = scrape(accept=OPENMETRICS)
    assert text.endswith("# EOF\n")
    told = {family.name for family in parse_openmetrics(text)}
    assert told == {family.name for family in text_string_to_metric_families(scrape())}


def test_names_are_as_prometheus_wants_them(token: str) -> None:
    for family in text_string_to_metric_families(scrape()):
        assert family.name.startswith("switchyard_")
        assert family.documentation
        assert not family.name.endswith(("_ms", "_minutes", "_count", "_sum"))
        assert family.type != "gauge" or not family.name.endswith("_total")
