"""What a sender may get wrong, and is told at once."""

from datetime import timedelta
from typing import Any

import pytest

from core import (
    IdempotencyConflict,
    InvalidArguments,
    InvalidOption,
    NoMessage,
    Retry,
    SentTwice,
    actor,
    group,
    monitoring,
    pipeline,
    send_many,
)
from core.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@actor(actor_name="test.refusing.echo", store_results=True)
def echo(*given: Any) -> list[Any]:
    """Return what it was given."""
    return list(given)


async def coroutine(*_: Any) -> str:
    return "never awaited"


NO_NODES = [None, 5, "a", echo, pipeline, echo.send]


@pytest.mark.parametrize("given", NO_NODES)
def test_composition_with_a_bad_message_is_refused(given: Any) -> None:
    with pytest.raises(NoMessage, match="is not a message, a pipeline or a group"):
        pipeline([echo.message(), given])
    with pytest.raises(NoMessage, match=r"Build one with actor.message\(\.\.\.\)"):
        group([given])
    with pytest.raises(NoMessage):
        echo.message() | given


@pytest.mark.parametrize("given", [*NO_NODES, echo.message() | echo.message()])
def test_only_a_message_can_follow_a_group_or_be_one_of_many(given: Any) -> None:
    with pytest.raises(NoMessage, match="is not a message"):
        group([echo.message()]).then(given)
    with pytest.raises(NoMessage, match="is not a message"):
        send_many([echo.message(), given])
    assert not Run.objects.exists()


def test_message_twice_in_one_composition_is_refused() -> None:
    message = echo.message(1)
    with pytest.raises(SentTwice, match=f"echo {message.message_id} is sent a second"):
        pipeline([message, message]).run()
    with pytest.raises(SentTwice):
        group([message, message]).run()
    assert not Run.objects.exists()


def test_message_that_was_sent_before_is_refused() -> None:
    message, both = echo.message(1), pipeline([echo.message(2), echo.message(3)])
    send_many([message])
    both.run()
    with pytest.raises(SentTwice, match=message.message_id):
        send_many([message])
    with pytest.raises(SentTwice, match="One of 2 messages is sent a second time"):
        both.run()


def test_message_with_an_idempotency_key_may_be_sent_again() -> None:
    message = echo.message_with_options(args=[1], idempotency_key="once")
    send_many([message])
    assert send_many([message]) == [message]
    with pytest.raises(IdempotencyConflict):
        send_many([message.copy(args=(2,))])
    assert Run.objects.count() == 1


@pytest.mark.parametrize("args", ["ab", {"a": 1}, 5, {1, 2}, None])
def test_arguments_that_would_be_taken_apart_are_refused(args: Any) -> None:
    with pytest.raises(InvalidArguments, match="not a list or a tuple"):
        echo.send_with_options(args=args)
    with pytest.raises(InvalidArguments, match="not a dict"):
        echo.message_with_options(kwargs=[args])


@pytest.mark.parametrize("key", [5, object(), "a\0b", "\ud800", b"key"])
@pytest.mark.parametrize("option", ["unique_key", "concurrency_key"])
def test_key_that_is_no_text_is_refused_at_the_send(option: str, key: Any) -> None:
    name = f"test.refusing.{option}-{ascii(key)[:9]}"
    keyed: Any = {option: lambda: key, "concurrency": 1}

    @actor(actor_name=name, **keyed)
    def body() -> None:
        """Be never sent."""

    with pytest.raises(InvalidOption, match=f"'{option}' is .* it must be a string"):
        body.send()


def test_empty_key_is_a_key() -> None:
    @actor(actor_name="test.refusing.empty", unique_key=lambda: "")
    def body() -> None:
        """Do nothing."""

    later = body.using(delay=timedelta(hours=1))
    assert [later.send().created, later.send().created] == [True, False]


@pytest.mark.parametrize("option", ["unique_key", "concurrency_key", "retry_when"])
def test_coroutine_function_is_refused_where_its_answer_is_needed(option: str) -> None:
    with pytest.raises(InvalidOption, match=option):
        actor(**{option: coroutine})(coroutine)  # type: ignore[call-overload]  # any option


@pytest.mark.parametrize("queue", ["mail.msgs", "mail.DQ", "mail.XQ"])
def test_queue_whose_name_an_engine_uses_is_refused(queue: str) -> None:
    with pytest.raises(InvalidOption, match="engines use them"):
        actor(queue_name=queue)(coroutine)


def test_timeout_is_a_timedelta_or_milliseconds() -> None:
    message = echo.send(1)
    wait = timedelta(seconds=1)
    assert message.get_result(block=True, timeout=wait) == [1]
    assert list(group([message]).get_results(block=True, timeout=wait)) == [[1]]
    for wrong in ("1", 1.5, -1):
        with pytest.raises(InvalidOption, match="'timeout' is"):
            message.get_result(block=True, timeout=wrong)  # type: ignore[arg-type]  # the mistake is the point


@pytest.mark.parametrize("delay", [0, -1, timedelta(seconds=-5)])
def test_retry_until_a_time_that_has_passed_waits_as_any_other(delay: Any) -> None:
    @actor(actor_name=f"test.refusing.retry-{delay}")
    def body() -> None:
        raise Retry("too late", delay=delay)

    run = monitoring.run(body.send().message_id)
    assert run.state == "pending"
    assert f"too late, delay={delay}" in run.error
