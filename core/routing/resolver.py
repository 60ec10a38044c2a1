"""Options of one broker alias: its defaults, then the actor's, then the send's."""

from collections.abc import Mapping
from typing import Any

from core.errors import UnknownActor
from core.middleware import MiddlewareStack
from core.options import Options, interval
from core.options.functions import check_options
from core.registry import Declared, registry
from core.runs import LimitRule
from core.wire.envelope import Envelope


class Resolver:
    """The options of an actor, and of a message, on this alias."""

    def __init__(
        self, defaults: Mapping[str, Any], middleware: MiddlewareStack
    ) -> None:
        self._defaults = defaults
        self._middleware = middleware
        self._rules: tuple[int, dict[str, LimitRule]] | None = None
        self._known: dict[str, tuple[Declared, Options]] = {}

    def options_of(self, message: Envelope) -> Options:
        """Return the options of a message."""
        try:
            actor = registry.get(message.actor_name)
        except UnknownActor:
            # A callback of another release: it waits for a worker that knows it.
            return self._resolve(message.options)
        options = self.resolve(actor, message.options)
        if options.atomic:  # as ACTOR_OPTIONS may say of every actor
            check_options(actor.fn, options)
        return options

    def resolve(self, actor: Declared, given: Mapping[str, Any]) -> Options:
        """Return an actor's options with those that a send gave.

        Raises `UnknownOption`: a newer release has stored one.
        """
        if not given:
            return self._own(actor)
        return self._resolve(Options.own(actor.options), given)

    def queue_of(self, actor: Declared) -> str:
        """Return the queue that an actor's messages go to unless they say otherwise."""
        return self._own(actor).queue_name

    def queues(self) -> set[str]:
        """Return these queues, and those for what finds no room there."""
        resolved = [self._own(actor) for actor in registry]
        named = [(options.queue_name, options.overflow_queue) for options in resolved]
        return {queue for pair in named for queue in pair if queue is not None}

    def rules(self) -> dict[str, LimitRule]:
        """Return the limits of every declared actor, by its name."""
        known = len(registry)
        if self._rules is None or self._rules[0] != known:
            self._rules = (known, self._read_rules())
        return self._rules[1]

    def _read_rules(self) -> dict[str, LimitRule]:
        resolved = {actor.actor_name: self._own(actor) for actor in registry}
        return {
            name: LimitRule(options.concurrency, interval(options.rate_limit))
            for name, options in resolved.items()
        }

    def _own(self, actor: Declared) -> Options:
        """Return what holds for an actor unless a send says otherwise; kept."""
        known = self._known.get(actor.actor_name)
        if known is None or known[0] is not actor:
            known = actor, self._resolve(Options.own(actor.options))
            self._known[actor.actor_name] = known
        return known[1]

    def _resolve(self, *layers: Mapping[str, Any]) -> Options:
        return Options.resolve(self._defaults, *layers, extra=self._middleware.options)
