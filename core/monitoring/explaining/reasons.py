"""A reason why a run has not started, and what is known when it is looked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from core.broker.broker import Broker
from core.models import Run, Worker
from core.monitoring.snapshot import Snapshot
from core.monitoring.words import seconds

#: Most blocking runs that are named.
MOST = 10


@dataclass(frozen=True, slots=True)
class Reason(Snapshot):
    """One thing that keeps a run from starting."""

    #: A code such as `delayed`; docs/how-to/watch.md lists them.
    code: str
    #: A sentence.
    text: str
    #: When it ends by itself, if known.
    until: datetime | None = None
    #: The runs that have to end first.
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A run, its broker, and the database's time."""

    run: Run
    broker: Broker
    now: datetime

    @property
    def database(self) -> str:
        """The alias of the database that keeps the run."""
        return self.broker.database

    @cached_property
    def serving(self) -> list[Worker]:
        """The live workers of the run's queue."""
        alive = Worker.alive(self.database, self.run.broker).filter(threads__gt=0)
        return [worker for worker in alive if self.run.queue_name in worker.queues]


Gate = Callable[[Case], Iterator[Reason]]


def at(case: Case, moment: datetime) -> str:
    """Return a moment to come, and how long that is from now."""
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}, in {length(moment - case.now)}"


def length(of: timedelta) -> str:
    """Return a length of time as people say it."""
    return seconds(of.total_seconds())
