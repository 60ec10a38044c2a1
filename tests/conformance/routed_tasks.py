"""Actors whose messages are routed by the settings, and a route."""

from collections.abc import Mapping
from typing import Any

from core import Message, actor
from tests.conformance.bodies import effect


@actor
def by_rule_of_a_pattern(key: str) -> None:
    """Leave one effect, from another queue."""
    effect(key)


@actor
def by_function(key: str, size: int) -> None:
    """Leave one effect, from another queue if it is large."""
    effect(key)


def choose(message: Message[Any], load: object) -> Mapping[str, Any] | None:
    """Send what is large elsewhere."""
    return {"queue_name": "other", "priority": 7} if message.args[1] > 100 else None


@actor
def can_wait(key: str) -> None:
    """Leave one effect, elsewhere while much waits."""
    effect(key)


@actor
def must_not_wait(key: str) -> None:
    """Leave one effect, first while much waits."""
    effect(key)
