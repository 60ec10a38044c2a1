"""Workers that die, freeze or are busy."""

import os
import signal

import pytest

from core.models import Worker
from core.relay.capacity import AHEAD_SECONDS
from tests.conformance.interrupted_tasks import linger_until_replaced
from tests.conformance.models import Effect
from tests.conformance.stacks import (
    PATIENCE,
    PROCESSES,
    RECOVERED,
    SLOTS,
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
    wait_for(lambda: len(started(key)) >= 2, RECOVERED, stack.tail())
    open_gate(key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert effects(key) == 1
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker")
def test_worker_keeps_its_lease_while_it_has_a_run(stack: Stack, key: str) -> None:
    message = stack.send(hold, key)
    wait_for(lambda: started(key), 30, stack.tail())
    lease = Worker.objects.filter(pid=started(key)[0].pid, broker=stack.alias)
    # A process that has lost its lease before has two rows for a while.
    until = lease.latest("lease_until").lease_until
    beat = stack.broker.timing.heartbeat
    wait_for(lambda: lease.filter(lease_until__gt=until), PATIENCE * beat, stack.tail())
    open_gate(key)
    assert stack.finish(message) == "succeeded"
    assert len(started(key)) == 1


@pytest.mark.needs("worker")
def test_worker_that_lost_its_lease_cannot_write(stack: Stack, key: str) -> None:
    message = stack.send(hold, key)
    wait_for(lambda: started(key), 30, stack.tail())
    Worker.objects.filter(pid=started(key)[0].pid, broker=stack.alias).delete()
    wait_for(lambda: len(started(key)) >= 2, RECOVERED, stack.tail())
    open_gate(key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert stack.finish(stack.send(note_once, f"{key}/later")) == "succeeded"
    assert effects(key) == 1
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker")
def test_body_is_told_when_its_worker_has_lost_the_lease(
    stack: Stack, key: str
) -> None:
    message = stack.send(linger_until_replaced, key)
    wait_for(lambda: started(key), 30, stack.tail())
    Worker.objects.filter(pid=started(key)[0].pid, broker=stack.alias).delete()
    wait_for(lambda: effects(f"{key}/told"), RECOVERED, stack.tail())
    assert stack.finish(message, RECOVERED) == "succeeded"
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker", "publish")
def test_broker_is_kept_shallow_before_a_deep_backlog(stack: Stack, key: str) -> None:
    holders = stack.occupy(hold, key)
    paces, backlog = [], []
    for _ in range(400):
        backlog.append(stack.send(note_once, f"{key}/backlog"))
        paces.append(stack.pace())
    wait_for(lambda: stack.broker.capacity.room("default")[2] == 0, 30)
    deep = stack.depth()
    # What was published at a pace stays when the workers tell of a slower one.
    paces.append(stack.pace())
    bound = max(2 * SLOTS, AHEAD_SECONDS * max(paces))
    # Each of two may fill the same room: the sender's own thread, and the clock.
    assert deep <= 2 * bound
    open_gate(key)
    assert {stack.finish(m, 90) for m in (*holders, *backlog)} == {"succeeded"}
    assert (effects(key), effects(f"{key}/backlog")) == (len(holders), 400)
