"""Fixtures for pytest: `sent`, `inline` and `worker`. They need pytest-django."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from core import testing

if TYPE_CHECKING:
    from core import Message


@pytest.fixture
def sent() -> "Iterator[list[Message[Any]]]":
    """Every message sent during the test, in order; none of them goes to a broker.

    They wait for `drain` or `perform`. Also those with durable=False, callbacks, and
    what was rolled back later: ask `enqueued` for what is really there.
    """
    with testing.recording() as messages:
        yield messages


@pytest.fixture
def inline(db: None) -> Iterator[None]:
    """Every send runs at once, in the test's transaction; a failing body raises."""
    with testing.inline():
        yield


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Callable[..., None]]:
    """`worker("default", processes=1, threads=2)` starts a real one for the test.

    It performs what the test commits: the test is one with transaction=True.
    """
    with ExitStack() as stack:

        def start(broker: str = "default", **numbers: int) -> None:
            stack.enter_context(testing.running_worker(broker, **numbers))

        yield start
