"""Callbacks that cannot be sent: what they follow is settled all the same."""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest

from core import Message, actor, brokers, current_run, monitoring

pytestmark = pytest.mark.django_db(transaction=True)

told: list[Any] = []


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    told.clear()
    yield
    brokers["inprocess"].worker_stopped()


@actor(actor_name="test.callback.tell")
def tell(message: dict[str, Any], said: Any) -> None:
    """Remember what it was told."""
    told.append(said)


def no_key(*_: object) -> str:
    raise LookupError("there is no key")


@actor(actor_name="test.callback.keyless", unique_key=no_key)
def keyless(message: dict[str, Any], said: Any) -> None:
    """Be never sent."""


def sent(name: str, outcome: Any, **options: Any) -> Message[Any]:
    @actor(actor_name=f"test.callback.{name}", **options)
    def body() -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return body.send()


def test_on_failure_gets_unstorable_characters_escaped() -> None:
    message = sent("nul", ValueError("a\0b \ud800"), max_retries=0, on_failure=tell)
    assert message.status() == "dead"
    assert told == [{"type": "ValueError", "message": r"a\x00b \ud800"}]


def test_failure_is_settled_although_its_callback_cannot_be_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = sent("lost", ValueError("first"), max_retries=0, on_failure=keyless)
    assert monitoring.run(message.message_id).error == "ValueError: first"
    assert "test.callback.keyless cannot be sent: there is no key" in caplog.text


def test_other_callback_is_sent_although_one_cannot_be() -> None:
    calls = {"on_failure": keyless, "on_retry_exhausted": tell}
    message = sent("other", ValueError("first"), max_retries=0, **calls)
    assert message.status() == "dead"
    assert told == [{"retries": 0, "max_retries": 0}]


@actor(actor_name="test.callback.aside", broker="inprocess")
def aside(message: dict[str, Any], said: Any) -> None:
    """Be carried by another alias."""


def test_callback_goes_by_the_alias_of_its_own_actor() -> None:
    sent("by-alias", "fine", on_success=aside)
    (run,) = monitoring.runs(actor_name=aside.actor_name)
    assert (run.broker, run.state) == ("inprocess", "succeeded")


@pytest.mark.parametrize(
    ("result", "on_success", "why"),
    [
        ("x" * (1024 * 1024 - 100), tell, "the limit is 1048576"),
        ("fine", keyless, "there is no key"),
    ],
)
def test_success_that_on_success_cannot_be_told_of_is_dead_and_says_why(
    result: str, on_success: Any, why: str
) -> None:
    message = sent(f"success-{why}", result, on_success=on_success)
    run = monitoring.run(message.message_id)
    assert (run.state, len(run.attempts)) == ("dead", 1)
    assert why in run.error


def test_atomic_block_is_undone_when_on_success_cannot_be_told() -> None:
    @actor(actor_name="test.callback.atomic", on_success=keyless)
    def settle() -> None:
        with current_run().atomic():
            tell.using(delay=3_600_000).send({}, "undone")

    message = settle.send()
    assert message.status() == "dead"
    assert monitoring.runs(actor_name=tell.actor_name) == []


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("nul", "a\0b"),
        ("surrogate", "\ud800"),
        ("number", {1: 2}),
        ("deep", reduce(lambda inner, _: [inner], range(200), [])),
    ],
)
def test_result_that_would_not_come_back_as_it_was_is_refused(
    name: str, result: Any
) -> None:
    message = sent(f"result-{name}", result, store_results=True)
    run = monitoring.run(message.message_id)
    assert run.state == "dead"
    assert "returned what cannot be kept: it is not JSON" in run.error
