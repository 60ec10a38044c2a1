"""A message as it enters: checked, with its options resolved, as a run."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.errors import InvalidArguments, InvalidOption
from core.models import Run
from core.options import MAX_NAME, Options, is_writable
from core.registry import registry
from core.relay.outbox import Outbox
from core.secrets.redaction import STARS
from core.secrets.values import Given, encrypt_arguments, hide, values_of
from core.wire.envelope import Envelope, check_payload, size_of


@dataclass(frozen=True, slots=True)
class Draft:
    """A message with its options resolved, and the run that it becomes."""

    message: Envelope
    options: Options
    run: Run
    #: The sender's process publishes it, unless the relay is faster.
    is_ours: bool

    @property
    def fingerprint(self) -> str:
        """A digest of the arguments, without the secret ones: they never look alike."""
        message = _changed(self.message, hide)
        given = json.dumps([list(message.args), message.kwargs], sort_keys=True)
        return hashlib.sha256(given.encode()).hexdigest()

    @property
    def is_keyed(self) -> bool:
        """Return True if another run may stand for it."""
        keys = (self.run.unique_key, self.options.idempotency_key)
        return any(key is not None for key in keys)

    @property
    def is_direct(self) -> bool:
        """Return True if it needs no row unless it fails."""
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


def draft_of(
    message: Envelope, options: Options, outbox: Outbox, max_payload: int, now: Any
) -> Draft:
    """Return the message in the state in which it enters; refuse what cannot.

    `now` is the database's time, or an expression for it.
    """
    if not message.queue_name:
        message = replace(message, queue_name=options.queue_name)
    encrypted = _with_secrets_encrypted(message)
    payload = [encrypted.args, encrypted.kwargs, message.options]
    check_payload(message.actor_name, payload, max_payload)
    run = _row(message, encrypted, options, now)
    run.broker = outbox.alias
    run.routed = outbox.router.find(message.actor_name) is None
    crowded = run.routed and outbox.capacity.is_crowded(run.queue_name)
    publishes = outbox.backend.supports_publish and not crowded
    is_ours = not options.delay and options.eta is None and publishes
    if is_ours and run.limit_key is None:
        # The sender's own publisher comes first; a limit is the relay's business.
        run.relay_at = now + timedelta(seconds=outbox.timing.grace)
    if options.max_age is not None:
        run.expires_at = now + timedelta(milliseconds=options.max_age)
    return Draft(encrypted, options, run, is_ours)


def _row(message: Envelope, encrypted: Envelope, options: Options, now: Any) -> Run:
    due_at = _due_at(options, now)
    return Run(
        pk=UUID(message.message_id),
        actor_name=message.actor_name,
        queue_name=message.queue_name,
        priority=options.priority,
        args=list(encrypted.args),
        kwargs=encrypted.kwargs,
        options=message.options,
        created_at=now,
        due_at=due_at,
        relay_at=due_at,
        unique_key=_key("unique_key", options.unique_key, message),
        unique_running=options.unique_until == "end",
        limit_key=_limit_key(options, message),
    )


def _with_secrets_encrypted(message: Envelope) -> Envelope:
    """Return a message with its secret arguments encrypted."""
    if not _secrets_of(message):
        return message
    actor = registry.get(message.actor_name)
    secrets = values_of(actor.fn, actor.secrets, message.args, message.kwargs)
    try:
        size_of(secrets)
    except ValueError:
        # Without the reason, and the error that holds it: it would tell of the value.
        problem = "a secret argument is not JSON"
        raise InvalidArguments(message.actor_name, problem) from None
    return _changed(message, encrypt_arguments)


def _secrets_of(message: Envelope) -> frozenset[str]:
    known = message.actor_name in registry
    return registry.get(message.actor_name).secrets if known else frozenset()


def _changed(message: Envelope, change: Callable[..., Given]) -> Envelope:
    secrets = _secrets_of(message)
    if not secrets:
        return message
    fn = registry.get(message.actor_name).fn
    args, kwargs = change(fn, secrets, message.args, message.kwargs)
    return replace(message, args=args, kwargs=kwargs)


def _due_at(options: Options, now: Any) -> Any:
    if options.eta is not None:
        return datetime.fromtimestamp((options.eta + options.delay) / 1000, UTC)
    return now + timedelta(milliseconds=options.delay) if options.delay else now


def _key(
    option: str, key: Callable[..., str | None] | str | None, message: Envelope
) -> str | None:
    """Return a key as its actor computes it.

    A long one as its digest, and one that may be made of a secret. Raises
    `InvalidOption` unless it is a string or None. What is made a string, as an object,
    may never be the same twice.
    """
    secretly = callable(key) and _secrets_of(message)
    value = key(*message.args, **message.kwargs) if callable(key) else key
    if value is None:
        return None
    if not isinstance(value, str) or not is_writable(value):
        shown = STARS if secretly else value
        raise InvalidOption(option, shown, "a string, in UTF-8 and without NUL")
    if len(value) <= MAX_NAME and not secretly:
        return value
    return hashlib.sha256(value.encode()).hexdigest()


def _limit_key(options: Options, message: Envelope) -> str | None:
    if not (options.concurrency or options.rate_limit):
        return None
    key = _key("concurrency_key", options.concurrency_key, message)
    return message.actor_name if key is None else f"{message.actor_name}:{key}"
