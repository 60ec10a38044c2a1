"""The findings of each kind of rule, by `core.monitoring` alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from shlex import quote

from django.conf import settings

from core import monitoring
from core.alerts.rules import Rule
from core.alerts.wording import short, spoken
from core.broker.handler import brokers
from core.counted import counted
from core.monitoring import QueueSnapshot, RecentSnapshot


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong now."""

    broker: str
    subject: str
    value: float | None
    #: What is wrong, in one line.
    says: str
    #: Commands that show it, or end it.
    see: tuple[str, ...]


class Look:
    """A view of the aliases of one database; each thing is read once."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.aliases = [
            alias
            for alias, config in settings.BROKERS.items()
            if config.get("DATABASE", "default") == database
        ]
        self._recent: dict[timedelta, list[RecentSnapshot]] = {}

    @cached_property
    def queues(self) -> list[QueueSnapshot]:
        """The queues; no broker is asked."""
        return [
            queue
            for alias in self.aliases
            for queue in monitoring.queues(alias, depths=False)
        ]

    @cached_property
    def served(self) -> set[tuple[str, str]]:
        """The queues that a live worker serves; all of an alias without workers."""
        found = {
            (alias, queue)
            for alias in self.aliases
            for queue in monitoring.served(alias)
        }
        for queue in self.queues:
            if not brokers[queue.broker].backend.supports_worker:
                found.add((queue.broker, queue.name))
        return found

    def recent(self, period: timedelta) -> list[RecentSnapshot]:
        """The latest failures."""
        if period not in self._recent:
            self._recent[period] = [
                one
                for alias in self.aliases
                for one in monitoring.recent(period, alias)
            ]
        return self._recent[period]

    @cached_property
    def silent(self) -> dict[str, str]:
        """The aliases whose brokers do not answer, with their engines."""
        answers = monitoring.brokers()
        return {
            one.alias: one.engine
            for one in answers
            if not one.up and one.alias in self.aliases
        }


def find(rule: Rule, look: Look) -> Iterator[Finding]:
    """Measure what a rule is about; yield what is wrong."""
    yield from _FINDERS[rule.when](rule, look)


def _failures(rule: Rule, look: Look) -> Iterator[Finding]:
    for one in _actors(rule, look):
        if one.failures > rule.above:
            says = f"{one.failures} attempts failed in {short(rule.within)}"
            yield _of_actor(one, one.failures, says, rule)


def _failure_rate(rule: Rule, look: Look) -> Iterator[Finding]:
    for one in _actors(rule, look):
        attempts = one.failures + one.succeeded
        if attempts < max(1, rule.at_least):
            continue
        rate = one.failures / attempts
        if rate > rule.above:
            says = f"{rate:.0%} of {attempts} attempts failed in {short(rule.within)}"
            yield _of_actor(one, rate, says, rule)


def _dead_letters(rule: Rule, look: Look) -> Iterator[Finding]:
    for one in _actors(rule, look):
        if one.dead > rule.above:
            says = f"{counted(one.dead, 'run')} died in {short(rule.within)}"
            requeue = f"manage.py tasks requeue {_chosen(one)} --dry-run"
            yield _of_actor(one, one.dead, says, rule, requeue)
    for alias in look.aliases:
        if rule.queue or rule.actor or not rule.names(broker=alias):
            continue
        number = monitoring.parked(rule.within, alias)
        if number > rule.above:
            says = f"{alias}: {number} messages were parked in {short(rule.within)}"
            see = "look at Parked in the admin for the reason of each"
            yield Finding(alias, "parked messages", number, says, (see,))


def _poison(rule: Rule, look: Look) -> Iterator[Finding]:
    for one in _actors(rule, look):
        if one.poison > rule.above:
            says = f"{one.poison} runs killed their processes and are dead"
            yield _of_actor(one, one.poison, says, rule)


def _backlog(rule: Rule, look: Look) -> Iterator[Finding]:
    for queue in _queues(rule, look):
        waiting = queue.due + queue.queued
        if waiting > rule.above:
            waits = counted(waiting, "run", "wait")
            yield _of_queue(queue, waiting, f"{waits} to start")


def _oldest_wait(rule: Rule, look: Look) -> Iterator[Finding]:
    for queue in _queues(rule, look):
        if queue.oldest_wait is not None and queue.oldest_wait > rule.above:
            waits = spoken(timedelta(seconds=queue.oldest_wait))
            says = f"the oldest run has waited for {waits}"
            yield _of_queue(queue, queue.oldest_wait, says)


def _no_worker(rule: Rule, look: Look) -> Iterator[Finding]:
    for queue in _queues(rule, look):
        waiting = queue.due + queue.queued
        if waiting and (queue.broker, queue.name) not in look.served:
            waits = counted(waiting, "run", "wait")
            says = f"{waits}, and no live worker serves the queue"
            yield _of_queue(queue, waiting, says)


def _missed_slot(rule: Rule, look: Look) -> Iterator[Finding]:
    late = timedelta(seconds=rule.above)
    for one in monitoring.overdue(look.database, rule.within, late):
        if not rule.names(schedule=one.name):
            continue
        see = "manage.py scheduler"
        if one.overdue is not None:
            waits = spoken(timedelta(seconds=one.overdue))
            says = f"due for {waits}, and no scheduler has looked"
        elif one.broken:
            says = "it cannot be sent"
            see = "manage.py tasks schedules"
        else:
            says = f"slots were missed {one.missed} times in {short(rule.within)}"
        value = one.overdue or float(one.missed)
        yield Finding("", one.name, value, f"schedule {one.name}: {says}", (see,))


def _broker_down(rule: Rule, look: Look) -> Iterator[Finding]:
    for alias, engine in look.silent.items():
        if rule.names(broker=alias):
            says = f"the broker of {alias!r} ({engine}) does not answer"
            see = (f"manage.py tasks brokers --broker {alias}",)
            yield Finding(alias, "broker", None, says, see)


def _queues(rule: Rule, look: Look) -> Iterator[QueueSnapshot]:
    for queue in look.queues:
        if rule.names(broker=queue.broker, queue=queue.name):
            yield queue


def _actors(rule: Rule, look: Look) -> Iterator[RecentSnapshot]:
    for one in look.recent(rule.within):
        where = {"broker": one.broker, "queue": one.queue_name}
        if rule.names(actor=one.actor_name, **where):
            yield one


def _of_queue(queue: QueueSnapshot, value: float, says: str) -> Finding:
    return Finding(
        queue.broker,
        queue.name,
        value,
        f"queue {queue.name} of {queue.broker}: {says}",
        (
            f"manage.py tasks queues --broker {queue.broker}",
            f"manage.py worker --broker {queue.broker} --queues {queue.name}",
        ),
    )


def _of_actor(
    one: RecentSnapshot, value: float, says: str, rule: Rule, *more: str
) -> Finding:
    shows = f"manage.py tasks runs {_chosen(one)}"
    if rule.when in ("failures", "failure_rate"):
        shows = f"manage.py tasks errors --period {short(rule.within)}"
    return Finding(
        one.broker,
        f"{one.actor_name} in {one.queue_name}",
        value,
        f"{one.actor_name} in {one.queue_name} of {one.broker}: {says}",
        (shows, *more),
    )


def _chosen(one: RecentSnapshot) -> str:
    return f"--state dead --actor {quote(one.actor_name)} --broker {one.broker}"


_FINDERS: Mapping[str, Callable[[Rule, Look], Iterator[Finding]]] = {
    "failures": _failures,
    "failure_rate": _failure_rate,
    "backlog": _backlog,
    "oldest_wait": _oldest_wait,
    "dead_letters": _dead_letters,
    "poison": _poison,
    "no_worker": _no_worker,
    "missed_slot": _missed_slot,
    "broker_down": _broker_down,
}
