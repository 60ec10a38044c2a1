"""What the tests of /metrics read, and the rows that they read of."""

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from core import actor, runs
from core.models import Run, State, Worker
from core.runs import later
from core.testing import advance_time

TOKEN = "a token as long as it should be"


@actor(actor_name="test.metrics.counted", queue_name="counted")
def counted() -> None:
    """Be in a queue."""


def get(**headers: str) -> Any:
    return Client(headers=headers).get("/metrics")


def scrape(**headers: str) -> str:
    answer = get(authorization=f"Bearer {TOKEN}", **headers)
    assert answer.status_code == 200
    return answer.content.decode()


def samples(name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a name that have these labels, by their other labels."""
    found = {}
    for family in text_string_to_metric_families(scrape()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                others = {k: v for k, v in sample.labels.items() if k not in labels}
                found[tuple(others.values())] = sample.value
    return found


def insert(state: State, due: Any, **fields: Any) -> Run:
    values = {
        "broker": "default",
        "actor_name": counted.actor_name,
        "queue_name": "counted",
        "created_at": Now(),
        "due_at": due,
        "state": state,
        "started_at": Now() if state is State.RUNNING else None,
    }
    return Run.objects.create(**values | fields)


def worker(name: str, threads: int = 4, lease: float = 60, **fields: Any) -> None:
    values = {
        "broker": "default",
        "engine": "celery",
        "host": "here",
        "pid": 1,
        "queues": ["counted"],
        "started_at": Now(),
    }
    Worker.objects.create(
        name=name, threads=threads, lease_until=later(lease), **values | fields
    )


def roll_up() -> None:
    """Let two minutes pass, and count what has ended."""
    advance_time(timedelta(minutes=2))
    while runs.roll_up("default", "default"):
        pass
