"""Messages that the broker loses, duplicates or delays."""

import os

import pytest

from core import monitoring
from core.backend import EngineMessage
from core.models import Parked
from tests.conformance.injection import inject
from tests.conformance.stacks import Stack, effects
from tests.conformance.tasks import fail_then_wait, note, note_once
from tests.services.waiting import wait_for


def engine_message_of(
    stack: Stack, message_id: str, actor_name: str, body: str = ""
) -> EngineMessage:
    queue = stack.broker.sender.physical("default")
    signed = body or stack.broker.sender.signer.sign(message_id)
    return EngineMessage(message_id, actor_name, queue, signed)


@pytest.mark.needs("publish")
def test_messages_published_ten_times_take_effect_once(stack: Stack, key: str) -> None:
    messages = [stack.send(note_once, key) for _ in range(200)]
    copies = [engine_message_of(stack, m.message_id, m.actor_name) for m in messages]
    for _ in range(9):
        stack.broker.backend.publish(copies)
    assert {stack.finish(message, 90) for message in messages} == {"succeeded"}
    # Behind the last copy nothing is left that could still take effect.
    assert stack.finish(stack.send(note_once, f"{key}/last"), 90) == "succeeded"
    drained = lambda: stack.broker.backend.depth(copies[0].queue) == 0  # noqa: E731  # a condition
    wait_for(drained, 90, "the copies are consumed")
    assert effects(key) == 200


@pytest.mark.needs("publish")
def test_stale_copy_does_not_cut_a_backoff_short(stack: Stack, key: str) -> None:
    message = stack.send(fail_then_wait, key)
    wait_for(lambda: effects(key) and message.status() != "running")
    stack.broker.backend.publish(
        [engine_message_of(stack, message.message_id, "note")] * 3
    )
    assert stack.finish(stack.send(note, f"{key}/neighbour")) == "succeeded"
    assert stack.finish(message) == "succeeded"
    assert effects(key) == 2
    run = monitoring.run(message.message_id)
    waited = run.started_at - run.attempts[0].finished_at
    assert waited.total_seconds() >= 3


@pytest.mark.needs("publish")
def test_tampered_message_is_parked_and_neighbours_run(stack: Stack, key: str) -> None:
    before, message = stack.send(note, key), stack.send(note, key, delay=600_000)
    forged = f"{message.message_id}:{'x' * 43}"
    copy = engine_message_of(stack, message.message_id, message.actor_name, forged)
    stack.broker.backend.publish([copy])
    parked = Parked.objects.filter(broker=stack.alias, payload=forged.encode())
    wait_for(parked.exists, 30, stack.tail())
    assert "signature" in parked.get().reason
    after = stack.send(note, key)
    assert {stack.finish(before), stack.finish(after)} == {"succeeded"}
    assert message.status() == "pending"
    message.cancel()


@pytest.mark.needs("worker", "publish")
def test_random_bytes_are_parked_and_neighbours_run(stack: Stack, key: str) -> None:
    alive = {worker.pid for worker in stack.workers()}
    garbage = os.urandom(200) + key.encode()
    before = stack.send(note, key)
    inject(stack, garbage)
    after = stack.send(note, key)
    parked = Parked.objects.filter(broker=stack.alias, payload=garbage)
    wait_for(parked.exists, 30, stack.tail())
    assert {stack.finish(before), stack.finish(after)} == {"succeeded"}
    assert {worker.pid for worker in stack.workers()} == alive


def test_unknown_actor_waits_for_a_worker_that_knows_it(stack: Stack, key: str) -> None:
    message = stack.send(note, key, delay=600_000)
    run = stack.broker.find(message.message_id)
    type(run).objects.filter(pk=run.pk).update(
        actor_name="tests.gone", due_at=run.created_at, relay_at=run.created_at
    )
    waits = lambda: stack.broker.find(message.message_id).attempts.exists()  # noqa: E731  # a condition
    wait_for(waits, 30, stack.tail())
    wait_for(lambda: message.status() == "pending", 30)
    message.cancel()
    assert stack.finish(stack.send(note, key)) == "succeeded"
