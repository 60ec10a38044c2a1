"""Sending."""

from datetime import timedelta

import pytest
from django.db import transaction

from core import InvalidArguments, Message, UnknownRun
from tests.conformance.stacks import Stack, effects, make_due
from tests.conformance.tasks import note, note_elsewhere, note_once
from tests.services.waiting import wait_for


def test_sent_message_runs_once(stack: Stack, key: str) -> None:
    message = stack.send(note, key)
    assert stack.finish(message) == "succeeded"
    assert effects(key) == 1


def test_message_can_be_found_by_its_id(stack: Stack, key: str) -> None:
    message = stack.send(note, key)
    found = Message.get(message.message_id)
    assert (found.actor_name, found.args) == ("tests.conformance.tasks.note", (key,))
    stack.finish(message)


def test_every_queue_of_the_actors_is_served(stack: Stack, key: str) -> None:
    message = stack.send(note_elsewhere, key)
    assert stack.finish(message) == "succeeded"


def test_rolled_back_send_leaves_no_run_and_no_message(stack: Stack, key: str) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        lost = stack.send(note_once, key)
        raise KeyError
    # What was sent later has run: the lost one would have run before it.
    assert stack.finish(stack.send(note_once, f"{key}/later")) == "succeeded"
    with pytest.raises(UnknownRun):
        lost.status()
    assert effects(key) == 0


def test_rolled_back_savepoint_leaves_no_run(stack: Stack, key: str) -> None:
    with transaction.atomic():
        kept = stack.send(note_once, key)
        with pytest.raises(KeyError), transaction.atomic():
            lost = stack.send(note_once, f"{key}/lost")
            raise KeyError
    assert stack.finish(kept) == "succeeded"
    with pytest.raises(UnknownRun):
        lost.status()


def test_nothing_runs_before_the_commit(stack: Stack, key: str) -> None:
    with transaction.atomic():
        message = stack.send(note_once, key)
        assert effects(key) == 0
        assert message.status() == "pending"
    assert stack.finish(message) == "succeeded"


def test_delayed_message_does_not_run_before_its_time(stack: Stack, key: str) -> None:
    delayed = stack.send(note_once, key, delay=timedelta(seconds=3))
    assert stack.finish(stack.send(note_once, f"{key}/now")) == "succeeded"
    assert stack.finish(delayed) == "succeeded"
    run = stack.broker.find(delayed.message_id)
    assert run.started_at - run.created_at >= timedelta(seconds=3)


def test_cancelled_message_never_runs(stack: Stack, key: str) -> None:
    message = stack.send(note_once, key, delay=timedelta(hours=1))
    assert message.cancel()
    make_due(message)
    assert stack.finish(stack.send(note_once, f"{key}/after")) == "succeeded"
    assert (effects(key), message.status()) == (0, "cancelled")


def test_wrong_arguments_are_refused_at_the_caller(stack: Stack, key: str) -> None:
    with pytest.raises(InvalidArguments, match="too many positional arguments"):
        stack.send(note_once, key, key)


def test_three_hundred_messages_each_take_effect_once(stack: Stack, key: str) -> None:
    with transaction.atomic():
        messages = [stack.send(note_once, key) for _ in range(300)]
    wait_for(lambda: effects(key) >= 300, 90, stack.tail())
    assert {stack.finish(message) for message in messages} == {"succeeded"}
    assert effects(key) == 300
