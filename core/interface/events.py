"""Events: what happened, told to every actor that listens and to other services.

An event is a CloudEvent 1.0 in JSON form. Each subscriber gets a message of its own,
in the publisher's transaction; a built-in actor hands the event to the broker's
fan-out: an ordinary durable message, so that a broker that is away is waited for.

Source: CloudEvents 1.0.2, JSON event format.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from uuid import uuid4

from core.broker.handler import brokers
from core.errors import InvalidOption
from core.interface.actors import actor, send_many
from core.interface.messages import Message
from core.options import MAX_NAME
from core.registry import registry
from core.wire.envelope import check_payload

#: The valid names of an event.
TOPIC = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*")

Event = dict[str, Any]


def publish(topic: str, data: Any = None) -> list[Message[Any]]:
    """Tell everyone who listens that something happened, in the caller's transaction.

    Each actor with a matching `subscribe` is sent one dict: `id`, `type` (the topic),
    `source`, `time`, `data` and the other fields of a CloudEvent. With BROKERS[alias]
    ["EVENTS"] it goes out to other services as well.

    Returns the messages. Raises `InvalidOption` for a topic that cannot be one and
    `InvalidArguments` for data that is not JSON.
    """
    if (
        not isinstance(topic, str)
        or not TOPIC.fullmatch(topic)
        or len(topic) > MAX_NAME
    ):
        raise InvalidOption("topic", topic, f"at most {MAX_NAME} of {TOPIC.pattern}")
    # Also where nobody listens yet; how large it may be is up to each listener's alias.
    check_payload(topic, data, sys.maxsize)
    event: Event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"/{brokers.namespace()}",
        "type": topic,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    return send_many([*_to_subscribers(event), *_to_others(event)])


def _to_subscribers(event: Event) -> Iterator[Message[Any]]:
    for declared in registry:
        patterns = declared.options.get("subscribe", ())
        if any(fnmatchcase(event["type"], pattern) for pattern in patterns):
            yield declared.message(event)


def _to_others(event: Event) -> Iterator[Message[Any]]:
    for alias in brokers:
        if channel := brokers[alias].events:
            yield hand_out.message_with_options(
                args=(alias, channel, event), broker=alias
            )


@actor(
    actor_name="switchyard.hand_out",
    queue_name="events",
    max_retries=None,
    min_backoff=timedelta(milliseconds=500),
    max_backoff=timedelta(minutes=1),
)
def hand_out(alias: str, channel: str, event: Event) -> None:
    """Hand an event to the broker's fan-out. Safe to run twice: its id stays.

    `channel` is what EVENTS was when it was published; it may have changed since.
    """
    brokers[alias].backend.announce(channel, [json.dumps(event).encode()])
