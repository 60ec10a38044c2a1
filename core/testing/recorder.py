"""Keeping messages from the brokers, and writing down which were sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from core.broker.handler import brokers
from core.interface.messages import Message
from core.middleware import Middleware
from core.relay.outbox import Outbox
from core.wire.envelope import Envelope


def _wait() -> None:
    """Leave what was sent where it is."""


@contextmanager
def rehearsing(entered: Callable[[], None] | None = None) -> Iterator[None]:
    """Let every message wait as a row, also with durable=False; none is published.

    `entered` is called after each send.
    """
    before = Outbox.rehearsal
    Outbox.rehearsal = entered or before or _wait
    try:
        yield
    finally:
        Outbox.rehearsal = before


class Recorder(Middleware):
    """Keeps every message that is sent."""

    def __init__(self) -> None:
        self.messages: list[Message[Any]] = []

    def after_enqueue(self, broker: Any, message: Envelope, delay: int | None) -> None:
        """Keep a message."""
        self.messages.append(as_message(message))


def as_message(envelope: Envelope) -> Message[Any]:
    """Return an envelope as a message."""
    if isinstance(envelope, Message):
        return envelope
    return Message(*(getattr(envelope, f.name) for f in fields(Envelope)))


@contextmanager
def recording() -> Iterator[list[Message[Any]]]:
    """Rehearse, and give the list of what is sent meanwhile, in order.

    Of every alias; also callbacks, what is rolled back later, and a call that a key
    found to be made before.
    """
    recorder = Recorder()
    stacks = [brokers[alias].middleware for alias in brokers]
    with rehearsing():
        for stack in stacks:
            stack.members.append(recorder)
        try:
            yield recorder.messages
        finally:
            for stack in stacks:
                stack.members.remove(recorder)
