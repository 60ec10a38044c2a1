"""What a broker that is down, frozen or full may do to a sender."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core import Message
from tests.conformance.stacks import Stack, effects, on_engines
from tests.conformance.tasks import note_once

#: The promises are 0.3 s and 10 s; `make test` asserts three times as much.
ANSWERED = 0.9
DONE = 30

pytestmark = [on_engines, pytest.mark.slow]


@contextmanager
def down(stack: Stack) -> Iterator[None]:
    stack.service.kill()
    try:
        yield
    finally:
        stack.service.start()


@contextmanager
def frozen(stack: Stack) -> Iterator[None]:
    stack.service.freeze()
    try:
        yield
    finally:
        stack.service.thaw()


@contextmanager
def alarmed(stack: Stack) -> Iterator[None]:
    stack.service.alarm()
    try:
        yield
    finally:
        stack.service.clear_alarm()


def send_for(stack: Stack, key: str, seconds: float) -> tuple[list[Message], float]:
    """Send again and again; return the messages and the longest send, in seconds."""
    messages, longest = [], 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        messages.append(stack.send(note_once, key))
        longest = max(longest, time.monotonic() - start)
        time.sleep(0.2)  # the pace of the customers, not a wait for anything
    return messages, longest


def survives(stack: Stack, key: str, fault: Callable[[Stack], object]) -> None:
    assert stack.finish(stack.send(note_once, f"{key}/before")) == "succeeded"
    with fault(stack):
        messages, longest = send_for(stack, key, 6)
    back = time.monotonic()
    assert {stack.finish(message, DONE) for message in messages} == {"succeeded"}
    assert time.monotonic() - back < DONE
    assert longest < ANSWERED
    assert effects(key) == len(messages)


def test_sender_never_waits_for_a_broker_that_is_down(stack: Stack, key: str) -> None:
    survives(stack, key, down)


def test_sender_never_waits_for_a_frozen_broker(stack: Stack, key: str) -> None:
    survives(stack, key, frozen)


def test_sender_never_waits_for_an_alarmed_broker(stack: Stack, key: str) -> None:
    survives(stack, key, alarmed)
