"""Actors that fail in unpleasant ways, each performed in this process."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from core import Message, Retry, actor, current_run, monitoring

pytestmark = pytest.mark.django_db(transaction=True)


class Speechless(Exception):
    """An exception that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def broken(retries: int, error: BaseException) -> bool:
    raise RuntimeError("the predicate is broken")


def failing(name: str, error: BaseException, **options: Any) -> Callable[[], Message]:
    def body() -> None:
        raise error

    return actor(actor_name=f"test.{name}", **options)(body).send


def test_unstorable_characters_are_escaped() -> None:
    sent = failing("nul", ValueError("a\0b \ud800"), max_retries=0)()
    run = monitoring.run(sent.message_id)
    assert (run.state, run.error) == ("dead", r"ValueError: a\x00b \ud800")


def test_endless_message_is_cut_but_keeps_its_end() -> None:
    sent = failing("long", ValueError("x" * 10**6 + "the end"), max_retries=0)()
    run = monitoring.run(sent.message_id)
    assert len(run.error) < 10_000
    assert run.attempts[0].traceback.rstrip().endswith("the end")
    assert len(run.attempts[0].traceback) < 50_000


def test_exception_without_words_is_a_failure_like_any_other() -> None:
    sent = failing("speechless", Speechless(), max_retries=0)()
    run = monitoring.run(sent.message_id)
    assert run.state == "dead"
    assert "Speechless" in run.error


def test_broken_retry_when_buries_the_run_and_says_so() -> None:
    sent = failing("broken", ValueError("first"), retry_when=broken)()
    run = monitoring.run(sent.message_id)
    assert run.state == "dead"
    assert "ValueError: first" in run.error


def test_impossible_delay_of_a_retry_does_not_lose_the_run() -> None:
    sent = failing("impossible", Retry("later", delay="soon"))()
    assert monitoring.run(sent.message_id).state == "dead"


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit()])
def test_body_that_tries_to_leave_the_process_is_a_failure(
    error: BaseException,
) -> None:
    sent = failing(f"leave-{type(error).__name__}", error, max_retries=0)()
    assert sent.status() == "dead"


def test_error_after_the_atomic_block_does_not_undo_the_success() -> None:
    @actor(actor_name="test.late-error")
    def late() -> None:
        with current_run().atomic():
            pass
        raise ValueError("too late to matter")

    assert late.send().status() == "succeeded"


def test_there_is_no_current_run_outside_of_a_worker() -> None:
    assert current_run() is None


def test_generator_as_a_result_fails_without_retry() -> None:
    def numbers() -> Any:
        yield 1

    @actor(actor_name="test.turns_up")
    def body() -> Any:
        return numbers()

    run = monitoring.run(body.send().message_id)
    assert (run.state, len(run.attempts)) == ("dead", 1)
    assert "a generator, of which no line has run" in run.error


def test_coroutine_that_turns_up_in_an_atomic_body_is_a_failure() -> None:
    ran = []

    async def later() -> None:
        ran.append(1)

    @actor(actor_name="test.turns_up_atomic", atomic=True)
    def body() -> Any:
        return later()

    run = monitoring.run(body.send().message_id)
    assert (run.state, len(run.attempts), ran) == ("dead", 1, [])
    assert "outside of the transaction" in run.error


class Thing:
    """What a body holds."""


held: list[weakref.ref[Thing]] = []


@actor(actor_name="test.holding", max_retries=0)
def holding() -> None:
    thing = Thing()
    held.append(weakref.ref(thing))
    raise ValueError(thing)


def test_failed_body_frees_its_objects_at_once() -> None:
    gc.disable()
    try:
        holding.send()
        assert held.pop()() is None
    finally:
        gc.enable()
