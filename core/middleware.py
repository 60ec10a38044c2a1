"""Middleware: what may happen around a message; it observes, or skips.

The hooks are Dramatiq's, with its names, arguments and order: "before" from the first
middleware to the last, "after" from the last to the first. What a hook raises is
logged and goes no further, except `SkipMessage` in `before_process_message`.

Source: Dramatiq 2.2, `dramatiq.middleware.middleware`.
"""

import logging
from collections.abc import Iterable
from typing import Any

from django.utils.module_loading import import_string

from core.errors import BrokerConfigError, SkipMessage
from core.secrets.redaction import trace
from core.wire.envelope import Envelope

logger = logging.getLogger(__name__)


class Middleware:
    """The hooks; override those you need. Called from several threads at once."""

    @property
    def actor_options(self) -> set[str]:
        """Options of your own, that actors and messages may carry."""
        return set()

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        """An actor becomes known to the broker."""

    def after_declare_actor(self, broker: Any, actor: Any) -> None:
        """An actor has become known to the broker."""

    def before_enqueue(self, broker: Any, message: Envelope, delay: int | None) -> None:
        """A message is about to be sent, `delay` in ms."""

    def after_enqueue(self, broker: Any, message: Envelope, delay: int | None) -> None:
        """A message has been sent, in the sender's transaction."""

    def before_process_message(self, broker: Any, message: Envelope) -> None:
        """A body is about to run; raise `SkipMessage` and it does not."""

    def after_process_message(
        self,
        broker: Any,
        message: Envelope,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """A body has ended; what becomes of it is not yet settled."""

    def after_skip_message(self, broker: Any, message: Envelope) -> None:
        """A message was skipped, or had expired."""

    def before_ack(self, broker: Any, message: Envelope) -> None:
        """A message's outcome is settled; the engine is about to be told."""

    def after_ack(self, broker: Any, message: Envelope) -> None:
        """As `before_ack`: the engine acknowledges when the delivery returns."""

    def before_nack(self, broker: Any, message: Envelope) -> None:
        """A message is dead."""

    def after_nack(self, broker: Any, message: Envelope) -> None:
        """A message is dead."""

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        """The engine's worker has started in this process. `worker` is its name."""

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """The engine's worker was told to stop."""

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """The engine's worker has ended."""


class MiddlewareStack:
    """The middleware of one broker."""

    def __init__(self, broker: Any, members: Iterable[Any] = ()) -> None:
        self.broker = broker
        self.members: list[Any] = list(members)

    @property
    def options(self) -> frozenset[str]:
        """The options that the middleware understands."""
        return options_of(self.members)

    def before(self, hook: str, *args: Any) -> None:
        """Call `before_<hook>`; only `SkipMessage` comes out."""
        for member in self.members:
            self._call(member, f"before_{hook}", args, {})

    def after(self, hook: str, *args: Any, **kwargs: Any) -> None:
        """Call `after_<hook>`; nothing comes out."""
        for member in reversed(self.members):
            self._call(member, f"after_{hook}", args, kwargs)

    def _call(
        self, member: Any, hook: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        try:
            # Looked up: one written for Dramatiq need not be a subclass of ours.
            method = getattr(member, hook, None)
            if method is not None:
                method(self.broker, *args, **kwargs)
        except SkipMessage as raised:
            if hook == "before_process_message":
                raise
            _ignore(hook, member, raised)
        except Exception as raised:  # a user's code: it must not stop the message
            _ignore(hook, member, raised)


def _ignore(hook: str, member: Any, raised: BaseException) -> None:
    # In the midst of a failure its context is what the body raised.
    logger.error("%s of %r raised; ignored.\n%s", hook, member, trace(raised))


def options_of(members: Iterable[Any]) -> frozenset[str]:
    """Return the options that middleware understands."""
    # Looked up, as its hooks are.
    given = (getattr(member, "actor_options", ()) for member in members)
    return frozenset().union(*given)


def build(alias: str, given: Iterable[Any]) -> list[Any]:
    """Return the middleware that BROKERS[alias]["MIDDLEWARE"] names.

    Each is the path of a class without arguments, or a ready object.
    """
    members = []
    for entry in given:
        try:
            members.append(import_string(entry)() if isinstance(entry, str) else entry)
        except (ImportError, TypeError) as error:
            raise BrokerConfigError(alias, "MIDDLEWARE", str(error)) from error
    return members
