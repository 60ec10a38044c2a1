"""Middleware of one alias: its options, and hooks that fail."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import (
    InvalidOption,
    Message,
    Middleware,
    SkipMessage,
    UnknownOption,
    actor,
    brokers,
    monitoring,
    send_many,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Tags(Middleware):
    """Has options of its own: one is core's as well."""

    actor_options = {"tag", "skip", "max_retries"}  # type: ignore[assignment]  # as Dramatiq users write it

    def before_process_message(self, broker: Any, message: Any) -> None:
        if message.options.get("skip"):
            raise SkipMessage("as it says")


class Foreign:
    """Written for Dramatiq: no subclass of ours, and no options."""


class Broken(Middleware):
    """Fails wherever it is called."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("before_", "after_")):
            raise LookupError(name)
        return super().__getattribute__(name)


@pytest.fixture(autouse=True)
def aliases(settings: Any) -> Iterator[None]:
    """An alias for each middleware, beside `default` which has none."""
    added = {
        kind.__name__.lower(): settings.BROKERS["default"]
        | {"MIDDLEWARE": [f"{__name__}.{kind.__name__}"]}
        for kind in (Tags, Foreign, Broken)
    }
    settings.BROKERS = settings.BROKERS | added
    yield
    for alias in added:
        brokers[alias].worker_stopped()
        brokers.forget(alias)


def tagged(name: str) -> Any:
    @actor(actor_name=f"test.middleware.{name}", tag="declared")
    def body() -> None:
        """Do nothing."""

    return body


@pytest.mark.parametrize("alias", ["default", "tags", "foreign", "broken"])
def test_actor_with_an_option_of_middleware_runs_on_every_alias(alias: str) -> None:
    assert tagged(f"on-{alias}").using(broker=alias).send().status() == "succeeded"


def test_option_of_middleware_keeps_no_alias_from_its_work() -> None:
    tagged("known")
    assert brokers["default"].resolver.rules()
    assert "test.middleware.known" in brokers["default"].actors()


def test_option_at_send_is_refused_where_no_middleware_knows_it() -> None:
    with pytest.raises(UnknownOption, match="'tag'"):
        tagged("refused").using(tag="sent").send()


def test_message_is_skipped_by_its_own_option() -> None:
    sent = tagged("skipped").using(broker="tags", skip=True).send()
    run = monitoring.run(sent.message_id)
    assert (run.state, run.error) == ("cancelled", "skipped: as it says")


def test_option_of_core_stays_core_s_although_middleware_names_it() -> None:
    @actor(actor_name="test.middleware.own", max_retries=0)
    def fail() -> None:
        raise ValueError

    assert fail.using(broker="tags").send().status() == "dead"


@pytest.mark.parametrize("value", [object(), {1: 2}, "a\0b", float("nan")])
def test_option_of_middleware_that_is_not_json_is_refused_at_send(value: Any) -> None:
    declared = tagged(f"json-{type(value).__name__}")
    with pytest.raises(InvalidOption, match=r"'tag' is .* it must be JSON"):
        declared.using(broker="tags", tag=value).send()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"dely": 5}, "'dely'. Did you mean 'delay'"),
        ({"priority": 1000}, "'priority' is 1000"),
        ({"max_age": "soon"}, "'max_age' is 'soon'"),
    ],
)
def test_options_of_a_copy_are_checked_at_the_send(
    options: dict[str, Any], error: str
) -> None:
    message: Message[None] = tagged(f"copy-{error[1:4]}").message()
    with pytest.raises((UnknownOption, InvalidOption), match=error):
        send_many([message.copy(options=options)])


def test_queue_of_a_copy_is_checked_at_the_send() -> None:
    message: Message[None] = tagged("queue").message()
    with pytest.raises(InvalidOption, match="'queue_name' is 'no queue'"):
        send_many([message.copy(queue_name="no queue")])
