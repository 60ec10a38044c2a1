"""Assertions about tasks, for Django's TestCase."""

import unittest
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core.interface.actors import Actor
from core.interface.messages import Message
from core.testing import clock, draining, repeating, rows
from core.testing.recorder import rehearsing


class TaskTestMixin(unittest.TestCase):
    """Messages wait until `drain` or `perform`; nothing goes to a broker."""

    @classmethod
    def setUpClass(cls) -> None:
        """Keep messages from the brokers, also those of setUpTestData."""
        cls.enterClassContext(rehearsing())
        super().setUpClass()

    def enqueued(
        self, actor: Actor[..., Any] | None = None, **options: Any
    ) -> list[Message[Any]]:
        """See `core.testing.enqueued`."""
        return rows.enqueued(actor, **options)

    def drain(
        self,
        broker: str = "default",
        queue: str | None = None,
        *,
        raising: bool = False,
    ) -> int:
        """See `core.testing.drain`."""
        return draining.drain(broker, queue, raising=raising)

    def perform(self, message: Message[Any], *, raising: bool = False) -> str:
        """See `core.testing.perform`."""
        return draining.perform(message, raising=raising)

    def advance_time(self, delta: timedelta | int) -> None:
        """See `core.testing.advance_time`."""
        clock.advance_time(delta)

    def assertEnqueued(  # noqa: N802  # as unittest's own
        self,
        actor: Actor[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        count: int | None = None,
        **options: Any,
    ) -> None:
        """Fail unless such a message waits; with `count`, unless that many do."""
        wanted = _wanted(args, kwargs, options)
        found = len(rows.enqueued(actor, **wanted))
        if found == 0 if count is None else found != count:
            number = "one" if count is None else count
            self.fail(_told(actor, wanted, f"{number} expected, {found} found"))

    def assertNotEnqueued(  # noqa: N802  # as unittest's own
        self,
        actor: Actor[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Fail if such a message waits; without an actor, if any does."""
        wanted = _wanted(args, kwargs, options)
        found = len(rows.enqueued(actor, **wanted))
        if found:
            self.fail(_told(actor, wanted, f"none expected, {found} found"))

    def assertSafeToRepeat(  # noqa: N802  # as unittest's own
        self, actor: Actor[..., Any], *args: Any, **kwargs: Any
    ) -> None:
        """See `core.testing.assert_safe_to_repeat`; for a TransactionTestCase."""
        repeating.assert_safe_to_repeat(actor, *args, **kwargs)


def _wanted(
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    given = {"args": args, "kwargs": kwargs}
    return {**options, **{n: value for n, value in given.items() if value is not None}}


def _told(
    actor: Actor[..., Any] | None, wanted: Mapping[str, Any], problem: str
) -> str:
    name = "any actor" if actor is None else actor.actor_name
    narrowed = [f"{option}={value!r}" for option, value in wanted.items()]
    lines = [f"Messages of {', '.join([name, *narrowed])}: {problem}."]
    there = [
        f"  {message} in queue {message.queue_name!r}, options {message.options}"
        for message in rows.enqueued()
    ]
    return "\n".join([*lines, "Enqueued are:" if there else "Nothing waits.", *there])
