"""Time limits, cancelling and crashes."""

import os
import signal
from datetime import timedelta

import pytest

from core import monitoring
from core.models import Parked
from tests.conformance.interrupted_tasks import (
    block,
    fail_when_cancelled,
    kill_the_worker,
    kill_the_worker_once,
    overrun,
    overrun_in_spite,
    raise_ctrl_c,
    spoil,
    start_and_stop,
    think,
    think_too_long,
    wait_for_shutdown,
    wait_to_be_cancelled,
)
from tests.conformance.models import Effect
from tests.conformance.stacks import (
    PROCESSES,
    RECOVERED,
    THREADS,
    Stack,
    effects,
    open_gate,
)
from tests.conformance.tasks import hold, note
from tests.services.waiting import wait_for


def test_body_is_told_when_its_time_is_over(stack: Stack, key: str) -> None:
    message = stack.send(overrun, key)
    assert stack.finish(message) == "dead"
    assert effects(key) == 1
    assert "TimeLimitExceeded" in monitoring.run(message.message_id).error


def test_body_that_catches_every_exception_is_stopped_all_the_same(
    stack: Stack, key: str
) -> None:
    message = stack.send(overrun_in_spite, key)
    assert stack.finish(message) == "dead"
    assert effects(key) == 0


@pytest.mark.needs("worker")
def test_body_that_cannot_be_interrupted_costs_its_process_alone(
    stack: Stack, key: str
) -> None:
    neighbours = [stack.send(hold, key) for _ in range(THREADS)]
    wait_for(lambda: effects(f"{key}/started") >= THREADS, 30, stack.tail())
    before = {worker.pid for worker in stack.workers()}
    message = stack.send(block, key)
    assert stack.finish(message) == "dead"
    assert "could not be interrupted" in monitoring.run(message.message_id).error
    # At once, and not when the neighbours have ended.
    younger = lambda: {w.pid for w in stack.workers()} - before  # noqa: E731  # a condition
    wait_for(younger, RECOVERED, f"another process is up\n{stack.tail()}")
    open_gate(key)
    assert {stack.finish(one) for one in neighbours} == {"succeeded"}
    assert effects(f"{key}/started") == THREADS
    stuck = Effect.objects.get(key=key, run_id=message.message_id).pid
    replaced = lambda: (  # noqa: E731  # a condition
        stuck not in {w.pid for w in stack.workers()}
        and len(stack.workers()) == PROCESSES
    )
    wait_for(replaced, RECOVERED, stack.tail())


@pytest.mark.needs("worker")
def test_running_body_can_be_cancelled(stack: Stack, key: str) -> None:
    message = stack.send(wait_to_be_cancelled, key)
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    assert message.cancel()
    assert stack.finish(message) == "cancelled"
    assert effects(f"{key}/cancelled") == 1


@pytest.mark.needs("worker")
def test_cancelled_run_that_fails_is_not_tried_again(stack: Stack, key: str) -> None:
    message = stack.send(fail_when_cancelled, key)
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    assert message.cancel()
    assert stack.finish(message) == "cancelled"
    assert effects(f"{key}/started") == 1


@pytest.mark.needs("worker")
def test_body_that_asks_is_told_of_the_shutdown(stack: Stack, key: str) -> None:
    message = stack.send(wait_for_shutdown, key)
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    os.kill(Effect.objects.get(key=f"{key}/started").pid, signal.SIGTERM)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert (effects(f"{key}/told"), effects(f"{key}/started")) == (1, 2)
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker")
def test_actor_that_kills_its_worker_is_buried_and_neighbours_finish(
    stack: Stack, key: str
) -> None:
    neighbours = [stack.send(hold, f"{key}/n") for _ in range(3)]
    wait_for(lambda: effects(f"{key}/n/started") >= 3, 30, stack.tail())
    message = stack.send(kill_the_worker, key)
    assert stack.finish(message, 2 * RECOVERED) == "dead"
    run = monitoring.run(message.message_id)
    assert "poison" in run.error
    assert effects(key) == 4  # once among others, three times alone
    open_gate(f"{key}/n")
    assert {stack.finish(one, RECOVERED) for one in neighbours} == {"succeeded"}
    assert stack.finish(stack.send(note, f"{key}/after"), RECOVERED) == "succeeded"
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker")
def test_run_whose_process_died_once_succeeds(stack: Stack, key: str) -> None:
    message = stack.send(kill_the_worker_once, key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert effects(key) == 2
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


def test_async_body_runs(stack: Stack, key: str) -> None:
    message = stack.send(think, key)
    result = message.get_result(block=True, timeout=30_000)
    assert result == f"{key} by {message.message_id}"


def test_async_body_is_told_when_its_time_is_over(stack: Stack, key: str) -> None:
    message = stack.send(think_too_long, key)
    assert stack.finish(message) == "dead"
    assert "TimeLimitExceeded" in monitoring.run(message.message_id).error
    assert effects(key) == 1


def test_message_older_than_its_max_age_never_runs(stack: Stack, key: str) -> None:
    message = stack.send(spoil, key, delay=timedelta(seconds=1.2))
    assert stack.finish(message) == "dead"
    run = monitoring.run(message.message_id)
    assert (effects(key), run.attempts[0].outcome) == (0, "expired")


def test_message_younger_than_its_max_age_runs(stack: Stack, key: str) -> None:
    assert stack.finish(stack.send(spoil, key, max_age=600_000)) == "succeeded"


def test_process_that_a_body_starts_can_be_stopped(stack: Stack, key: str) -> None:
    assert stack.finish(stack.send(start_and_stop, key)) == "succeeded"
    assert effects(key) == 1


@pytest.mark.needs("worker")
def test_body_that_raises_what_a_ctrl_c_raises_is_a_failure_like_any_other(
    stack: Stack,
) -> None:
    parked = Parked.objects.filter(broker=stack.alias).count()
    message = stack.send(raise_ctrl_c)
    assert stack.finish(message) == "dead"
    assert "KeyboardInterrupt" in monitoring.run(message.message_id).error
    assert stack.finish(stack.send(note, "after a Ctrl-C")) == "succeeded"
    assert Parked.objects.filter(broker=stack.alias).count() == parked
