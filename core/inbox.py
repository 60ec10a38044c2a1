"""Where messages come in: each becomes a run, or goes to the engine as it is."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from core import runs
from core.capacity import BATCH
from core.envelope import Envelope, check_payload
from core.errors import BrokerUnavailable, OptionConflict, UnknownActor
from core.middleware import Chain
from core.models import Batch, Run
from core.options import PERIODS, Options
from core.outbox import Outbox
from core.place import Place
from core.registry import Declared, registry
from core.runs import Rule
from core.secret import Given, hide, seal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with its options resolved, and the run that it becomes."""

    message: Envelope
    options: Options
    run: Run

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
            or options.idempotency_key
        )


class Inbox:
    """The incoming side of one broker alias."""

    def __init__(
        self, outbox: Outbox, chain: Chain, defaults: dict[str, Any], max_payload: int
    ) -> None:
        self.outbox = outbox
        self.chain = chain
        self.defaults = defaults
        self.max_payload = max_payload
        self._rules: tuple[int, dict[str, Rule]] | None = None

    def enqueue(self, messages: Sequence[Envelope]) -> list[UUID]:
        """Write messages as runs in the caller's transaction; publish what is due.

        Returns the id of each one's run: another than the message's own when a key
        says that this call was made before.
        """
        for message in messages:
            _check(message)
        entries = [self.entry(message) for message in messages]
        self._announce("before", entries)
        direct = [entry for entry in entries if entry.is_direct]
        ids = self._write([entry for entry in entries if not entry.is_direct])
        self._send(direct)
        self._announce("after", entries)
        self.outbox.entered()
        return [ids.get(entry.run.pk, entry.run.pk) for entry in entries]

    def follow_up(self, messages: Sequence[Envelope]) -> None:
        """Write callbacks, in the transaction that settles what they follow."""
        entries = [self.entry(message) for message in messages]
        self._announce("before", entries)
        self._write(entries)
        self._announce("after", entries)

    def _announce(self, when: str, entries: Sequence[Entry]) -> None:
        if self.chain.links:
            call: Callable[..., None] = getattr(self.chain, when)
            for entry in entries:
                call("enqueue", entry.message, entry.options.delay or None)

    def _write(self, entries: Sequence[Entry]) -> dict[UUID, UUID]:
        """Write runs; return the ids of those that another one stands for."""
        self.outbox.add([entry.run for entry in entries if not entry.is_keyed])
        ids = {e.run.pk: self._write_keyed(e) for e in entries if e.is_keyed}
        made = [e for e in entries if ids.get(e.run.pk, e.run.pk) == e.run.pk]
        self.outbox.publish_soon([e.run for e in made if _is_due(e.options)])
        return ids

    def _write_keyed(self, entry: Entry) -> UUID:
        self.outbox.check_transaction()
        database, run, key = self.outbox.database, entry.run, entry.options
        if key.idempotency_key is None:
            return runs.insert_unique(database, run)
        fingerprint = _fingerprint(entry.message)
        return runs.insert_idempotent(database, run, key.idempotency_key, fingerprint)

    def _send(self, entries: Sequence[Entry]) -> None:
        """Publish messages without a row: now, or once the transaction commits."""
        if not entries:
            return
        if connections[self.outbox.database].in_atomic_block:
            transaction.on_commit(
                lambda: self._send_late(entries),
                using=self.outbox.database,
                robust=True,
            )
        else:
            self._publish(entries)

    def _publish(self, entries: Sequence[Entry]) -> None:
        self.outbox.send_direct(
            [entry.message for entry in entries],
            [entry.options.priority for entry in entries],
        )

    def _send_late(self, entries: Sequence[Entry]) -> None:
        """Publish after a commit, when there is nobody to tell of a failure."""
        try:
            self._publish(entries)
        except BrokerUnavailable as error:
            logger.warning("Kept %d direct messages as rows: %s", len(entries), error)
            self._write(entries)

    def entry(self, message: Envelope) -> Entry:
        """Return the message as a run, checked, in the state in which it enters."""
        options, message = self._options(message), _sealed(message)
        check_payload(
            message.actor_name, [message.args, message.kwargs], self.max_payload
        )
        due_at = _due_at(options)
        run = Run(
            pk=UUID(message.message_id),
            broker=self.outbox.alias,
            actor_name=message.actor_name,
            queue_name=message.queue_name or options.queue_name,
            priority=options.priority,
            args=list(message.args),
            kwargs=message.kwargs,
            options=message.options,
            created_at=Now(),
            due_at=due_at,
            relay_at=runs.later(self.outbox.timing.grace)
            if _is_due(options)
            else due_at,
            unique_key=_key(options.unique_key, message),
            unique_running=options.unique_until == "end",
            limit_key=_limit_key(options, message),
            routed=self.outbox.router.find(message.actor_name) is None,
        )
        if _is_due(options) and run.limit_key is None:
            # The sender's own publisher comes first; a limit is the relay's business.
            run.relay_at = runs.later(self.outbox.timing.grace)
        if options.max_age is not None:
            run.expires_at = runs.later(options.max_age / 1000)
        return Entry(message, options, run)

    def _options(self, message: Envelope) -> Options:
        try:
            declared: Mapping[str, Any] = registry.get(message.actor_name).options
        except UnknownActor:
            # A callback of another release: it waits for a worker that knows it.
            declared = {}
        return self._resolve(declared, message.options)

    def _resolve(self, *layers: Any) -> Options:
        return Options.resolve(self.defaults, *layers, extra=self.chain.options)

    def queue_of(self, actor: Declared) -> str:
        """Return the queue that an actor's messages go to unless they say otherwise."""
        return self._resolve(actor.options).queue_name

    def rules(self) -> dict[str, Rule]:
        """Return the limits of the actors that have some, by the actor's name."""
        known = len(registry)
        if self._rules is None or self._rules[0] != known:
            self._rules = (known, self._read_rules())
        return self._rules[1]

    def _read_rules(self) -> dict[str, Rule]:
        resolved = {
            actor.actor_name: self._resolve(actor.options) for actor in registry
        }
        return {
            name: Rule(options.concurrency, _interval(options.rate_limit))
            for name, options in resolved.items()
            if options.concurrency or options.rate_limit
        }

    def compose(self, placed: Sequence[tuple[Envelope, Place]]) -> None:
        """Write the runs of a composition; those that wait for nothing are published.

        In the caller's transaction. Raises `OptionConflict` for one with a key: another
        run may stand for it, and what follows would wait for the wrong one.
        """
        entries = [self.entry(message) for message, _ in placed]
        for entry, (_, place) in zip(entries, placed, strict=True):
            piped = place.after is not None and not entry.options.pipe_ignore
            _check(entry.message, (None,) if piped else ())
        for entry, (_, place) in zip(entries, placed, strict=True):
            if entry.is_keyed:
                raise OptionConflict(
                    f"a composition with {entry.message.actor_name}",
                    "unique_key or idempotency_key",
                    "another run may stand for it",
                )
            _place(entry.run, place)
        self._announce("before", entries)
        self.outbox.add([entry.run for entry in entries])
        due = [e.run for e in entries if not e.run.after and _is_due(e.options)]
        self.outbox.publish_soon(due[:BATCH])
        self._announce("after", entries)

    def group(self, batches: Mapping[UUID, tuple[int, Place]]) -> None:
        """Write the batches of a composition, after its runs; in its transaction."""
        rows = [
            Batch(
                pk=batch_id,
                size=size,
                remaining=size,
                collects=place.collected,
                followed=place.followed,
                batch=place.batch,
                position=place.position,
                created_at=Now(),
            )
            for batch_id, (size, place) in batches.items()
        ]
        self.outbox.release_soon(runs.insert_batches(self.outbox.database, rows))
        self.outbox.entered()


