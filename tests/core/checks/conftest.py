"""What the tests of checks leave behind is forgotten."""

from collections.abc import Iterator

import pytest

from core import brokers
from core.registry import registry


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Forget the actors and the brokers of a test."""
    known = dict(registry._actors)
    yield
    registry._actors.clear()
    registry._actors.update(known)
    for alias in ("default", "bad"):
        brokers.forget(alias)
