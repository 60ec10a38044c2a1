"""Paused queues."""

from uuid import uuid4

import pytest

from core import control
from core.models import Run
from tests.conformance.limited_tasks import note_directly
from tests.conformance.stacks import PATIENCE, SLOTS, Stack, effects, open_gate
from tests.conformance.tasks import hold, note, note_elsewhere, note_once
from tests.services.waiting import wait_for

#: Their queue is no other test's, and no urgent work waits in it.
QUEUE = "other"


@pytest.fixture
def paused(stack: Stack):
    """The queue is paused when the test begins, and goes on when it has ended."""
    control.pause(QUEUE, broker=stack.alias, by="a test")
    yield
    control.resume(QUEUE, broker=stack.alias, by="a test")


def resume(stack: Stack) -> None:
    assert control.resume(QUEUE, broker=stack.alias, by="a test") == 1


def test_paused_queue_starts_nothing_and_loses_nothing(
    stack: Stack, key: str, paused: None
) -> None:
    held = [stack.send(note_elsewhere, key) for _ in range(20)]
    # What was sent after them, and elsewhere, is through.
    assert stack.finish(stack.send(note, f"{key}/free")) == "succeeded"
    assert {message.status() for message in held} == {"pending"}
    assert effects(key) == 0
    resume(stack)
    assert {stack.finish(message) for message in held} == {"succeeded"}
    assert effects(key) == 20


@pytest.mark.needs("worker", "publish")
def test_message_published_before_the_pause_waits_like_the_others(
    stack: Stack, key: str
) -> None:
    holders = stack.occupy(hold, key)
    message = stack.send(note_once, f"{key}/published")
    wait_for(lambda: message.status() == "queued", 30, stack.tail())
    control.pause("default", broker=stack.alias, by="a test")
    try:
        assert message.status() == "pending"
        open_gate(key)
        assert {stack.finish(holder) for holder in holders} == {"succeeded"}
        # Its message is met by a worker that is free now.
        queue = stack.broker.sender.physical("default")
        wait_for(lambda: stack.broker.backend.depth(queue) == 0, 30, stack.tail())
        assert message.status() == "pending"
    finally:
        control.resume("default", broker=stack.alias, by="a test")
    assert stack.finish(message) == "succeeded"
    assert effects(f"{key}/published") == 1


def test_direct_message_of_a_paused_queue_waits_as_a_row(
    stack: Stack, key: str, paused: None
) -> None:
    # Workers know of a pause within two seconds; until then some of them may run.
    def all_are_held() -> bool:
        name = f"{key}/{uuid4()}"
        for _ in range(SLOTS):
            stack.send_directly(note_directly, name, queue_name=QUEUE)
        held = Run.objects.filter(args=[name], state="pending")
        wait_for(lambda: held.count() + effects(name) == SLOTS, 30, stack.tail())
        return held.count() == SLOTS

    wait_for(all_are_held, 10 * PATIENCE, stack.tail())
    message = stack.send_directly(note_directly, key, queue_name=QUEUE)
    wait_for(lambda: stack.broker.find(message.message_id), 30, stack.tail())
    assert (message.status(), effects(key)) == ("pending", 0)
    resume(stack)
    assert stack.finish(message) == "succeeded"
    assert effects(key) == 1


@pytest.mark.needs("worker")
def test_purged_queue_has_nothing_left_to_run(stack: Stack, key: str) -> None:
    waiting = Run.objects.filter(
        broker=stack.alias, queue_name=QUEUE, state__in=("pending", "queued")
    )
    wait_for(lambda: not waiting.exists(), 30, stack.tail())
    control.pause(QUEUE, broker=stack.alias, by="a test")
    held = [stack.send(note_elsewhere, key) for _ in range(5)]
    purged = control.purge(QUEUE, broker=stack.alias, by="a test")
    assert purged.cancelled == 5
    control.resume(QUEUE, broker=stack.alias, by="a test")
    assert {message.status() for message in held} == {"cancelled"}
    assert stack.finish(stack.send(note_elsewhere, f"{key}/after")) == "succeeded"
    assert effects(key) == 0
