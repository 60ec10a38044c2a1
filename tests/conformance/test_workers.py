"""What the death, the silence and the busyness of a worker may do."""

import os
import signal

import pytest

from core.models import Worker
from tests.conformance.models import Effect
from tests.conformance.stacks import (
    PROCESSES,
    RECOVERED,
    THREADS,
    Stack,
    effects,
    open_gate,
)
from tests.conformance.tasks import hold, note_once
from tests.services.waiting import wait_for


def started(key: str) -> list[Effect]:
    return list(Effect.objects.filter(key=f"{key}/started").order_by("pk"))


@pytest.mark.needs("worker")
def test_killed_worker_is_restarted_and_its_run_completes(
    stack: Stack, key: str
) -> None:
    message = stack.send(hold, key)
    wait_for(lambda: started(key), 30, stack.tail())
    os.kill(started(key)[0].pid, signal.SIGKILL)
    wait_for(lambda: len(started(key)) == 2, RECOVERED, stack.tail())
    open_gate(key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert effects(key) == 1
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker")
def test_worker_that_lost_its_lease_cannot_write(stack: Stack, key: str) -> None:
    message = stack.send(hold, key)
    wait_for(lambda: started(key), 30, stack.tail())
    Worker.objects.filter(pid=started(key)[0].pid, broker=stack.alias).delete()
    wait_for(lambda: len(started(key)) == 2, RECOVERED, stack.tail())
    open_gate(key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert stack.finish(stack.send(note_once, f"{key}/later")) == "succeeded"
    assert effects(key) == 1
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


def pace(stack: Stack) -> float:
    """Return what the workers start in a second, as they last said."""
    return sum(worker.rate for worker in stack.workers())


@pytest.mark.needs("worker")
def test_broker_is_kept_shallow_before_a_deep_backlog(stack: Stack, key: str) -> None:
    before = pace(stack)
    holders = [stack.send(hold, key) for _ in range(PROCESSES * THREADS)]
    wait_for(lambda: len(started(key)) == len(holders), 60, stack.tail())
    backlog = [stack.send(note_once, f"{key}/backlog") for _ in range(400)]
    queue = stack.broker.outbox.physical("default")
    # A worker may have told of a slower pace after the backlog was published.
    bound = max(2 * PROCESSES * THREADS, 5 * before, 5 * pace(stack))
    wait_for(lambda: stack.broker.outbox.capacity.room("default")[2] == 0, 30)
    assert stack.broker.backend.depth(queue) <= bound
    open_gate(key)
    assert {stack.finish(m, 90) for m in (*holders, *backlog)} == {"succeeded"}
    assert (effects(key), effects(f"{key}/backlog")) == (len(holders), 400)
