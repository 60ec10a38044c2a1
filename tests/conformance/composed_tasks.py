"""Actors that return something, and actors that follow."""

import json
from typing import Any

from core import actor, current_run
from tests.conformance.bodies import effect
from tests.conformance.models import Gate

quick = {"min_backoff": 0, "max_retries": 1}


@actor(store_results=True)
def add(a: int, b: int) -> int:
    """Return a sum."""
    return a + b


@actor(store_results=True)
def total(numbers: list[int]) -> int:
    """Return the sum of a list."""
    return sum(numbers)


@actor(store_results=True)
def write_down(key: str, *said: Any) -> str:
    """Leave one effect, named after what it was given."""
    text = f"{key}/{json.dumps(said)}"
    effect(text)
    return text


@actor(**quick)
def fail(key: str, *said: Any) -> None:
    """Leave an effect and fail, unless its gate is open."""
    effect(key)
    if not Gate.objects.filter(key=key).exists():
        raise ValueError(f"no {key}")


@actor(store_results=True, result_ttl=60_000)
def short_lived() -> str:
    """Return what is kept for a minute."""
    return "soon gone"


@actor(store_results=True, max_retries=3)
def unkeepable() -> object:
    """Return what no JSON can hold."""
    return object()


@actor
def succeeded(message: dict[str, Any], result: Any) -> None:
    """Note what a success was told."""
    effect(f"{message['args'][0]}/success/{result}")


@actor
def failed(message: dict[str, Any], error: dict[str, str]) -> None:
    """Note what a failure was told."""
    effect(f"{message['args'][0]}/failure/{error['type']}: {error['message']}")


@actor
def exhausted(message: dict[str, Any], counts: dict[str, int]) -> None:
    """Note what the end of the retries was told."""
    effect(f"{message['args'][0]}/exhausted/{counts['retries']}")


@actor(on_success=succeeded)
def tell_success(key: str) -> int:
    """Succeed, and have it told."""
    return 42


@actor(
    on_failure=failed,
    on_retry_exhausted="tests.conformance.composed_tasks.exhausted",
    **quick,
)
def tell_failure(key: str) -> None:
    """Fail twice, and have it told."""
    raise ValueError(f"attempt {current_run().attempt}")


@actor(atomic=True, store_results=True)
def return_atomically(value: int) -> int:
    """Return from inside the transaction."""
    return value + 1


@actor(store_results=True)
def settle_with_a_result(value: int) -> str:
    """Settle inside the body, and say with which result."""
    with current_run().atomic() as settling:
        settling.result = value + 1
    return "too late for what follows"
