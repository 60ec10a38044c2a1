"""Concurrency, rate limits and unique keys."""

from datetime import timedelta

import pytest
from django.db import transaction

from core import IdempotencyConflict, control, send_many
from core.relay.capacity import BATCH
from tests.conformance.limited_tasks import (
    die_once_in_the_only_place,
    fail_once_in_the_only_place,
    hold_the_only_place,
    once_at_a_time,
    once_until_its_end,
    work_at_a_pace,
    work_by_itself,
    work_by_twos,
)
from tests.conformance.models import Effect
from tests.conformance.stacks import (
    PROCESSES,
    RECOVERED,
    Stack,
    effects,
    make_due,
    open_gate,
    spread,
)
from tests.conformance.tasks import hold, note
from tests.conformance.test_delivery import engine_message_of
from tests.services.waiting import wait_for


def most_at_once(key: str) -> int:
    """Return how many bodies of a key ran at the same time."""
    now = most = 0
    for effect in Effect.objects.filter(key__startswith=f"{key}/").order_by("at", "pk"):
        now += 1 if effect.key.endswith("/in") else -1
        most = max(most, now)
    return most


def test_no_more_than_the_allowed_number_run_at_once(stack: Stack, key: str) -> None:
    messages = [stack.send(work_by_twos, key) for _ in range(16)]
    assert {stack.finish(message, 60) for message in messages} == {"succeeded"}
    assert effects(f"{key}/in") == 16
    assert most_at_once(key) <= 2


@pytest.mark.needs("worker")
def test_keys_are_limited_apart(stack: Stack, key: str) -> None:
    one = stack.send(hold_the_only_place, f"{key}/one")
    wait_for(lambda: effects(f"{key}/one/started"), 30, stack.tail())
    other = stack.send(hold_the_only_place, f"{key}/other")
    wait_for(lambda: effects(f"{key}/other/started"), 30, stack.tail())
    open_gate(f"{key}/one")
    open_gate(f"{key}/other")
    assert {stack.finish(one), stack.finish(other)} == {"succeeded"}


@pytest.mark.needs("worker")
def test_limited_backlog_does_not_block_other_runs(stack: Stack, key: str) -> None:
    waiting = [stack.send(hold_the_only_place, key) for _ in range(40)]
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    assert stack.finish(stack.send(note, key)) == "succeeded"
    states = [message.status() for message in waiting]
    assert (states.count("running"), states.count("pending")) == (1, 39)
    open_gate(key)
    assert {stack.finish(message, 60) for message in waiting} == {"succeeded"}


@pytest.mark.needs("worker")
def test_limited_backlog_does_not_block_relayed_runs(stack: Stack, key: str) -> None:
    options = {"args": [key], "broker": stack.alias}
    only = hold_the_only_place.message_with_options
    # More than the relay takes in hand at once, however fast the workers are.
    waiting = send_many([only(**options) for _ in range(BATCH + 10)])
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    later = stack.send(note, key, delay=timedelta(milliseconds=500))
    assert stack.finish(later) == "succeeded"
    control.cancel([message.message_id for message in waiting], by="a test")
    open_gate(key)
    ends = {stack.finish(message) for message in waiting}
    assert ends <= {"succeeded", "cancelled"}


def test_failed_run_gives_its_place_back_until_its_retry(
    stack: Stack, key: str
) -> None:
    messages = [stack.send(fail_once_in_the_only_place, key) for _ in range(3)]
    assert {stack.finish(message) for message in messages} == {"succeeded"}
    assert effects(key) == 6


