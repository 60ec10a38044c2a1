"""Events and their subscribers."""

from typing import Any

import pytest
from django.db import transaction

from core import InvalidArguments, InvalidOption, publish
from tests.conformance.listening import listener
from tests.conformance.models import Effect
from tests.conformance.stacks import Stack, effects
from tests.conformance.tasks import note
from tests.services.waiting import wait_for

pytestmark = pytest.mark.usefixtures("stack")


def heard(key: str) -> list[str]:
    found = Effect.objects.filter(key__startswith=f"{key}/").order_by("key")
    return [effect.key.removeprefix(f"{key}/").rpartition("/")[0] for effect in found]


def hear(stack: Stack, outside: Any, key: str, number: int) -> list[dict[str, Any]]:
    """Come back until so many events of the test's own were heard; return them."""
    got: list[dict[str, Any]] = []

    def all_heard() -> bool:
        got.extend(event for event in outside.hear() if event["data"] == key)
        return len(got) >= number

    wait_for(all_heard, 30, stack.tail())
    return got


def test_each_subscriber_gets_a_message_of_its_own(stack: Stack, key: str) -> None:
    publish("conformance.submitted", key)
    everyone = ["all/conformance.submitted", "submitted/conformance.submitted"]
    wait_for(lambda: heard(key) == everyone, 30, stack.tail())


def test_subscriber_gets_only_its_topic(stack: Stack, key: str) -> None:
    publish("conformance.shipped", key)
    publish("elsewhere.submitted", key)
    wait_for(lambda: heard(key) == ["all/conformance.shipped"], 30, stack.tail())


def test_rolled_back_event_is_not_published(stack: Stack, key: str) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        publish("conformance.submitted", key)
        raise KeyError
    assert stack.finish(stack.send(note, key)) == "succeeded"
    assert (heard(key), effects(key)) == ([], 1)


def test_bad_event_is_refused(stack: Stack, key: str) -> None:
    with pytest.raises(InvalidOption, match="topic"):
        publish("no topic", key)
    with pytest.raises(InvalidArguments, match="not JSON"):
        publish("conformance.submitted", object())


@pytest.mark.needs("events")
def test_subscribers_that_were_away_get_earlier_events(stack: Stack, key: str) -> None:
    outside = listener(stack.alias, stack.broker.backend.url, stack.broker.events)
    publish("conformance.first", key)
    publish("conformance.second", key)
    got = hear(stack, outside, key, 2)
    assert sorted(event["type"] for event in got) == [
        "conformance.first",
        "conformance.second",
    ]


@pytest.mark.needs("events")
def test_event_has_one_id_for_everyone(stack: Stack, key: str) -> None:
    outside = listener(stack.alias, stack.broker.backend.url, stack.broker.events)
    publish("conformance.shipped", key)
    events = hear(stack, outside, key, 1)
    wait_for(lambda: heard(key), 30, stack.tail())
    told = Effect.objects.get(key__startswith=f"{key}/").key.rpartition("/")[2]
    assert [event["id"] for event in events] == [told]
    assert events[0]["specversion"] == "1.0"


@pytest.mark.needs("events")
def test_event_goes_where_events_went_when_it_was_published(
    stack: Stack, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The workers have the setting as it is now; this process, as it was before.
    before = f"{stack.broker.events}.before"
    monkeypatch.setattr(stack.broker, "events", before)
    outside = listener(stack.alias, stack.broker.backend.url, before)
    publish("conformance.moved", key)
    assert [event["type"] for event in hear(stack, outside, key, 1)] == [
        "conformance.moved"
    ]
