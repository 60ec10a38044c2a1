"""The stack under test: one queue of one alias, its workers and our canaries."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import Error, connections
from django.db.models import QuerySet
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.chaos.interruption import Interruption
from core.chaos.processes import Victim, victims
from core.chaos.producer import Producer
from core.chaos.proof import OPEN
from core.models import CanaryMark, Run, State, Worker
from core.registry import registry
from core.tasks import CANARY

#: Seconds between two looks at the database.
LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Strike:
    """One fault that was done."""

    fault: str
    at: datetime  # the database's
    hit: Sequence[UUID]  # canaries that it kept from ending
    touched: int
    seconds: float = 0.0  # until what was hurt was whole again
    problem: str = ""


class Stage:
    """The stack that the faults are done to."""

    def __init__(
        self, alias: str, queue: str, rate: float = 1, lose_direct: bool = False
    ) -> None:
        self.broker = brokers[alias]
        self.database = self.broker.database
        self.queue = queue
        self.lose_direct = lose_direct
        self.token = uuid4()
        self.producer = Producer(self.broker, queue, self.token, rate)
        self.strikes: list[Strike] = []
        self.interruption = Interruption()
        self.since = self.now()

    def now(self) -> datetime:
        """Return the database's time; ours, if it knows of no worker."""
        rows = Worker.objects.using(self.database).annotate(now=Now())
        return rows.values_list("now", flat=True).first() or datetime.now(UTC)

    def workers(self) -> list[Worker]:
        """Return the live workers that serve the queue."""
        alive = Worker.alive(self.database, self.broker.alias).filter(threads__gt=0)
        same = alive.filter(engine=self.broker.backend.engine)
        return [worker for worker in same if self.queue in worker.queues]

    def here(self) -> list[Victim]:
        """Return those that may be hurt."""
        return victims(self.workers())

    def canaries(self, **filters: Any) -> QuerySet[Run]:
        """Return the runs of our canaries."""
        rows = Run.objects.using(self.database).filter(
            actor_name=CANARY, created_at__gte=self.since, **filters
        )
        return rows.filter(kwargs__token=str(self.token))

    def marks(self) -> QuerySet[CanaryMark]:
        """Return what our canaries have done."""
        return CanaryMark.objects.using(self.database).filter(token=self.token)

    def others(self, **filters: Any) -> int:
        """Count the open runs of the alias that are no canaries."""
        rows = Run.objects.using(self.database).filter(state__in=OPEN, **filters)
        return rows.filter(broker=self.broker.alias).exclude(actor_name=CANARY).count()

    def direct_actors(self) -> list[str]:
        """Return the actors of the queue whose messages only the broker has."""
        found = []
        for actor in registry:
            options = self.broker.resolver.resolve(actor, {})
            here = options.broker == self.broker.alias
            if here and options.queue_name == self.queue and not options.durable:
                found.append(actor.actor_name)
        return sorted(found)

    def victim(self) -> Victim | None:
        """Return the process of this host that has the most canaries in hand."""
        self.producer.burst(sum(worker.threads for worker in self.workers()))
        running = self.canaries(state=State.RUNNING).values_list("worker", flat=True)
        self.until(running.exists, 3)
        running_by_worker, found = Counter(running.all()), self.here()
        return max(found, key=lambda v: running_by_worker[v.worker.name], default=None)

    def strike(self, fault: str, hit: Sequence[UUID], touched: int) -> Strike:
        """Note a fault that is done now."""
        self.strikes.append(Strike(fault, self.now(), hit, touched))
        return self.strikes[-1]

    def until(self, condition: Callable[[], object], seconds: float) -> float | None:
        """Wait for a condition; return after how many seconds, None if it is late.

        While the database is away it is not met. Raises `KeyboardInterrupt`.
        """
        start = time.monotonic()
        while not self._is_met(condition):
            if time.monotonic() > start + seconds:
                return None
            self.interruption.pause(LOOK_SECONDS)
        return time.monotonic() - start

    def _is_met(self, condition: Callable[[], object]) -> bool:
        try:
            return bool(condition())
        except Error:
            connections[self.database].close()
            return False