@pytest.mark.needs("worker")
def test_run_whose_process_died_gives_its_place_back(stack: Stack, key: str) -> None:
    message = stack.send(die_once_in_the_only_place, key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert effects(key) == 2
    wait_for(lambda: len(stack.workers()) == PROCESSES, RECOVERED, stack.tail())


@pytest.mark.needs("worker", "publish")
def test_message_cancelled_at_the_broker_gives_its_place_back(
    stack: Stack, key: str
) -> None:
    holders = stack.occupy(hold, key)
    cancelled = stack.send(work_by_itself, f"{key}/only")
    wait_for(lambda: cancelled.status() == "queued", 30, stack.tail())
    assert cancelled.cancel()
    after = stack.send(work_by_itself, f"{key}/only")
    open_gate(key)
    assert {stack.finish(message) for message in (*holders, after)} == {"succeeded"}
    assert effects(f"{key}/only/in") == 1


@pytest.mark.needs("worker", "publish")
def test_copy_of_a_limited_message_does_not_slip_past_the_limit(
    stack: Stack, key: str
) -> None:
    first, second = (stack.send(hold_the_only_place, key) for _ in range(2))
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    copies = [
        engine_message_of(stack, m.message_id, m.actor_name) for m in (first, second)
    ]
    stack.broker.backend.publish(copies)
    # Behind the last copy nothing is left that could still start.
    drained = lambda: stack.broker.backend.depth(copies[0].queue) == 0  # noqa: E731  # a condition
    wait_for(drained, 30, "the copies are consumed")
    assert stack.finish(stack.send(note, f"{key}/last")) == "succeeded"
    assert (second.status(), effects(f"{key}/started")) == ("pending", 1)
    open_gate(key)
    assert {stack.finish(first), stack.finish(second)} == {"succeeded"}


def test_cancelled_message_gives_its_key_back(stack: Stack, key: str) -> None:
    first = stack.send(once_at_a_time, key, 1, delay=timedelta(hours=1))
    assert first.cancel()
    open_gate(key)
    second = stack.send(once_at_a_time, key, 2)
    assert second.created
    assert stack.finish(second) == "succeeded"


def test_rate_is_kept(stack: Stack, key: str) -> None:
    messages = [stack.send(work_at_a_pace, key) for _ in range(25)]
    assert {stack.finish(message, 60) for message in messages} == {"succeeded"}
    # 24 intervals of a tenth of a second, less what the relay may be early.
    assert spread(messages) > timedelta(seconds=2.2)
    assert effects(key) == 25


@pytest.mark.needs("worker")
def test_same_key_waits_only_once(stack: Stack, key: str) -> None:
    first = stack.send(once_at_a_time, key, 1, delay=timedelta(hours=1))
    again = stack.send(once_at_a_time, key, 2)
    assert (first.created, again.created) == (True, False)
    assert again.message_id == first.message_id
    make_due(first)
    wait_for(lambda: effects(f"{key}/1"), 30, stack.tail())
    second = stack.send(once_at_a_time, key, 3)
    assert second.created  # the first has started: it waits no more
    open_gate(key)
    assert {stack.finish(first), stack.finish(second)} == {"succeeded"}
    assert effects(f"{key}/2") == 0


@pytest.mark.needs("worker")
def test_key_held_to_the_end_counts_the_running_one(stack: Stack, key: str) -> None:
    first = stack.send(once_until_its_end, key, 1)
    wait_for(lambda: effects(f"{key}/1"), 30, stack.tail())
    assert not stack.send(once_until_its_end, key, 2).created
    open_gate(key)
    assert stack.finish(first) == "succeeded"
    after = stack.send(once_until_its_end, key, 3)
    assert after.created
    assert stack.finish(after) == "succeeded"


def test_same_idempotency_key_is_the_same_run(stack: Stack, key: str) -> None:
    first = stack.send(note, key, idempotency_key=key)
    assert stack.finish(first) == "succeeded"
    again = stack.send(note, key, idempotency_key=key)
    assert (again.message_id, again.created) == (first.message_id, False)
    with pytest.raises(IdempotencyConflict, match="other arguments"):
        stack.send(note, f"{key}/other", idempotency_key=key)
    assert effects(key) == 1


def test_rolled_back_idempotency_key_is_free_again(stack: Stack, key: str) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        stack.send(note, key, idempotency_key=key)
        raise KeyError
    again = stack.send(note, key, idempotency_key=key)
    assert again.created
    assert stack.finish(again) == "succeeded"


def test_many_messages_are_sent_in_one_transaction(stack: Stack, key: str) -> None:
    messages = [
        note.message_with_options(args=[key], broker=stack.alias) for _ in range(50)
    ]
    with pytest.raises(KeyError), transaction.atomic():
        send_many(messages)
        raise KeyError
    sent = send_many(messages)
    assert {stack.finish(message, 60) for message in sent} == {"succeeded"}
    assert effects(key) == 50
