"""What an operator sees of a request and its tasks, from outside of all processes."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from celery import Celery

from tests.observed.conftest import TOKEN, Observed
from tests.services.waiting import wait_for

pytestmark = pytest.mark.slow

#: Let them pass, as the database has it: minutes are counted when they are over.
TWO_MINUTES = """
from datetime import timedelta
from core.testing import advance_time
advance_time(timedelta(minutes=2))
"""
ACTORS = ["direct", "first", "flaky", "flaky", "second", "told"]


def get(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
        return answer.read().decode()


def send(observed: Observed) -> None:
    """Ask the shop for all messages; say why if it cannot."""
    try:
        get(observed.url + "/send")
    except HTTPError as error:
        pytest.fail(f"{error}\n{observed.log.with_name('web.log').read_text()[-9000:]}")


def objects(file: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of a file; its last line may be in the making."""
    lines = file.read_text().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return [json.loads(line) for line in whole if line.startswith("{")]


def bodies(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [span for span in spans if span["name"].startswith("process ")]


def test_request_and_all_that_follows_are_one_trace_and_named_in_the_log(
    observed: Observed,
) -> None:
    send(observed)
    wait_for(lambda: len(bodies(objects(observed.spans))) >= len(ACTORS), 60)
    spans = objects(observed.spans)
    (request,) = [span for span in spans if span["name"] == "GET /send"]
    ours = [span for span in spans if span["name"] != "GET /"]
    assert {s["context"]["trace_id"] for s in ours} == {request["context"]["trace_id"]}
    told = [span["attributes"] for span in bodies(spans)]
    assert sorted(one["switchyard.actor"].rpartition(".")[2] for one in told) == ACTORS
    engine = observed.environment["TASK_BACKEND"]
    assert {one["messaging.system"] for one in told} == {engine}
    pids = {span["resource"]["attributes"]["process.pid"] for span in bodies(spans)}
    assert request["resource"]["attributes"]["process.pid"] not in pids
    assert "hunter2" not in observed.spans.read_text()
    check_log(observed.log, told)


def check_log(log: Path, told: list[dict[str, Any]]) -> None:
    """Hold each body's line to the run that its span tells of."""
    lines = [line for line in objects(log) if line["logger"] == "tests.observed.tasks"]
    assert sorted(of_line(line) for line in lines) == sorted(map(of_span, told))
    (first,) = [line for line in lines if line["message"] == "First."]
    assert (first["step"], first["queue"]) == (1, "default")


def of_line(line: dict[str, Any]) -> tuple[str, str, int]:
    return line["actor"], line["run_id"], line["attempt"]


def of_span(span: dict[str, Any]) -> tuple[str, str, int]:
    return (
        span["switchyard.actor"],
        span["messaging.message.id"],
        span["switchyard.attempt"],
    )


@pytest.mark.parametrize("observed", ["celery"], indirect=True)
def test_flower_sees_each_message_under_the_name_of_its_actor(
    observed: Observed,
) -> None:
    # What Flower does: it listens to events, and asks.
    flower = Celery(broker=observed.environment["BROKER_URL"], set_as_current=False)
    seen = flower.events.State()
    with flower.connection_for_read() as connection:
        receiver = flower.events.Receiver(connection, handlers={"*": seen.event})
        events = receiver.itercapture(timeout=30)
        next(events)  # a worker's heartbeat
        send(observed)
        while len(ended := [t for t in seen.tasks.values() if t.succeeded]) < 5:
            next(events)
        # A worker tells of a task before its first heartbeat, which has its pid.
        while not all(worker.pid for worker in seen.workers.values()):
            next(events)
        registered: dict[str, list[str]] = {}

        def answered() -> bool:
            # A process hears from a moment after its first heartbeat on.
            registered.update(flower.control.inspect(timeout=2).registered() or {})
            return len(registered) == 2

        wait_for(answered, 60, "both processes answer")
    prefix = "tests.observed.tasks."
    assert sorted(task.name for task in ended) == [
        prefix + name for name in sorted(set(ACTORS))
    ]
    assert {task.args for task in ended} == {task.uuid for task in ended}
    for names in registered.values():
        assert {task.name for task in ended} < set(names)


def test_prometheus_reads_of_all_processes_from_one(observed: Observed) -> None:
    def told() -> dict[str, float]:
        text = get(observed.url + "/metrics", Authorization=f"Bearer {TOKEN}")
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        pairs = (line.rsplit(" ", 1) for line in lines)
        return {name: float(value) for name, value in pairs}

    def ended(actor: str) -> float:
        place = f'actor="tests.observed.tasks.{actor}",broker="default"'
        outcome = 'outcome="succeeded",queue="default"'
        return told()[f"switchyard_runs_total{{{place},{outcome}}}"]

    engine = observed.environment["TASK_BACKEND"]
    workers = f'switchyard_workers{{broker="default",engine="{engine}"}}'
    wait_for(lambda: told()[workers] == 2, 60, "both workers are told of")
    send(observed)
    wait_for(lambda: len(bodies(objects(observed.spans))) >= len(ACTORS), 60)
    observed.manage("shell", "-c", TWO_MINUTES)
    wait_for(lambda: ended("second") == 1, 30, "the workers' parent has counted")
    assert [ended(actor) for actor in ("first", "flaky", "told")] == [1, 1, 1]
