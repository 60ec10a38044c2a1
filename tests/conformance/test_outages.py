"""Senders while the broker is down, frozen or full."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from core import Message
from tests.conformance.stacks import ANSWERED, DONE, PROCESSES, Stack, effects
from tests.conformance.tasks import note_once
from tests.services.faults import alarmed, down, frozen
from tests.services.waiting import PATIENCE, in_time

#: A process says that the broker is away, or goes silent, why, and that it is back.
LINES = 4 * (PROCESSES + 1)

#: What waits has ended so soon after the broker fell silent, s.
GOES_ON = 10 * PATIENCE

pytestmark = [pytest.mark.needs("server"), pytest.mark.slow]


def send_for(stack: Stack, key: str, seconds: float) -> tuple[list[Message], float]:
    """Send again and again; return the messages and the longest send, in seconds.

    Without its statements: one may wait for SQLite's lock, which a process holds that
    gets no processor just now. It is the broker that no send waits for.
    """
    messages, longest, stated = [], 0.0, 0.0

    def timed(execute: Callable[..., Any], *given: Any) -> Any:
        nonlocal stated
        start = time.monotonic()
        try:
            return execute(*given)
        finally:
            stated += time.monotonic() - start

    end = time.monotonic() + seconds
    with connection.execute_wrapper(timed):
        while time.monotonic() < end:
            start, stated = time.monotonic(), 0.0
            messages.append(stack.send(note_once, key))
            longest = max(longest, time.monotonic() - start - stated)
            time.sleep(0.2)  # the pace of the customers, not a wait for anything
    return messages, longest


def lines_since(stack: Stack, start: int) -> list[str]:
    """Return what its workers have logged since then."""
    return stack.log.read_bytes()[start:].decode(errors="replace").splitlines()


def survives(stack: Stack, key: str, fault: Callable[[Any], Any]) -> None:
    assert stack.finish(stack.send(note_once, f"{key}/before")) == "succeeded"
    start = stack.log.stat().st_size
    with fault(stack.service):
        messages, longest = send_for(stack, key, 6)
    back = time.monotonic()
    assert {stack.finish(message, DONE) for message in messages} == {"succeeded"}
    in_time(time.monotonic() - back, DONE, "all are done")
    in_time(longest, ANSWERED, "each send returns")
    assert effects(key) == len(messages)
    assert len(lines_since(stack, start)) <= LINES, stack.tail()


def goes_on(stack: Stack, key: str, fault: Callable[[Any], Any]) -> None:
    assert stack.finish(stack.send(note_once, f"{key}/before")) == "succeeded"
    with fault(stack.service):
        messages = [stack.send(note_once, key) for _ in range(20)]
        messages.append(stack.send(note_once, key, priority=-10))
        assert {stack.finish(one, GOES_ON) for one in messages} == {"succeeded"}
    # What the broker had of these is dropped, and what comes next goes its old way.
    messages.append(stack.send(note_once, key))
    assert stack.finish(messages[-1], DONE) == "succeeded"
    assert effects(key) == len(messages)


def test_work_goes_on_while_the_broker_is_down(stack: Stack, key: str) -> None:
    goes_on(stack, key, down)


def test_work_goes_on_while_the_broker_is_frozen(stack: Stack, key: str) -> None:
    goes_on(stack, key, frozen)


def test_sender_never_waits_for_a_broker_that_is_down(stack: Stack, key: str) -> None:
    survives(stack, key, down)


def test_sender_never_waits_for_a_frozen_broker(stack: Stack, key: str) -> None:
    survives(stack, key, frozen)


def test_sender_never_waits_for_an_alarmed_broker(stack: Stack, key: str) -> None:
    survives(stack, key, alarmed)
