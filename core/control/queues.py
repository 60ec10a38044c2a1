"""Actions on a whole queue: pause it, resume it, empty it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db.models import QuerySet

from core import monitoring, runs
from core.broker.broker import Broker
from core.broker.handler import brokers
from core.control import audit
from core.errors import UnknownQueue
from core.models import Run

#: Runs that are cancelled in one transaction.
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Purged:
    """Counts of a purge: cancelled runs, and messages dropped at the broker.

    Of a durable message the broker holds a copy of the run's name alone: it counts
    once in each. A direct message is at the broker alone.
    """

    cancelled: int
    at_broker: int


def pause(queue: str, *, by: str, broker: str = "") -> int:
    """Let nothing of a queue start until it is resumed; return on how many aliases.

    What runs goes on. Messages without a row get one when a worker meets them, and
    wait with the others. Of every alias that has the queue, unless one is named.
    """

    def step(one: Broker) -> bool:
        return runs.pause(one.database, one.alias, queue, by)

    return _act("pause", queue, broker, by, step)


def resume(queue: str, *, by: str, broker: str = "") -> int:
    """Let a paused queue go on, the most urgent first; return on how many aliases."""

    def step(one: Broker) -> bool:
        resumed = runs.resume(one.database, one.alias, queue)
        one.outbox.nudge(queue)
        return resumed

    return _act("resume", queue, broker, by, step)


def _act(
    verb: str, queue: str, broker: str, by: str, step: Callable[[Broker], bool]
) -> int:
    found = _having(queue, broker)
    account = _account(by, verb, queue, broker)
    return account.steps((one.database, partial(step, one)) for one in found)


def purge(queue: str, *, by: str, broker: str = "") -> Purged:
    """Cancel all of a queue that has not started, and empty it at the broker.

    Raises `BrokerUnavailable` after the rows were cancelled: call it again.
    """
    found = _having(queue, broker)
    account = _account(by, "purge", queue, broker)
    cancelled = sum(_cancel(one, queue, account) for one in found)
    at_broker = sum(
        account.step(one.database, partial(_empty, one, queue), int) for one in found
    )
    account.close()
    return Purged(cancelled, at_broker)


def _cancel(one: Broker, queue: str, account: audit.Account) -> int:
    waiting = _waiting(one, queue)
    cancelled = 0
    while ids := list(waiting.values_list("pk", flat=True)[:BATCH]):
        step = partial(runs.cancel, one.database, ids)
        changed = account.step(one.database, step, int)
        if not changed:
            break  # they have started meanwhile
        cancelled += changed
    return cancelled


def _waiting(one: Broker, queue: str) -> QuerySet[Run]:
    return Run.objects.using(one.database).filter(
        broker=one.alias, queue_name=queue, state__in=runs.WAITING
    )


def _empty(one: Broker, queue: str) -> int:
    return one.backend.purge(one.sender.physical(queue))


def purgeable(queue: str, *, broker: str = "") -> Purged:
    """Count what `purge` would do away with."""
    found = _having(queue, broker)
    waiting = [_waiting(one, queue).count() for one in found]
    depths = [one.backend.depth(one.sender.physical(queue)) for one in found]
    return Purged(sum(waiting), sum(depths))


def _having(queue: str, broker: str) -> list[Broker]:
    """Return the aliases that have a queue, or raise `UnknownQueue`."""
    known = {(one.broker, one.name) for one in monitoring.queues(broker, depths=False)}
    # Any actor may be sent by way of any alias.
    for alias in [broker] if broker else brokers:
        known |= {(alias, name) for name in brokers[alias].queues()}
    found = [brokers[alias] for alias, name in sorted(known) if name == queue]
    if not found:
        raise UnknownQueue(queue, sorted({name for _, name in known}))
    return found


def _account(by: str, verb: str, queue: str, broker: str) -> audit.Account:
    target = f"{broker}/{queue}" if broker else queue
    return audit.account(by, verb, f"queue {target}", brokers.databases())
