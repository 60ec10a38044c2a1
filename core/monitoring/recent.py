"""What has just failed, died or been missed: counted when you ask, not by the clock.

For periods of minutes, as alerts need them. What failed is few; what succeeded is
taken from the rollups as far as they go.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from core import runs
from core.broker.handler import brokers
from core.models import Parked, Rollup, Run, State
from core.monitoring.snapshot import Snapshot
from core.monitoring.windows import MINUTE
from core.runs.tally import failures

#: The beginning of the error of poison runs.
POISON = "poison: "

#: (actor name, queue name).
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RecentSnapshot(Snapshot):
    """The latest outcomes of one actor's runs in one queue of one alias."""

    broker: str
    actor_name: str
    queue_name: str
    #: Failed attempts.
    failures: int = 0
    #: Succeeded runs.
    succeeded: int = 0
    #: Runs that died and are still dead.
    dead: int = 0
    #: Those of them that killed their processes.
    poison: int = 0


def recent(period: timedelta, broker: str = "") -> list[RecentSnapshot]:
    """Return for every actor with a failure in the period what became of its runs."""
    found = []
    for alias in [broker] if broker else brokers:
        database = brokers[alias].database
        counts: dict[Key, Counter[str]] = defaultdict(Counter)
        for name, key, number in _failed(database, alias, period):
            counts[key][name] += number
        for key, number in _succeeded(database, alias, period) if counts else ():
            if key in counts:
                counts[key]["succeeded"] += number
        for (actor, queue), count in counts.items():
            found.append(RecentSnapshot(alias, actor, queue, **dict(count)))
    return sorted(found, key=lambda one: (one.broker, one.actor_name))


def _failed(
    database: str, alias: str, period: timedelta
) -> Iterator[tuple[str, Key, int]]:
    attempts = failures(database, alias).filter(finished_at__gte=Now() - period)
    groups = attempts.values_list("run__actor_name", "run__queue_name")
    for actor, queue, number in groups.annotate(Count("pk")).order_by():
        yield "failures", (actor, queue), number
    died = _ended(database, alias, State.DEAD, period)
    keys = died.values_list("actor_name", "queue_name").order_by()
    killers = Count("pk", filter=Q(error__startswith=POISON))
    for actor, queue, dead, poison in keys.annotate(Count("pk"), killers=killers):
        yield "dead", (actor, queue), dead
        yield "poison", (actor, queue), poison


def _succeeded(
    database: str, alias: str, period: timedelta
) -> Iterator[tuple[Key, int]]:
    names = ("actor_name", "queue_name")
    rollups = Rollup.objects.using(database).filter(
        broker=alias, span=MINUTE, start__gte=Now() - period
    )
    for actor, queue, number in (
        rollups.values_list(*names).annotate(Sum("succeeded")).order_by()
    ):
        yield (actor, queue), number
    young = _ended(database, alias, State.SUCCEEDED, period)
    until = runs.rolled_up(database, alias)
    if until is not None:
        young = young.filter(finished_at__gte=until)
    for actor, queue, number in (
        young.values_list(*names).annotate(Count("pk")).order_by()
    ):
        yield (actor, queue), number


def _ended(database: str, alias: str, state: State, period: timedelta) -> QuerySet[Run]:
    return Run.objects.using(database).filter(
        broker=alias,
        state=state,
        finished_at__isnull=False,
        finished_at__gte=Now() - period,
    )


def parked(period: timedelta, broker: str) -> int:
    """Return how many bodies of an alias were parked in the period."""
    rows: QuerySet[Any] = Parked.objects.using(brokers[broker].database)
    return rows.filter(broker=broker, parked_at__gte=Now() - period).count()


def unknown(broker: str, period: timedelta) -> list[tuple[str, int]]:
    """Return the actors that no worker knew, each with how many runs wait for one."""
    database, seconds = brokers[broker].database, period.total_seconds()
    names = runs.unknown(database, broker, seconds).values_list("run__actor_name")
    return sorted(names.annotate(Count("run_id")).order_by())
