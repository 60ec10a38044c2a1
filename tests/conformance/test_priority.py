"""Priority and order."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from core import send_many
from core.models import Run, State
from tests.conformance.limited_tasks import take_a_moment
from tests.conformance.models import Effect
from tests.conformance.stacks import (
    SLOTS,
    Stack,
    effects,
    open_gate,
)
from tests.conformance.tasks import hold
from tests.services.waiting import wait_for

#: Sent in one transaction: a direct one has 0.3 s to be taken, with all of them. Less
#: than a broker may hold while all are busy, 2 * SLOTS: a copy of an earlier message,
#: as a killed worker leaves one, takes room until somebody is free to drop it.
FEW = SLOTS + SLOTS // 2
MANY = 32 * FEW


def overtaken(key: str, place: int) -> int:
    """Return how many of the many started before the urgent one of this place."""
    order = list(
        Effect.objects.filter(key__in=(f"{key}/many", f"{key}/few"))
        .order_by("pk")
        .values_list("key", flat=True)
    )
    urgent = [index for index, name in enumerate(order) if name == f"{key}/few"]
    return order[: urgent[place - 1]].count(f"{key}/many")


def check_overtaken(key: str) -> None:
    """See that the urgent came first, but for what a process without processor held."""
    assert overtaken(key, FEW - SLOTS) <= SLOTS
    assert overtaken(key, FEW) <= MANY // 5


def behind_the_busy(stack: Stack, key: str, send: Callable[[], None]) -> None:
    """Keep every place busy while `send` sends; then let all go."""
    holders = stack.occupy(hold, key)
    send()
    open_gate(key)
    assert {stack.finish(holder, 60) for holder in holders} == {"succeeded"}


def occupied(stack: Stack, key: str, send: Callable[[], None]) -> None:
    """Send behind the busy; wait until all of the many and the few have run."""
    behind_the_busy(stack, key, send)
    # Or more: a direct send that failed is kept as a row, though it may have arrived.
    done = lambda: effects(f"{key}/many") >= MANY and effects(f"{key}/few") >= FEW  # noqa: E731  # a condition
    wait_for(done, 120, stack.tail())


def send_all(stack: Stack, number: int, key: str, **options: Any) -> None:
    given = {"args": [key], "broker": stack.alias, **options}
    # In short transactions: on SQLite a long one costs the workers their leases.
    for _ in range(number // FEW):
        sent = [take_a_moment.message_with_options(**given) for _ in range(FEW)]
        with transaction.atomic():
            send_many(sent)


def many_then_few(stack: Stack, key: str, *, durable: bool) -> None:
    send_all(stack, MANY, f"{key}/many", priority=10, durable=durable)
    if not stack.broker.backend.supports_publish:
        # It is in the table, and nowhere else.
        send_all(stack, FEW, f"{key}/few", priority=-10, durable=durable)
        return
    if durable:
        wait_for(lambda: stack.broker.capacity.room("default")[3] == 0, 60)
    assert stack.depth() >= SLOTS
    send_all(stack, FEW, f"{key}/few", priority=-10, durable=durable)
    # Every place is busy for as long as we like: the order is told by the queue alone.
    # A direct send that failed has kept them as rows, like a durable one.
    here = Run.objects.filter(state=State.PENDING, args=[f"{key}/few"])
    wait_for(lambda: not here.exists(), 60, stack.tail())


@pytest.mark.needs("worker")
def test_equally_urgent_messages_start_about_in_the_order_of_their_sending(
    stack: Stack, key: str
) -> None:
    def send() -> None:
        with transaction.atomic():
            for number in range(100):
                stack.send(take_a_moment, f"{key}/{number}", priority=10)

    behind_the_busy(stack, key, send)
    numbered = Effect.objects.filter(key__regex=rf"{key}/\d+$").order_by("pk")
    wait_for(lambda: numbered.count() == 100, 60, stack.tail())
    order = [int(effect.key.rpartition("/")[2]) for effect in numbered]
    # So many may be at the broker and in hands at once: no message starts while more
    # of the earlier ones have not. How late one of those is, in a process that gets no
    # processor, nobody promises.
    apart = 4 * SLOTS
    assert max(number - place for place, number in enumerate(order)) <= apart


@pytest.mark.needs("worker")
def test_urgent_messages_overtake_those_that_wait(stack: Stack, key: str) -> None:
    occupied(stack, key, lambda: many_then_few(stack, key, durable=True))
    check_overtaken(key)


@pytest.mark.needs("worker", "publish")
def test_urgent_direct_messages_overtake_those_at_the_broker(
    stack: Stack, key: str
) -> None:
    occupied(stack, key, lambda: many_then_few(stack, key, durable=False))
    check_overtaken(key)
