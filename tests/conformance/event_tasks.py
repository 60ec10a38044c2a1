"""Actors that listen."""

from typing import Any

from core import actor
from tests.conformance.bodies import effect


@actor(subscribe="conformance.*")
def hear_all(event: dict[str, Any]) -> None:
    """Note any event of ours."""
    effect(f"{event['data']}/all/{event['type']}/{event['id']}")


@actor(subscribe=("conformance.submitted", "conformance.sub*"))
def hear_submitted(event: dict[str, Any]) -> None:
    """Note what was submitted, once."""
    effect(f"{event['data']}/submitted/{event['type']}/{event['id']}")
