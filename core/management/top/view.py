"""The state of everything at one moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core import alerts, monitoring
from core.alerts import Finding
from core.broker.handler import brokers
from core.counted import counted
from core.monitoring import (
    BrokerSnapshot,
    ErrorSnapshot,
    QueueSnapshot,
    Snapshot,
    WorkerSnapshot,
)
from core.monitoring.words import seconds

#: The period of the failures that are shown, and the most causes of them.
LATELY, MOST = timedelta(hours=1), 20


@dataclass(frozen=True, slots=True)
class View(Snapshot):
    """All of it; what is wrong comes first."""

    at: datetime
    wrong: tuple[Finding, ...]
    brokers: tuple[BrokerSnapshot, ...]
    queues: tuple[QueueSnapshot, ...]
    workers: tuple[WorkerSnapshot, ...]
    errors: tuple[ErrorSnapshot, ...]

    @property
    def headline(self) -> str:
        """How much waits, how fast it goes, how many are at it."""
        waiting = sum(one.due + one.queued for one in self.queues)
        oldest = max((one.oldest_wait or 0 for one in self.queues), default=0)
        ended = sum(one.throughput or 0 for one in self.queues)
        alive = [one for one in self.workers if one.alive and one.threads]
        busy = sum(len(one.running) for one in alive)
        threads = sum(one.threads for one in alive)
        since = f", the oldest for {seconds(oldest)}" if waiting else ""
        return (
            f"{self.at:%H:%M:%S} UTC   {waiting:,} wait{since}   {ended:.1f} ended/s"
            f"   {len(alive)} processes, {busy} of {threads} threads busy"
        )


def look(broker: str = "") -> View:
    """Look at everything, of all aliases or of one."""
    queues = monitoring.queues(broker)
    return View(
        at=datetime.now(UTC),
        wrong=(*alerts.wrong(broker), *_paused(queues), *_unknown(broker)),
        brokers=tuple(monitoring.brokers(broker)),
        queues=tuple(queues),
        workers=tuple(monitoring.workers(broker)),
        errors=tuple(monitoring.errors(LATELY, MOST)),
    )


def _unknown(broker: str) -> Iterator[Finding]:
    """Find the actors that no worker knew lately, with runs that wait for one."""
    for alias in [broker] if broker else brokers:
        for actor, number in monitoring.unknown(alias, LATELY):
            waits = counted(number, "run", "wait")
            says = f"{actor} on {alias}: {waits}, and no worker knew it"
            mend = "restart the workers with the code that declares it"
            yield Finding(alias, actor, number, says, (mend,))


def _paused(queues: Sequence[QueueSnapshot]) -> Iterator[Finding]:
    for one in queues:
        waiting = one.due + one.queued
        if one.paused_at and waiting:
            waits = counted(waiting, "run", "wait")
            says = f"queue {one.name} of {one.broker}: {waits}, paused"
            resume = f"manage.py tasks resume {one.name} --broker {one.broker}"
            yield Finding(
                one.broker, one.name, waiting, f"{says} by {one.paused_by}", (resume,)
            )