def _sealed(message: Envelope) -> Envelope:
    """Return a message with its secrets encrypted."""
    return _changed(message, seal)


def _changed(message: Envelope, change: Callable[..., Given]) -> Envelope:
    if message.actor_name not in registry:
        return message
    actor = registry.get(message.actor_name)
    if not actor.secrets:
        return message
    args, kwargs = change(actor.fn, actor.secrets, message.args, message.kwargs)
    return replace(message, args=args, kwargs=kwargs)


def _check(message: Envelope, piped: Sequence[None] = ()) -> None:
    """Raise `InvalidArguments` unless they fit, with what is still to come."""
    actor = registry.get(message.actor_name)
    actor.check_arguments((*message.args, *piped), message.kwargs)


def _place(run: Run, place: Place) -> None:
    """Give a new run its place; one that waits is never due."""
    for name, value in place.values().items():
        setattr(run, name, value)
    if place.after is not None:
        run.due_at, run.relay_at = runs.NEVER, None


def _is_due(options: Options) -> bool:
    return not options.delay and options.eta is None


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
    return text if len(text) <= 200 else hashlib.sha256(text.encode()).hexdigest()


def _limit_key(options: Options, message: Envelope) -> str | None:
    if not (options.concurrency or options.rate_limit):
        return None
    key = _key(options.concurrency_key, message)
    return message.actor_name if key is None else f"{message.actor_name}:{key}"


def _interval(rate: str | None) -> float | None:
    """Return the seconds between two starts that a rate like "100/m" allows."""
    if rate is None:
        return None
    number, _, period = rate.partition("/")
    return PERIODS[period] / int(number)


def _fingerprint(message: Envelope) -> str:
    # Without the secrets: of one sealed twice the two are never the same.
    message = _changed(message, hide)
    given = json.dumps([list(message.args), message.kwargs], sort_keys=True)
    return hashlib.sha256(given.encode()).hexdigest()
