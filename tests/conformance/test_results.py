"""Results and callbacks."""

import time
from datetime import timedelta

import pytest
from django.db.models import F

from core import ResultFailure, ResultMissing, ResultTimeout, monitoring
from core.models import Run
from tests.conformance.composed_tasks import (
    add,
    return_atomically,
    settle_with_a_result,
    short_lived,
    tell_failure,
    tell_success,
    unkeepable,
)
from tests.conformance.interrupted_tasks import report_progress
from tests.conformance.models import Effect
from tests.conformance.stacks import Stack, effects, open_gate
from tests.conformance.tasks import divide_by_zero, hold, note
from tests.services.waiting import PATIENCE, in_time, wait_for


def test_result_can_be_waited_for(stack: Stack) -> None:
    message = stack.send(add, 40, 2)
    assert message.get_result(block=True, timeout=30_000) == 42


def test_result_of_a_running_run_is_missing(stack: Stack) -> None:
    message = stack.send(add, 40, 2, delay=600_000)
    with pytest.raises(ResultMissing, match="has not ended"):
        message.get_result()
    message.cancel()


def test_waiting_for_a_result_ends_in_time(stack: Stack) -> None:
    message = stack.send(add, 40, 2, delay=600_000)
    start = time.monotonic()
    with pytest.raises(ResultTimeout):
        message.get_result(block=True, timeout=500)
    took = time.monotonic() - start
    assert took > 0.4
    in_time(took, 3 * PATIENCE, "the wait")
    message.cancel()


def test_result_is_gone_after_its_ttl(stack: Stack) -> None:
    message = stack.send(short_lived)
    assert message.get_result(block=True, timeout=30_000) == "soon gone"
    row = Run.objects.filter(pk=message.message_id)
    run = row.get()
    assert run.result_until - run.finished_at >= timedelta(seconds=60)
    row.update(result_until=F("created_at"))
    with pytest.raises(ResultMissing):
        message.get_result()


def test_result_that_nobody_asked_to_keep_is_missing(stack: Stack, key: str) -> None:
    message = stack.send(note, key)
    stack.finish(message)
    with pytest.raises(ResultMissing, match="store_results"):
        message.get_result()


def test_result_of_a_dead_run_is_its_failure(stack: Stack, key: str) -> None:
    message = stack.send(divide_by_zero, key)
    with pytest.raises(ResultFailure) as caught:
        message.get_result(block=True, timeout=30_000)
    assert caught.value.orig_exc_type == "ZeroDivisionError"
    assert caught.value.orig_exc_msg == "division by zero"


def test_result_that_is_not_json_is_a_failure_without_retry(stack: Stack) -> None:
    message = stack.send(unkeepable)
    assert stack.finish(message) == "dead"
    run = monitoring.run(message.message_id)
    assert (len(run.attempts), "not JSON" in run.error) == (1, True)


def test_atomic_body_returns_its_result(stack: Stack) -> None:
    assert stack.send(return_atomically, 1).get_result(block=True, timeout=30_000) == 2


def test_result_given_inside_the_atomic_block_is_what_follows_gets(
    stack: Stack,
) -> None:
    one = settle_with_a_result.message_with_options(args=[1], broker=stack.alias)
    two = return_atomically.message_with_options(args=[], broker=stack.alias)
    line = (one | two).run()
    assert line.get_result(block=True, timeout=30_000) == 3


def test_success_callback_gets_the_result(stack: Stack, key: str) -> None:
    stack.send(tell_success, key)
    wait_for(lambda: effects(f"{key}/success/42"), 30, stack.tail())


def test_failure_callback_gets_each_failure_and_exhausted_the_last(
    stack: Stack, key: str
) -> None:
    message = stack.send(tell_failure, key)
    assert stack.finish(message) == "dead"
    wait_for(lambda: Effect.objects.filter(key__startswith=key).count() == 3, 30)
    told = Effect.objects.filter(key__startswith=key).values_list("key", flat=True)
    assert set(told) == {
        f"{key}/failure/ValueError: attempt 1",
        f"{key}/failure/ValueError: attempt 2",
        f"{key}/exhausted/1",
    }


def test_progress_is_seen_while_the_body_runs(stack: Stack, key: str) -> None:
    if not stack.has_worker:
        open_gate(key)
    message = stack.send(report_progress, key)
    seen = lambda: stack.broker.find(message.message_id).progress  # noqa: E731  # a condition
    assert wait_for(seen, 30, stack.tail()) == [3, 10, "a third"]
    if stack.has_worker:
        assert message.status() == "running"
        open_gate(key)
    assert stack.finish(message) == "succeeded"


def test_running_body_can_be_found_running(stack: Stack, key: str) -> None:
    if not stack.has_worker:
        open_gate(key)
    message = stack.send(hold, key)
    wait_for(lambda: effects(f"{key}/started"), 30, stack.tail())
    if stack.has_worker:
        assert message.status() == "running"
        open_gate(key)
    assert stack.finish(message) == "succeeded"
