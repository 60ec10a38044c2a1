"""A message as it enters: checked, with its options resolved, as a run."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from core import runs
from core.envelope import Envelope, check_payload
from core.models import Run
from core.options import MAX_NAME, Options
from core.outbox import Outbox
from core.registry import registry
from core.secret import Given, hide, seal


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with its options resolved, and the run that it becomes."""

    message: Envelope
    options: Options
    run: Run

    @property
    def is_due(self) -> bool:
        """Say whether it may start at once."""
        return not self.options.delay and self.options.eta is None

    @property
    def fingerprint(self) -> str:
        """A digest of the arguments, without the secret ones: they never look alike."""
        message = _changed(self.message, hide)
        given = json.dumps([list(message.args), message.kwargs], sort_keys=True)
        return hashlib.sha256(given.encode()).hexdigest()

    @property
    def is_keyed(self) -> bool:
        """Say whether another run may stand for it."""
        return bool(self.run.unique_key or self.options.idempotency_key)

    @property
    def is_direct(self) -> bool:
        """Say whether there is nothing to remember of it, as long as all goes well."""
        options = self.options
        return Outbox.rehearsal is None and not (
            options.durable
            or options.delay
            or options.eta
            or options.store_results
            or options.on_success
            or options.atomic
            or self.is_keyed
            or self.run.limit_key
        )


def entry_of(
    message: Envelope, options: Options, outbox: Outbox, max_payload: int
) -> Entry:
    """Return the message in the state in which it enters; refuse what cannot."""
    sealed = _changed(message, seal)
    check_payload(message.actor_name, [sealed.args, sealed.kwargs], max_payload)
    due_at = _due_at(options)
    run = Run(
        pk=UUID(message.message_id),
        broker=outbox.alias,
        actor_name=message.actor_name,
        queue_name=message.queue_name or options.queue_name,
        priority=options.priority,
        args=list(sealed.args),
        kwargs=sealed.kwargs,
        options=message.options,
        created_at=Now(),
        due_at=due_at,
        relay_at=due_at,
        unique_key=_key(options.unique_key, message),
        unique_running=options.unique_until == "end",
        limit_key=_limit_key(options, message),
        routed=outbox.router.find(message.actor_name) is None,
    )
    entry = Entry(sealed, options, run)
    if entry.is_due and run.limit_key is None:
        # The sender's own publisher comes first; a limit is the relay's business.
        run.relay_at = runs.later(outbox.timing.grace)
    if options.max_age is not None:
        run.expires_at = runs.later(options.max_age / 1000)
    return entry


def _changed(message: Envelope, change: Callable[..., Given]) -> Envelope:
    if message.actor_name not in registry:
        return message
    actor = registry.get(message.actor_name)
    if not actor.secrets:
        return message
    args, kwargs = change(actor.fn, actor.secrets, message.args, message.kwargs)
    return replace(message, args=args, kwargs=kwargs)


def _due_at(options: Options) -> Any:
    if options.eta is not None:
        return datetime.fromtimestamp((options.eta + options.delay) / 1000, UTC)
    return runs.later(options.delay / 1000) if options.delay else Now()


def _key(key: Callable[..., str] | str | None, message: Envelope) -> str | None:
    """Return a key as its actor computes it; a long one as its digest."""
    value = key(*message.args, **message.kwargs) if callable(key) else key
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= MAX_NAME else hashlib.sha256(text.encode()).hexdigest()


def _limit_key(options: Options, message: Envelope) -> str | None:
    if not (options.concurrency or options.rate_limit):
        return None
    key = _key(options.concurrency_key, message)
    return message.actor_name if key is None else f"{message.actor_name}:{key}"
