"""Where messages come in: each becomes a run, or goes to the engine as it is."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.db.models.functions import Now

from core import runs
from core.databases.locks import keep_asking
from core.errors import BrokerUnavailable, CallbackRefused, OptionConflict
from core.middleware import MiddlewareStack
from core.models import Batch, Run
from core.options import NAMES, Options, queue_name
from core.registry import registry
from core.relay.capacity import BATCH
from core.relay.outbox import Outbox
from core.routing.resolver import Resolver
from core.sending.backlog import Backlog
from core.sending.dependency import Dependency
from core.sending.draft import Draft, draft_of
from core.wire.envelope import Envelope, check_json

logger = logging.getLogger(__name__)

#: From this many messages on, the database's time is queried first.
MANY = 20


class Enqueuer:
    """The incoming side of one broker alias."""

    def __init__(
        self,
        outbox: Outbox,
        middleware: MiddlewareStack,
        resolver: Resolver,
        max_payload: int,
        carrier: Callable[[Envelope], "Enqueuer"],
    ) -> None:
        """Args: `carrier` finds the enqueuer of a callback: of its actor's alias."""
        self.outbox = outbox
        self.middleware = middleware
        self.resolver = resolver
        self.max_payload = max_payload
        self.carrier = carrier
        self._backlog = Backlog(outbox.database, outbox.alias)

    def enqueue(self, messages: Sequence[Envelope]) -> list[UUID]:
        """Write messages as runs in the caller's transaction; publish what is due.

        Returns the id of each one's run: another than the message's own when a key
        says that this call was made before.
        """
        for message in messages:
            _check(message)
        now = self._now(len(messages))
        drafts = [self._enter(message, now) for message in messages]
        if settings.DEBUG:
            self._warn_of_strange_queues(drafts)
        self._call_middleware("before", drafts)
        direct: list[Draft] = []
        stored: list[Draft] = []
        for draft in drafts:
            (direct if self._is_direct(draft) else stored).append(draft)
        ids = self._write(stored)
        self._send(direct)
        self._call_middleware("after", drafts)
        self.outbox.entered()
        return [ids.get(draft.run.pk, draft.run.pk) for draft in drafts]

    def _warn_of_strange_queues(self, drafts: Sequence[Draft]) -> None:
        named = {e.run.queue_name for e in drafts if "queue_name" in e.message.options}
        known = self.resolver.queues() | self.outbox.router.queues if named else set()
        if strange := named - known:
            logger.warning(
                "No actor declares the queue %s: start a worker with --queues for it.",
                ", ".join(sorted(strange)),
            )

    def follow_up(self, messages: Sequence[Envelope]) -> None:
        """Write callbacks, in the transaction that settles what they follow.

        Raises `CallbackRefused`: one of them cannot be sent, and it was not written.
        """
        for message in messages:
            try:
                enqueuer = self.carrier(message)
                draft = enqueuer.draft(message)
            except Exception as error:  # also what the actor's own key raises
                raise CallbackRefused(message.actor_name, str(error)) from error
            enqueuer._call_middleware("before", [draft])
            enqueuer._write([draft])
            enqueuer._call_middleware("after", [draft])

    def _call_middleware(self, when: str, drafts: Sequence[Draft]) -> None:
        if self.middleware.members:
            call: Callable[..., None] = getattr(self.middleware, when)
            for draft in drafts:
                call("enqueue", draft.message, draft.options.delay or None)

    def _write(self, drafts: Sequence[Draft]) -> dict[UUID, UUID]:
        """Write runs; return the ids of those that another one stands for."""
        with keep_asking(self.outbox.database):
            self.outbox.add([draft.run for draft in drafts if not draft.is_keyed])
            ids = {e.run.pk: self._write_keyed(e) for e in drafts if e.is_keyed}
        made = [e for e in drafts if ids.get(e.run.pk, e.run.pk) == e.run.pk]
        self.outbox.publish_soon([e.run for e in made if e.is_ours])
        return ids

    def _write_keyed(self, draft: Draft) -> UUID:
        self.outbox.check_transaction()
        database, run, key = self.outbox.database, draft.run, draft.options
        if key.idempotency_key is None:
            return runs.insert_unique(database, run)
        fingerprint = draft.fingerprint
        return runs.insert_idempotent(database, run, key.idempotency_key, fingerprint)

    def _send(self, drafts: Sequence[Draft]) -> None:
        """Publish messages without a row: now, or once the transaction commits."""
        if not drafts:
            return
        self.outbox.check_transaction()
        if connections[self.outbox.database].in_atomic_block:
            transaction.on_commit(
                lambda: self._send_late(drafts),
                using=self.outbox.database,
                robust=True,
            )
        else:
            self._publish(drafts)

    def _publish(self, drafts: Sequence[Draft]) -> None:
        self.outbox.sender.send_direct(
            [draft.message for draft in drafts],
            [draft.options.priority for draft in drafts],
        )

    def _send_late(self, drafts: Sequence[Draft]) -> None:
        """Publish after a commit, when there is nobody to tell of a failure.

        A broker that does not answer is waited for once, whatever the commit sends.
        """
        if not self.outbox.breaker.is_open:
            try:
                self._publish(drafts)
                self.outbox.breaker.note_success()
                return
            except BrokerUnavailable as error:
                self.outbox.breaker.note_failure(error)
        self._write(drafts)

    def _now(self, number: int) -> Any:
        return Now() if number < MANY else runs.now(self.outbox.database)

    def _is_direct(self, draft: Draft) -> bool:
        return draft.is_direct and self.outbox.backend.supports_publish

    def _enter(self, message: Envelope, now: Any) -> Draft:
        """Return the message as the run that it becomes, if its queue has room."""
        draft = self.draft(message, now)
        if draft.options.max_pending is None:
            return draft
        return self._backlog.accept(draft)

    def draft(self, message: Envelope, now: Any = None) -> Draft:
        """Return the message as the run that it becomes, checked.

        Also its options, which `copy` or a Message made by hand may have got past us.
        """
        given = message.options and Options.check(
            "send", message.options, self.middleware.options
        )
        for name in given.keys() - NAMES:
            check_json(name, given[name])
        if given != message.options or self.middleware.members:
            # Middleware may add to the options; a caller's are shared by its sends.
            message = replace(message, options=dict(given))
        options = self.resolver.options_of(message)
        if message.queue_name not in ("", options.queue_name):
            queue_name("queue_name", message.queue_name)
        moment = Now() if now is None else now
        return draft_of(message, options, self.outbox, self.max_payload, moment)

    def compose(self, planned: Sequence[tuple[Envelope, Dependency]]) -> None:
        """Write the runs of a composition; those that wait for nothing are published.

        In the caller's transaction. Raises `OptionConflict` for one with a key: another
        run may stand for it, and what follows would wait for the wrong one.
        """
        now = self._now(len(planned))
        drafts = [
            self.draft(message, now) if dependency.after else self._enter(message, now)
            for message, dependency in planned
        ]
        for draft, (_, dependency) in zip(drafts, planned, strict=True):
            piped = dependency.after is not None and not draft.options.pipe_ignore
            _check(draft.message, (None,) if piped else ())
        for draft, (_, dependency) in zip(drafts, planned, strict=True):
            if draft.is_keyed:
                raise OptionConflict(
                    f"a composition with {draft.message.actor_name}",
                    "unique_key or idempotency_key",
                    "another run may stand for it",
                )
            _make_dependent(draft.run, dependency)
        self._call_middleware("before", drafts)
        self.outbox.add([draft.run for draft in drafts])
        due = [e.run for e in drafts if not e.run.after and e.is_ours]
        self.outbox.publish_soon(due[:BATCH])
        self._call_middleware("after", drafts)

    def group(self, batches: Mapping[UUID, tuple[int, Dependency]]) -> None:
        """Write the batches of a composition, after its runs; in its transaction."""
        rows = [
            Batch(
                pk=batch_id,
                size=size,
                remaining=size,
                collects=dependency.collected,
                followed=dependency.followed,
                batch=dependency.batch,
                position=dependency.position,
                created_at=Now(),
            )
            for batch_id, (size, dependency) in batches.items()
        ]
        self.outbox.publish_freed(runs.insert_batches(self.outbox.database, rows))
        self.outbox.entered()


def _check(message: Envelope, piped: Sequence[None] = ()) -> None:
    """Raise `InvalidArguments` unless they fit, with what is still to come."""
    actor = registry.get(message.actor_name)
    actor.check_arguments((*message.args, *piped), message.kwargs)


def _make_dependent(run: Run, dependency: Dependency) -> None:
    """Have a new run wait for what it depends on; it is never due until then."""
    for name, value in dependency.values().items():
        setattr(run, name, value)
    if dependency.after is not None:
        run.due_at, run.relay_at = runs.NEVER, None
