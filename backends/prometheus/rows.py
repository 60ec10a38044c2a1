"""Gauges, as `monitoring` reads them from the database that all share."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, Min
from django.db.models.functions import Now

from core import monitoring
from core.broker.handler import brokers
from core.models import Effect, EffectState, Parked, Run, State
from core.monitoring import WorkerSnapshot
from core.options import Options
from core.registry import registry

#: (alias, queue name).
Key = tuple[str, str]


@dataclass(slots=True)
class Line:
    """The runs in one queue of one alias."""

    scheduled: int = 0
    due: int = 0
    queued: int = 0
    running: int = 0
    dead: int = 0
    #: The longest wait of a due run in seconds.
    oldest: float = 0.0
    #: Live worker processes that serve it.
    workers: int = 0


@dataclass(slots=True)
class Crew:
    """The live workers of one engine on one alias."""

    processes: int = 0
    threads: int = 0
    #: Bytes of memory.
    memory: int = 0


def lines(workers: Iterable[WorkerSnapshot]) -> Mapping[Key, Line]:
    """Return every queue that an actor names, or that a run is in."""
    found: dict[Key, Line] = defaultdict(Line)
    for queue in monitoring.queues(depths=False):
        found[(queue.broker, queue.name)] = Line(
            scheduled=queue.pending - queue.due,
            due=queue.due,
            queued=queue.queued,
            running=queue.running,
            oldest=queue.oldest_wait or 0.0,
        )
    # Without a worker what was published waits on: it is no less late.
    age = ExpressionWrapper(Now() - Min("due_at"), output_field=DurationField())
    for key, row in _grouped(State.QUEUED, age=age):
        found[key].oldest = max(found[key].oldest, row["age"].total_seconds())
    # The index asks for it.
    for key, row in _grouped(State.DEAD, {"finished_at__isnull": False}):
        found[key].dead = row["number"]
    for worker in workers:
        for name in worker.queues:
            found[(worker.broker, name)].workers += 1
    return found


def _grouped(
    state: State, where: Mapping[str, Any] | None = None, **more: Any
) -> Iterator[tuple[Key, dict[str, Any]]]:
    for database in brokers.databases():
        runs = Run.objects.using(database).filter(state=state, **where or {})
        keys = runs.values("broker", "queue_name").order_by()
        for row in keys.annotate(number=Count("*"), **more):
            # An alias that has left the settings is nobody's to look after.
            if row["broker"] in brokers:
                yield (row["broker"], row["queue_name"]), dict(row)


def alive() -> list[WorkerSnapshot]:
    """Return the processes that run actors, whose leases hold."""
    return [
        worker
        for worker in monitoring.workers()
        if worker.alive and worker.threads and worker.broker in brokers
    ]


def crews(workers: Iterable[WorkerSnapshot]) -> Mapping[Key, Crew]:
    """Return the workers by alias and engine; an alias without any, too."""
    found = {(alias, brokers[alias].backend.engine): Crew() for alias in brokers}
    for worker in workers:
        crew = found.setdefault((worker.broker, worker.engine), Crew())
        crew.processes += 1
        crew.threads += worker.threads
        crew.memory += worker.rss
    return found


def declared() -> Iterator[tuple[str, str, str]]:
    """Yield where each actor's messages go, unless they say otherwise, and its name."""
    for actor in registry:
        alias = actor.options.get("broker", Options().broker)
        yield alias, brokers[alias].queue_of(actor), actor.actor_name


def parked() -> Counter[str]:
    """Return how many messages of each alias are kept that were not understood."""
    found = Counter(dict.fromkeys(brokers, 0))
    for database in brokers.databases():
        kept = Parked.objects.using(database).filter(broker__in=list(brokers))
        found.update(dict(kept.values_list("broker").annotate(Count("pk"))))
    return found


def unknown_effects() -> int:
    """Return how many effects wait for somebody to say what became of them."""
    return sum(
        Effect.objects.using(database).filter(state=EffectState.UNKNOWN).count()
        for database in brokers.databases()
    )
