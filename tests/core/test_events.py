"""What an event is refused for, and how long it waits for its broker."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import InvalidArguments, InvalidOption, actor, brokers, publish
from core.testing import advance_time, drain

pytestmark = pytest.mark.django_db
NOBODY_LISTENS = {"default": {"BACKEND": "backends.inprocess.InProcessBackend"}}
AWAY = {
    "BACKEND": "backends.dramatiq.DramatiqBackend",
    "URL": "redis://127.0.0.1:1",
    "EVENTS": "told",
}


@pytest.fixture
def away(settings: Any) -> Iterator[str]:
    """The alias of a broker that does not answer."""
    settings.BROKERS = {**NOBODY_LISTENS, "away": AWAY}
    yield "away"
    brokers.forget("away")


def test_event_is_tried_every_minute_until_its_broker_is_back(away: str) -> None:
    [event] = publish("test.happened", 1)
    for _ in range(25):
        assert drain(away) >= 1
        assert event.status() == "pending"
        advance_time(60_000)


@pytest.mark.parametrize("data", [object(), {1: "a key that is no string"}, "\0"])
def test_data_that_is_not_json_is_refused_also_where_nobody_listens(
    settings: Any, data: Any
) -> None:
    settings.BROKERS = NOBODY_LISTENS
    assert publish("test.happened", {"fine": True}) == []
    with pytest.raises(InvalidArguments, match="not JSON"):
        publish("test.happened", data)


@pytest.mark.parametrize("topic", ["", "x" * 201, "no topic", "order.*", None])
def test_bad_topic_is_refused(topic: Any) -> None:
    with pytest.raises(InvalidOption, match="topic"):
        publish(topic)


def test_actor_that_cannot_take_the_event_cannot_subscribe() -> None:
    for fn in (lambda: None, lambda event, more: None, lambda *, event: None):
        with pytest.raises(InvalidOption, match="subscribe"):
            actor(actor_name="test.deaf", subscribe="test.*")(fn)
