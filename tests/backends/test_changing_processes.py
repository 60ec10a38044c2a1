"""Processes that give way to new ones, and as many of them as there is work for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core.models import Run
from tests.conformance.models import Gate
from tests.conformance.stacks import PROCESSES, THREADS, Stack, effects
from tests.conformance.tasks import grow, hold, note_once
from tests.services.valkey import Valkey
from tests.services.waiting import PATIENCE, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: A process that ought to be there is up, s.
UP = 20 * PATIENCE
Start = Callable[..., Stack]


@pytest.fixture(params=["celery_valkey", "dramatiq_valkey"])
def start(
    request: pytest.FixtureRequest, valkey: Valkey, tmp_path: Path
) -> Iterator[Start]:
    """Start a worker command with options of its own."""
    running = []

    def start(*options: str) -> Stack:
        environment = {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}
        log = tmp_path / "worker.log"
        stack = Stack(request.param, valkey, log, environment, options)
        manager = stack.running()
        running.append(manager)
        return manager.__enter__()

    yield start
    for manager in running:
        manager.__exit__(None, None, None)


def test_process_gives_way_after_so_many_runs_and_nothing_is_lost(start: Start) -> None:
    stack = start(f"--processes={PROCESSES}", f"--threads={THREADS}", "--max-runs=5")
    messages = []

    def replaced() -> bool:
        messages.append(stack.send(note_once, "recycled"))
        stack.finish(messages[-1])
        return Run.objects.values("worker").distinct().count() > PROCESSES + 1

    wait_for(replaced, UP, f"others take over\n{stack.tail()}")
    assert {message.status() for message in messages} == {"succeeded"}
    assert effects("recycled") == len(messages)
    assert "gives way to a new one: it has taken" in stack.log.read_text()


def test_process_that_has_grown_gives_way(start: Start) -> None:
    # Once it has run something it is larger than before.
    stack = start(f"--processes={PROCESSES}", "--max-memory=400")
    stack.finish(stack.send(note_once, "small"))
    before = {worker.name for worker in stack.workers()}
    stack.finish(stack.send(grow, 500))
    gone = lambda: before - {worker.name for worker in stack.workers()}  # noqa: E731  # a condition
    wait_for(gone, UP, f"it is replaced\n{stack.tail()}")
    assert stack.finish(stack.send(note_once, "small")) == "succeeded"
    assert "gives way to a new one: it has grown to" in stack.log.read_text()


def test_more_processes_run_while_runs_wait(start: Start) -> None:
    stack = start("--autoscale=1,3", f"--threads={THREADS}")
    messages = [stack.send(hold, "crowd") for _ in range(4 * THREADS)]
    full = lambda: len(stack.workers()) == 3  # noqa: E731  # a condition
    wait_for(full, UP, f"there are three\n{stack.tail()}")
    Gate.objects.create(key="crowd")
    assert {stack.finish(message) for message in messages} == {"succeeded"}
    assert effects("crowd") == len(messages)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            ["--max-memory=1"],
            "--max-memory=1: a process has [0-9]+ MB before",
        ),
        (["--max-runs=0"], "'0' must be a whole number over 0"),
        (["--autoscale=3"], "'3' is no MIN,MAX; write 2,8"),
        (["--autoscale=3,2"], "'3,2': MIN is over MAX"),
        (["--autoscale=1,2", "--processes=2"], "leave --processes out"),
    ],
)
def test_bad_autoscale_bounds_are_refused(options: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        call_command("worker", *options)
