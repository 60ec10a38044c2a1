"""Retries and dead runs."""

from core import control, monitoring
from tests.conformance.stacks import Stack, effects, open_gate
from tests.conformance.tasks import (
    ask_for_a_pause,
    divide_by_zero,
    exit_half_way,
    fail_twice,
    fail_until_opened,
)


def test_failed_message_is_retried_until_it_succeeds(stack: Stack, key: str) -> None:
    message = stack.send(fail_twice, key)
    assert stack.finish(message) == "succeeded"
    assert effects(key) == 3


def test_every_failed_attempt_is_kept_with_its_traceback(
    stack: Stack, key: str
) -> None:
    message = stack.send(fail_twice, key)
    stack.finish(message)
    run = monitoring.run(message.message_id)
    assert [a.error for a in run.attempts] == [
        f"ValueError: attempt {n} of {key}" for n in (1, 2)
    ]
    assert all("in fail_twice" in attempt.traceback for attempt in run.attempts)


def test_exhausted_message_is_dead_and_can_be_requeued(stack: Stack, key: str) -> None:
    message = stack.send(fail_until_opened, key)
    assert stack.finish(message) == "dead"
    assert effects(key) == 2
    open_gate(key)
    assert control.requeue([message.message_id], by="ops") == 1
    assert stack.finish(message) == "succeeded"


def test_exception_named_by_throws_is_not_retried(stack: Stack, key: str) -> None:
    message = stack.send(divide_by_zero, key)
    assert stack.finish(message) == "dead"
    assert effects(key) == 1


def test_retry_raised_in_the_body_waits_as_long_as_it_says(
    stack: Stack, key: str
) -> None:
    message = stack.send(ask_for_a_pause, key)
    assert stack.finish(message) == "succeeded"
    run = monitoring.run(message.message_id)
    waited = run.started_at - run.attempts[0].finished_at
    assert waited.total_seconds() >= 1


def test_atomic_block_that_fails_leaves_nothing(stack: Stack, key: str) -> None:
    message = stack.send(exit_half_way, key)
    assert stack.finish(message) == "dead"
    assert effects(key) == 0
