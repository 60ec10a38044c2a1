"""Performing what waits: in this process, in this thread, in the test's transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Least, Now

from core.broker.broker import Broker
from core.broker.handler import brokers
from core.interface.messages import Message
from core.models import Run, State
from core.runs import NEVER
from core.runs.limits import grant
from core.testing.inline_worker import inline_worker
from core.testing.recorder import rehearsing
from core.testing.rows import inserted, waiting

#: Something is being performed here: what it sends is performed after it.
_busy: ContextVar[bool] = ContextVar("switchyard_testing_busy", default=False)


@contextmanager
def _one_by_one() -> Iterator[None]:
    token = _busy.set(True)
    try:
        yield
    finally:
        _busy.reset(token)


def drain(
    broker: str = "default", queue: str | None = None, *, raising: bool = False
) -> int:
    """Perform every due run of an alias, the most urgent first; return how many.

    Also what they send, and a retry that is due at once; until nothing is due that its
    Limit lets go. A body that raises is a failure as in a worker; with `raising` the
    first such exception is raised here once the failure is settled.
    """
    carrier, performed = brokers[broker], 0
    with _one_by_one(), inline_worker(carrier) as worker:
        while (run := _next(carrier, queue)) is not None:
            performed += 1
            worker.perform(run.pk, raising)
    return performed


def _next(broker: Broker, queue: str | None) -> Run | None:
    """Return the most urgent due run, with its Limit's leave."""
    database = broker.database
    due = waiting(database).filter(broker=broker.alias, due_at__lte=Now())
    broker.outbox.router.route(list(due.filter(routed=False, state=State.PENDING)))
    if queue is not None:
        due = due.filter(queue_name=queue)
    found = due.order_by("priority", "due_at", inserted(database)).iterator()
    with transaction.atomic(using=database):
        return next((run for run in found if _may_start(broker, run)), None)


def _may_start(broker: Broker, run: Run) -> bool:
    if run.limit_key is None or run.limit_granted:
        return True
    if not grant(broker.database, [run], broker.resolver.rules()):
        return False
    Run.objects.using(broker.database).filter(pk=run.pk).update(limit_granted=True)
    return True


def perform(message: Message[Any], *, raising: bool = False) -> str:
    """Perform one message at once, whatever its due time or limit; return its status.

    One that waits for another one, or has ended, stays as it is. Raises `UnknownRun`
    for a message that was not sent.
    """
    _perform(brokers.find(message.message_id), raising)
    return message.status()


def _perform(run: Run, raising: bool) -> None:
    carrier = brokers[run.broker]
    found: QuerySet[Run] = waiting(carrier.database).filter(pk=run.pk)
    found.filter(due_at__lt=NEVER).update(
        due_at=Least("due_at", Now()), limit_granted=Q(limit_key__isnull=False)
    )
    with _one_by_one(), inline_worker(carrier) as worker:
        worker.perform(run.pk, raising)


@contextmanager
def inline() -> Iterator[None]:
    """Perform every message as soon as it is sent, whatever its due time or limit.

    Also inside a transaction. What a body raises comes out of the send, once its
    failure is settled. What a body sends is performed right after that body.
    """
    with rehearsing(_perform_new):
        yield


def _perform_new() -> None:
    while not _busy.get() and (run := _newest()) is not None:
        _perform(run, raising=True)


def _newest() -> Run | None:
    """Return the most urgent run that has not been tried yet."""
    for database in brokers.databases():
        fresh = waiting(database).filter(attempt=0, due_at__lt=NEVER)
        run = fresh.order_by("priority", "created_at", inserted(database)).first()
        if run is not None:
            return run
    return None
