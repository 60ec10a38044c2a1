"""A configured alias: a backend and its defaults, between senders and workers."""

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from core import runs
from core.backend import BaseBackend
from core.broker.config import BACKENDS, BrokerConfig
from core.errors import BadMessage, BrokerConfigError, Shutdown
from core.middleware import MiddlewareStack, build
from core.models import Parked, Run
from core.options import MAX_NAME
from core.registry import Declared, registry
from core.relay.capacity import Capacity
from core.relay.lost import Lost
from core.relay.outbox import Outbox
from core.relay.relay import Relay
from core.relay.sender import Sender
from core.routing.resolver import Resolver
from core.routing.router import Router
from core.sending.enqueue import Enqueuer
from core.wire.envelope import Envelope
from core.wire.intent import Intent
from core.worker import alone
from core.worker.context import WorkerContext
from core.worker.effects import perform_effect
from core.worker.lease import Lease
from core.worker.process import process, process_direct
from core.worker.standby import Standby

logger = logging.getLogger(__name__)

#: Characters of a physical queue's name: the width of its column.
LONGEST_QUEUE = 2 * MAX_NAME
#: Bytes of a direct message besides its arguments and options.
SLACK = 64 * 1024
#: An engine's JSON makes six bytes of a two-byte letter, base64 four of three.
WIRE_FACTOR = 4
#: Bytes that are kept of a parked payload.
PARKED_BYTES = 1024 * 1024


