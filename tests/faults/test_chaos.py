"""`manage.py tasks chaos` against real workers: what it proves, and what it denies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from tests.faults.matrix import COMBINATIONS, Case
from tests.faults.processes import PROJECT, Crew
from tests.faults.rig import Rig
from tests.faults.sizes import FULL, SHORT
from tests.services.waiting import wait_for

pytestmark = pytest.mark.slow

STAGING = ("--yes-this-is-staging", "--lose-direct", "--json")
Start = Callable[..., "subprocess.Popen[str]"]
CHAOS = ("manage.py", "tasks", "chaos")
FIVE = ("F1", "F7", "F4", "F5", "F24")


def on(*combinations: tuple[str, str]) -> pytest.MarkDecorator:
    """Try it on these; `make faults` on all."""
    chosen = COMBINATIONS if FULL else combinations
    cases = [Case("chaos", None, engine, broker, 0, 0) for engine, broker in chosen]
    names = [f"{case.engine}-{case.broker}" for case in cases]
    return pytest.mark.parametrize("case", cases, ids=names)


@pytest.fixture
def chaos(rig: Rig) -> Iterator[Start]:
    """Start the command, with short deadlines, beside a real worker."""
    rig.timing = dict(SHORT)
    with ExitStack() as stack:

        def start(*arguments: str) -> "subprocess.Popen[str]":
            started = subprocess.Popen(
                [sys.executable, "-Xfaulthandler", *CHAOS, *arguments],
                cwd=PROJECT,
                env={**os.environ, **rig.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(started.kill)
            return started

        yield start


def told(command: "subprocess.Popen[str]") -> dict[str, Any]:
    """Wait for its end; return what it printed: JSON, whatever the verdict."""
    try:
        out, err = command.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        command.send_signal(signal.SIGABRT)  # it prints its stacks
        out, err = command.communicate(timeout=60)
    assert out, err[-4000:]
    proof: dict[str, Any] = json.loads(out)
    return proof


def faults(proof: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in proof["faults"]}


@on(("celery", "valkey"))
def test_chaos_proves_that_nothing_is_lost_and_nothing_twice(
    case: Case, rig: Rig, chaos: Start
) -> None:
    plans_and_changes_nothing(rig.work(), rig, chaos)
    command = chaos("--minutes", "0.2", *STAGING)
    proof = told(command)
    assert command.returncode == 0, proof["verdict"] + rig.tails()
    assert proof["verdict"] == "Nothing lost, nothing twice."
    assert proof["effects_exactly_once"] == proof["sent"] > 100
    assert proof["rolled_back"] > 0
    assert proof["attempts_failed_and_retried"] > 0
    assert proof["attempts_crashed_and_rescued"] > 0
    for name in FIVE:
        assert faults(proof)[name]["done"], faults(proof)[name]
    assert faults(proof)["F1"]["slowest_recovery_s"] > 0
    assert marks(rig) == 0


@pytest.mark.skipif(not FULL, reason="takes long: make faults")
@on(("dramatiq", "valkey"))
def test_chaos_fails_where_effects_are_doubled(
    case: Case, rig: Rig, chaos: Start
) -> None:
    rig.more = {"FAULTS_MUTATION": "doubles on"}
    rig.work()
    command = chaos("--minutes", "0.2", *STAGING)
    proof = told(command)
    assert command.returncode == 1
    assert proof["verdict"].startswith("FAILED: ")
    assert proof["twice"] > 0, proof
    # What it says can be looked up.
    assert marks(rig) > proof["sent"] - proof["lost"] - proof["still_open"]


@on(("celery", "valkey"))
def test_interrupted_chaos_wakes_whom_it_froze_and_proves_what_was_sent(
    case: Case, rig: Rig, chaos: Start
) -> None:
    crew = rig.work()
    command = chaos("--minutes", "60", *STAGING)
    wait_for(lambda: frozen(crew), 180, "a worker process stands still")
    command.send_signal(signal.SIGINT)
    wait_for(lambda: not frozen(crew), 30, "it goes on")
    proof = told(command)
    assert command.returncode == 0, proof["verdict"]
    assert proof["effects_exactly_once"] == proof["sent"] > 0
    assert faults(proof)["F5"]["done"] == 1
    assert faults(proof)["F24"]["not_done_because"] == "interrupted before its turn"


def marks(rig: Rig) -> int:
    return rig.books.number("SELECT count(*) FROM core_canarymark")


def frozen(crew: Crew) -> bool:
    return any(child.status() == psutil.STATUS_STOPPED for child in crew.children())


def plans_and_changes_nothing(crew: Crew, rig: Rig, chaos: Start) -> None:
    """Assert what a dry run says, and what is said without the word of consent."""
    before = crew.children()
    plan = told(chaos("--dry-run", "--json"))
    assert len(plan["workers_to_hurt"]) == len(plan["workers"]) == crew.processes
    assert plan["queue_to_purge"] == f"{rig.name}.{rig.engine}.default.default"
    # It is the queue of `tests.faults.tasks.jot` as well.
    assert set(plan["faults"]) == set(FIVE) - {"F7"}
    assert "--lose-direct" in plan["not_done"]["F7"]
    assert crew.children() == before
    assert rig.books.number("SELECT count(*) FROM core_run") == 0
    refused = chaos("--minutes", "0.1")
    assert "--yes-this-is-staging" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 1
    assert rig.books.number("SELECT count(*) FROM core_run") == 0
