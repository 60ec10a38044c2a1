"""Who comes first."""

from collections.abc import Callable

import pytest
from django.db import transaction

from tests.conformance.limited_tasks import take_a_moment
from tests.conformance.models import Effect
from tests.conformance.stacks import (
    PROCESSES,
    THREADS,
    Stack,
    effects,
    open_gate,
)
from tests.conformance.tasks import hold
from tests.services.waiting import wait_for

SLOTS = PROCESSES * THREADS


def overtaken(key: str) -> int:
    """Return how many of the many started before the last of the urgent."""
    order = list(
        Effect.objects.filter(key__in=(f"{key}/many", f"{key}/few"))
        .order_by("pk")
        .values_list("key", flat=True)
    )
    last = max(index for index, name in enumerate(order) if name == f"{key}/few")
    return order[:last].count(f"{key}/many")


def occupied(stack: Stack, key: str, send: Callable[[], None]) -> None:
    """Keep every place busy while `send` sends; then let all go."""
    holders = [stack.send(hold, key) for _ in range(SLOTS)]
    wait_for(lambda: effects(f"{key}/started") == SLOTS, 60, stack.tail())
    send()
    open_gate(key)
    assert {stack.finish(holder, 60) for holder in holders} == {"succeeded"}
    done = lambda: effects(f"{key}/many") == 500 and effects(f"{key}/few") == 20  # noqa: E731  # a condition
    wait_for(done, 120, stack.tail())


def many_then_few(stack: Stack, key: str, *, durable: bool) -> None:
    with transaction.atomic():
        for _ in range(500):
            stack.send(take_a_moment, f"{key}/many", priority=10, durable=durable)
    queue = stack.broker.outbox.physical("default")
    wait_for(lambda: stack.broker.backend.depth(queue) >= SLOTS, 60)
    depth = stack.broker.backend.depth(queue)
    with transaction.atomic():
        for _ in range(20):
            stack.send(take_a_moment, f"{key}/few", priority=-10, durable=durable)
    # Every place is busy for as long as we like: the order is told by the queue alone.
    published = min(20, 2 * SLOTS)
    wait_for(lambda: stack.broker.backend.depth(queue) >= depth + published, 60)


@pytest.mark.needs("worker")
def test_urgent_messages_overtake_those_that_wait(stack: Stack, key: str) -> None:
    occupied(stack, key, lambda: many_then_few(stack, key, durable=True))
    assert overtaken(key) <= 25


@pytest.mark.needs("worker")
def test_urgent_direct_messages_overtake_those_at_the_broker(
    stack: Stack, key: str
) -> None:
    occupied(stack, key, lambda: many_then_few(stack, key, durable=False))
    assert overtaken(key) <= 25