class Broker:
    """The value of `brokers[alias]`; also the `Receiver` of its backend."""

    def __init__(
        self,
        config: BrokerConfig,
        beside: Callable[["Broker", Envelope], "Broker"] = lambda broker, _: broker,
    ) -> None:
        """Args: `beside` returns the broker of what follows a run of this one."""
        self.alias = config.alias
        self.database = config.database
        self.timing = config.timing
        self.retention = config.retention
        self.middleware = MiddlewareStack(self, build(self.alias, config.middleware))
        self.defaults = config.check_actor_options(self.middleware.options)
        #: Bytes of a payload that is opened, and of a message that carries one.
        self.longest_payload: int = config.max_payload + SLACK
        self.longest = WIRE_FACTOR * self.longest_payload
        self.backend = self._backend(config)
        #: The exchange or stream that events go out to; "": none.
        self.events = self._events(config)
        self._build_sending(config)
        self.enqueuer = Enqueuer(
            self.outbox,
            self.middleware,
            self.resolver,
            config.max_payload,
            lambda message: beside(self, message).enqueuer,
        )
        self._build_working(config.max_payload)

    def _build_sending(self, config: BrokerConfig) -> None:
        alias, database, timing = self.alias, self.database, self.timing
        self.resolver = Resolver(self.defaults, self.middleware)
        self.router = Router(alias, database, config.routes)
        self.capacity = Capacity(alias, database, self.backend, timing.lost)
        self.sender = Sender(self.backend, database, config.namespace, timing.lost)
        self.lost = Lost(self.capacity, self.sender.depth, timing.lost)
        rules, reserve = self.resolver.rules, timing.reserve
        self.relay = Relay(self.sender, self.capacity, self.router, reserve, rules)
        self.outbox = Outbox(
            self.sender, self.relay, self.capacity, self.router, timing
        )

    def _build_working(self, longest: int) -> None:
        self.lease = Lease(self.alias, self.backend.engine, self.database, self.timing)
        self._serving: list[str] = []
        self._context = WorkerContext(
            self.lease,
            self.outbox,
            self.middleware,
            self.resolver,
            longest,
            self.enqueuer.follow_up,
        )
        ping = self.backend.ping if self.backend.supports_publish else None
        self._standby = Standby(self._context, ping)

    def _events(self, config: BrokerConfig) -> str:
        if config.events and not self.backend.supports_events:
            problem = f"{config.backend} hands out no events; leave EVENTS out"
            raise BrokerConfigError(self.alias, "EVENTS", problem)
        return config.events

    def _backend(self, config: BrokerConfig) -> BaseBackend:
        try:
            kind: type[BaseBackend] = import_string(config.backend)
        except ImportError as error:
            problem = f"{config.backend!r}: {error}. {BACKENDS}"
            raise BrokerConfigError(self.alias, "BACKEND", problem) from error
        try:
            # Not by calling it: a TypeError of its own is not about OPTIONS.
            inspect.signature(kind).bind(
                config.alias, config.url, self, **config.options
            )
        except TypeError as error:
            raise BrokerConfigError(self.alias, "OPTIONS", str(error)) from error
        return kind(config.alias, config.url, self, **config.options)

    def enqueue(self, messages: Sequence[Envelope]) -> list[UUID]:
        """Take messages in; see `Enqueuer.enqueue`."""
        return self.enqueuer.enqueue(messages)

    def get_actor(self, name: str) -> Any:
        """Return a declared actor; middleware asks for its options."""
        return registry.get(name)

    def queue_of(self, actor: Declared) -> str:
        """Return the queue that an actor's messages go to unless they say otherwise."""
        return self.resolver.queue_of(actor)

    def find(self, run_id: str) -> Run | None:
        """Return the run with this id, or None; also for what is no id at all."""
        try:
            key = UUID(run_id)
        except (ValueError, AttributeError, TypeError):
            return None
        return Run.objects.using(self.database).filter(pk=key).first()

    def read(
        self, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Return these fields of the runs that there are, by id."""
        found = Run.objects.using(self.database).filter(pk__in=ids)
        return {str(row.pop("pk")): row for row in found.values("pk", *fields)}

    def cancel(self, run_id: str) -> bool:
        """Stop a run, now or while it runs; say whether it had not ended."""
        return runs.cancel(self.database, [UUID(run_id)]) == 1

    def perform_effect(
        self,
        intent: Intent,
        perform: Callable[[str], Any],
        not_done: tuple[type[BaseException], ...],
    ) -> Any:
        """Perform an effect outside the database; see `core.effect`."""
        return perform_effect(self.database, intent, perform, not_done)

    def deliver(self, queue: str, payload: str) -> None:
        """Run what `payload` points to; see `Receiver.deliver`."""
        raw = payload.encode(errors="surrogatepass")
        if len(raw) > self.longest_payload:
            self.park(queue, raw, f"it is longer than {self.longest_payload} bytes")
            return
        try:
            found = self.sender.signer.open(payload)
        except BadMessage as error:
            self.park(queue, raw, error.reason)
            return
        if isinstance(found, UUID):
            process(self._context, found)
        else:
            process_direct(self._context, found)

    def park(self, queue: str, payload: bytes, reason: str) -> None:
        """Keep what cannot be understood; see `Receiver.park`."""
        # Called from threads that live as long as the worker.
        close_old_connections()
        Parked.objects.using(self.database).create(
            broker=self.alias,
            queue=runs.readable(queue)[:LONGEST_QUEUE],
            payload=payload[:PARKED_BYTES],
            size=len(payload),
            reason=runs.readable(reason),
            parked_at=Now(),
        )
        logger.error("Parked %d bytes from %s: %s.", len(payload), queue, reason)

    def worker_started(self, threads: int) -> None:
        """Register this process as a worker; see `Receiver.worker_started`."""
        queues = self._serving or self.queues()
        self.lease.offer(threads, queues)
        self._standby.start(queues, threads)
        self.middleware.after("worker_boot", self.backend.engine)

    def worker_stopping(self) -> None:
        """Tell the running bodies that asked; see `Receiver.worker_stopping`."""
        self._standby.stop()
        self.middleware.before("worker_shutdown", self.backend.engine)
        self.lease.interrupts.shut_down(Shutdown)

    def worker_stopped(self) -> None:
        """Sign this process off; see `Receiver.worker_stopped`."""
        self._standby.end()
        self.lease.drop()
        self.middleware.after("worker_shutdown", self.backend.engine)

    def actors(self) -> Mapping[str, str]:
        """Return every actor's name with its physical queue."""
        return {
            actor.actor_name: self.sender.physical(self.queue_of(actor))
            for actor in registry
        }

    def queues(self) -> list[str]:
        """Return the queues of every declared actor and of every known route."""
        return sorted(self.resolver.queues() | self.router.queues)

    def work(self, queues: Iterable[str], threads: int) -> None:
        """Run the engine's worker in this process until it is told to stop."""
        self._serving = queues = list(queues)
        self._standby.start(self._serving, threads)  # also if the engine never is up
        try:
            self.backend.work(list(map(self.sender.physical, queues)), threads)
        finally:
            self._standby.end()

    def work_alone(self) -> None:
        """Run what crashed its process, one at a time, until there is none."""
        alone.work(self._context)
