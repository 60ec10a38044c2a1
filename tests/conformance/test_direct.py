"""Direct messages (durable=False)."""

import time

import pytest
from django.db import transaction

from core import BrokerUnavailable, Message, UnknownRun, control
from tests.conformance.limited_tasks import fail_directly, note_directly
from tests.conformance.models import Effect
from tests.conformance.stacks import ANSWERED, DONE, Stack, effects, make_due, open_gate
from tests.conformance.tasks import hold, note
from tests.services.faults import down, frozen
from tests.services.waiting import PATIENCE, in_time, wait_for


def wait_until_confirmed(stack: Stack, key: str) -> None:
    """Send directly until the broker, which may just have started, is quick enough."""

    def is_confirmed() -> bool:
        try:
            stack.send(note_directly, key)
        except BrokerUnavailable:
            return False
        return True

    wait_for(is_confirmed, 30, stack.tail())


@pytest.mark.needs("publish")
def test_direct_message_runs_and_leaves_no_row(stack: Stack, key: str) -> None:
    message = stack.send_directly(note_directly, key)
    wait_for(lambda: effects(key) == 1, 30, stack.tail())
    with pytest.raises(UnknownRun):
        message.status()
    assert Effect.objects.get(key=key).run_id == message.message_id


def test_direct_message_that_fails_gets_a_row_and_is_retried(
    stack: Stack, key: str
) -> None:
    message = stack.send_directly(fail_directly, key)
    wait_for(lambda: effects(key) >= 2, 30, stack.tail())
    assert stack.finish(message) == "dead"
    assert stack.broker.find(message.message_id).attempts.count() == 2
    open_gate(key)
    assert control.requeue([message.message_id], by="ops") == 1
    assert stack.finish(message) == "succeeded"


def test_direct_message_with_a_delay_is_remembered(stack: Stack, key: str) -> None:
    message = stack.send(note_directly, key, delay=600_000)
    assert message.status() == "pending"
    make_due(message)
    assert stack.finish(message) == "succeeded"


def test_rolled_back_direct_message_is_not_sent(stack: Stack, key: str) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        stack.send(note_directly, key)
        raise KeyError
    stack.send_directly(note_directly, f"{key}/later")
    wait_for(lambda: effects(f"{key}/later") == 1, 30, stack.tail())
    assert effects(key) == 0


def test_direct_message_is_sent_with_the_commit(stack: Stack, key: str) -> None:
    with transaction.atomic():
        stack.send(note_directly, key)
        assert effects(key) == 0
    wait_for(lambda: effects(key) == 1, 30, stack.tail())


def test_any_actor_can_be_sent_directly(stack: Stack, key: str) -> None:
    stack.send_directly(note, key, durable=False)
    wait_for(lambda: effects(key) == 1, 30, stack.tail())


@pytest.mark.needs("worker")
def test_body_of_a_direct_message_is_not_lost_with_its_worker(
    stack: Stack, key: str
) -> None:
    stack.send(hold, f"{key}/durable", durable=True)
    wait_for(lambda: effects(f"{key}/durable/started"), 30, stack.tail())
    open_gate(f"{key}/durable")
    stack.send_directly(note_directly, key)
    wait_for(lambda: effects(key) == 1, 30, stack.tail())


@pytest.mark.needs("server")
@pytest.mark.slow
def test_commit_with_many_direct_messages_waits_once_for_a_frozen_broker(
    stack: Stack, key: str
) -> None:
    wait_until_confirmed(stack, f"{key}/before")
    with frozen(stack.service):
        with transaction.atomic():
            for _ in range(20):
                stack.send(note_directly, key)
            start = time.monotonic()
        in_time(time.monotonic() - start, ANSWERED + 0.1 * PATIENCE, "the commit")
    wait_for(lambda: effects(key) >= 20, DONE, stack.tail())


@pytest.mark.needs("server")
@pytest.mark.slow
@pytest.mark.parametrize("fault", [down, frozen])
def test_direct_send_is_refused_at_once_without_a_broker(
    stack: Stack, key: str, fault
) -> None:
    wait_until_confirmed(stack, f"{key}/before")
    with fault(stack.service):
        for _ in range(3):
            start = time.monotonic()
            with pytest.raises(BrokerUnavailable):
                stack.send(note_directly, key)
            took = time.monotonic() - start
            in_time(took, ANSWERED + 0.1 * PATIENCE, "the refusal")
        with transaction.atomic():
            kept: Message = stack.send(note_directly, f"{key}/kept")
        assert kept.status() == "pending"
    assert stack.finish(kept) == "succeeded"
