"""Routing."""

import pytest

from core import Message
from tests.conformance.limited_tasks import take_a_moment
from tests.conformance.models import Effect
from tests.conformance.routed_tasks import (
    by_function,
    by_rule_of_a_pattern,
    can_wait,
    must_not_wait,
)
from tests.conformance.stacks import (
    SLOTS,
    Stack,
    make_due,
    open_gate,
)
from tests.conformance.tasks import hold
from tests.services.waiting import wait_for


def went(stack: Stack, message: Message) -> tuple[str, int]:
    """Wait until a message's route is decided; return queue and priority."""
    wait_for(lambda: stack.broker.find(message.message_id).routed, 30, stack.tail())
    run = stack.broker.find(message.message_id)
    return run.queue_name, run.priority


def test_pattern_of_names_decides_the_queue(stack: Stack, key: str) -> None:
    message = stack.send(by_rule_of_a_pattern, key)
    assert went(stack, message) == ("routed", 0)  # which no actor has
    assert stack.finish(message) == "succeeded"


def test_function_of_the_message_decides_queue_and_priority(
    stack: Stack, key: str
) -> None:
    large, small = stack.send(by_function, key, 1000), stack.send(by_function, key, 1)
    assert (went(stack, large), went(stack, small)) == (("other", 7), ("default", 0))
    assert {stack.finish(large), stack.finish(small)} == {"succeeded"}


@pytest.mark.needs("worker")
def test_route_of_a_delayed_message_is_decided_once_it_is_due(
    stack: Stack, key: str
) -> None:
    message = stack.send(by_rule_of_a_pattern, key, delay=600_000)
    assert not stack.broker.find(message.message_id).routed
    make_due(message)
    assert went(stack, message) == ("routed", 0)
    assert stack.finish(message) == "succeeded"


def test_idle_system_leaves_messages_where_they_are(stack: Stack, key: str) -> None:
    for actor in (can_wait, must_not_wait):
        message = stack.send(actor, key)
        assert went(stack, message) == ("default", 0)
        assert stack.finish(message) == "succeeded"


@pytest.mark.needs("worker")
def test_loaded_system_sends_elsewhere_what_can_wait_and_ahead_what_must_not(
    stack: Stack, key: str
) -> None:
    holders = stack.occupy(hold, key)
    backlog = [stack.send(take_a_moment, f"{key}/backlog") for _ in range(60)]
    elsewhere = lambda: (  # noqa: E731  # a condition: the load is looked at again soon
        went(stack, stack.send(can_wait, f"{key}/patient")) == ("other", 0)
    )
    wait_for(elsewhere, 30, stack.tail())
    urgent = stack.send(must_not_wait, f"{key}/urgent")
    assert went(stack, urgent) == ("default", -100)
    open_gate(key)
    messages = (*holders, *backlog, urgent)
    assert {stack.finish(message, 60) for message in messages} == {"succeeded"}
    order = Effect.objects.filter(key__startswith=f"{key}/").order_by("pk")
    keys = [effect.key for effect in order]
    before = keys[: keys.index(f"{key}/urgent")]
    # What the processes had in hand, and what started beside it.
    assert before.count(f"{key}/backlog") < 2 * SLOTS
