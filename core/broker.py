"""A configured alias: a backend and its defaults, between senders and workers."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings as django_settings
from django.db import close_old_connections
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from core import runs
from core.backend import BaseBackend
from core.envelope import Envelope, check_payload
from core.errors import BadMessage, BrokerConfigError, CoreError
from core.models import Parked, Run
from core.options import MAX_NAME, Options
from core.outbox import Outbox
from core.registry import registry
from core.timing import Timing
from core.worker.lease import Lease
from core.worker.process import Post, process

logger = logging.getLogger(__name__)

#: BROKERS[alias]: what may be given, and what holds when it is not.
DEFAULTS: Mapping[str, Any] = {
    "BACKEND": None,
    "URL": "",
    "DATABASE": "default",
    "NAMESPACE": "switchyard",
    "OPTIONS": {},
    "ACTOR_OPTIONS": {},
    "TIMING": {},
    "MAX_PAYLOAD": 1024 * 1024,
}
#: A physical queue's name has at most so many characters: the column's width.
LONGEST_QUEUE = 2 * MAX_NAME
#: Of a parked body so many bytes are kept.
PARKED_BYTES = 1024 * 1024


class Broker:
    """What `brokers[alias]` is; also the `Receiver` of its backend."""

    def __init__(self, alias: str, given: Mapping[str, Any]) -> None:
        config = _read(alias, given)
        self.alias = alias
        self.database: str = config["DATABASE"]
        self.timing = Timing.read(alias, config["TIMING"])
        self.defaults = _defaults(alias, config["ACTOR_OPTIONS"])
        self.max_payload: int = config["MAX_PAYLOAD"]
        self.backend = self._backend(config)
        self.outbox = Outbox(
            alias, self.database, config["NAMESPACE"], self.backend, self.timing
        )
        self.lease = Lease(alias, self.backend.engine, self.database, self.timing)
        self._serving: list[str] = []
        self._post = Post(self.database, self.lease, self.timing, self.defaults)

    def _backend(self, config: Mapping[str, Any]) -> BaseBackend:
        try:
            kind: type[BaseBackend] = import_string(config["BACKEND"])
        except ImportError as error:
            raise BrokerConfigError(self.alias, "BACKEND", str(error)) from error
        try:
            return kind(self.alias, config["URL"], self, **config["OPTIONS"])
        except TypeError as error:
            raise BrokerConfigError(self.alias, "OPTIONS", str(error)) from error

    def enqueue(self, messages: Sequence[Envelope]) -> None:
        """Write the messages as runs, in the caller's transaction."""
        rows, due = [], []
        for message in messages:
            row, options = self._row(message)
            rows.append(row)
            if _at_once(options):
                due.append(row)
        self.outbox.add(rows, due)

    def _row(self, message: Envelope) -> tuple[Run, Options]:
        check_payload(
            message.actor_name, [message.args, message.kwargs], self.max_payload
        )
        actor = registry.get(message.actor_name)
        options = Options.resolve(self.defaults, actor.options, message.options)
        due_at = _due_at(options)
        row = Run(
            pk=UUID(message.message_id),
            broker=self.alias,
            actor_name=message.actor_name,
            queue_name=message.queue_name,
            priority=options.priority,
            args=list(message.args),
            kwargs=message.kwargs,
            options=message.options,
            created_at=Now(),
            due_at=due_at,
            relay_at=runs.later(self.timing.grace) if _at_once(options) else due_at,
        )
        return row, options

    def find(self, run_id: str) -> Run | None:
        """Return the run with this id, or None; also for what is no id at all."""
        try:
            key = UUID(run_id)
        except (ValueError, AttributeError, TypeError):
            return None
        return Run.objects.using(self.database).filter(pk=key).first()

    def cancel(self, run_id: str) -> bool:
        """Stop a run that has not started; say whether that was in time."""
        return runs.cancel(self.database, [UUID(run_id)]) == 1

    def deliver(self, queue: str, body: str) -> None:
        """Run what `body` points to; see `Receiver.deliver`."""
        try:
            run_id = self.outbox.seal.open(body)
        except BadMessage as error:
            self.park(queue, body.encode(errors="surrogateescape"), error.reason)
        else:
            process(self._post, run_id)

    def park(self, queue: str, body: bytes, reason: str) -> None:
        """Keep what cannot be understood; see `Receiver.park`."""
        # Called from threads that live as long as the worker.
        close_old_connections()
        Parked.objects.using(self.database).create(
            broker=self.alias,
            queue=runs.readable(queue)[:LONGEST_QUEUE],
            body=body[:PARKED_BYTES],
            size=len(body),
            reason=runs.readable(reason),
            parked_at=Now(),
        )
        logger.error("Parked %d bytes from %s: %s.", len(body), queue, reason)

    def worker_started(self, slots: int) -> None:
        """Register this process as a worker; see `Receiver.worker_started`."""
        self.lease.offer(slots, self._serving or self.queues())

    def worker_stopping(self) -> None:
        """Tell the running bodies that asked; see `Receiver.worker_stopping`."""

    def worker_stopped(self) -> None:
        """Sign this process off; see `Receiver.worker_stopped`."""
        self.lease.drop()

    def actors(self) -> Mapping[str, str]:
        """Return every actor's name with its physical queue."""
        return {
            actor.actor_name: self.outbox.physical(self._queue(actor.options))
            for actor in registry
        }

    def _queue(self, options: Mapping[str, Any]) -> str:
        return Options.resolve(self.defaults, options).queue_name

    def queues(self) -> list[str]:
        """Return the queues of every declared actor."""
        return sorted({self._queue(actor.options) for actor in registry})

    def work(self, queues: Iterable[str], threads: int) -> None:
        """Run the engine's worker in this process until it is told to stop."""
        self._serving = list(queues)
        self.backend.work([self.outbox.physical(q) for q in self._serving], threads)


def _read(alias: str, given: Mapping[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            raise BrokerConfigError(alias, name, f"is not a key; known are {known}")
    config = {**DEFAULTS, **given}
    if config["DATABASE"] not in django_settings.DATABASES:
        raise BrokerConfigError(
            alias, "DATABASE", f"{config['DATABASE']!r} is not in DATABASES"
        )
    if not config["BACKEND"]:
        raise BrokerConfigError(alias, "BACKEND", "is missing")
    return config


def _defaults(alias: str, given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return Options.check("actor", given)
    except CoreError as error:
        raise BrokerConfigError(alias, "ACTOR_OPTIONS", str(error)) from error


def _at_once(options: Options) -> bool:
    return not options.delay and options.eta is None


def _due_at(options: Options) -> Any:
    if _at_once(options):
        return Now()
    if options.eta is None:
        return runs.later(options.delay / 1000)
    return datetime.fromtimestamp((options.eta + options.delay) / 1000, UTC)
