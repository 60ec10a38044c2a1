"""The queues: what waits, for how long, and how fast it goes."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    Min,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.models import Pause, Run, State
from core.monitoring.actor_figures import declared_key
from core.monitoring.probing import ask
from core.monitoring.snapshot import Snapshot
from core.monitoring.windows import LATELY, lately, sums
from core.registry import registry
from core.runs.tally import ENDED

NUMBERS = ("pending", "due", "queued", "running")

#: (alias, queue name).
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class QueueSnapshot(Snapshot):
    """A queue of one alias: what waits in it, and what became of the last runs."""

    broker: str
    name: str
    #: Waiting rows, including those that wait for a run, a retry or a time.
    pending: int
    #: Those of them that could start now.
    due: int
    #: Published, but not started.
    queued: int
    running: int
    #: Messages at the broker; None if it does not answer.
    depth: int | None
    #: The longest wait of a due run in seconds; None if nothing is due.
    oldest_wait: float | None
    #: Ended runs per second in the last minutes; None if not counted.
    throughput: float | None
    #: The share of failed attempts in that time; None if there were none.
    failure_rate: float | None
    #: Paused since when and by whom; None and "" if it is not paused.
    paused_at: datetime | None
    paused_by: str


def queues(broker: str = "", *, depths: bool = True) -> list[QueueSnapshot]:
    """Return every queue that is declared, or that something waits or ended in.

    Without `depths` no broker is asked.
    """
    aliases = [broker] if broker else list(brokers)
    found: dict[Line, dict[str, Any]] = defaultdict(dict)
    for _, alias, queue in map(declared_key, registry):
        if alias in aliases and queue:
            found[(alias, queue)] = {}
    for line, values in [*_waiting(aliases), *_published(aliases), *_paused(aliases)]:
        found[line].update(values)
    for window in lately(broker):
        for queue, counts in sums(window.rows(), "queue_name"):
            found[(window.broker, queue)]["ended"] = counts
        for line in found:
            if line[0] == window.broker:
                found[line].setdefault("ended", {})
    told = _depths(found) if depths else {}
    return [
        _snapshot(alias, queue, values, told.get(alias, {}).get(queue))
        for (alias, queue), values in sorted(found.items())
    ]


def _waiting(aliases: list[str]) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Count what is pending: the cost grows with the backlog alone.

    Queue by queue: each is one stretch of an index, and nothing else is read.
    """
    is_due = Q(due_at__lte=Now())
    for alias in aliases:
        pending = _pending(alias)
        for queue in _names(pending):
            yield (
                (alias, queue),
                pending.filter(queue_name=queue).aggregate(
                    # Not of a column: then the index alone is read.
                    pending=Count(Value(1)),
                    due=Count(Value(1), filter=is_due),
                    oldest_wait=_since_first_due(is_due),
                ),
            )


def _pending(alias: str) -> QuerySet[Run]:
    database = brokers[alias].database
    return Run.objects.using(database).filter(broker=alias, state=State.PENDING)


def _names(rows: QuerySet[Run]) -> Iterator[str]:
    """Return the queues of these rows, jumping from one to the next in their index."""
    names = rows.order_by("queue_name").values_list("queue_name", flat=True)
    name = names.first()
    while name is not None:
        yield name
        name = names.filter(queue_name__gt=name).first()


def _since_first_due(narrowed: Q | None = None) -> Combinable:
    """Return for how long the oldest of some runs could have started."""
    first = Min("due_at", filter=narrowed)
    return ExpressionWrapper(Now() - first, output_field=DurationField())


#: States of runs that have not started.
_OLDEST = {State.QUEUED: {"oldest_published": _since_first_due()}}


def _published(aliases: list[str]) -> Iterator[tuple[Line, dict[str, Any]]]:
    for database in {brokers[alias].database for alias in aliases}:
        for state in (State.QUEUED, State.RUNNING):
            rows = Run.objects.using(database).filter(state=state)
            counts = rows.values("broker", "queue_name").annotate(
                **{state.value: Count(Value(1)), **_OLDEST.get(state, {})}
            )
            yield from _by_line(counts, aliases)


def _paused(aliases: list[str]) -> Iterator[tuple[Line, dict[str, Any]]]:
    for database in {brokers[alias].database for alias in aliases}:
        rows = Pause.objects.using(database).values(
            "broker", "queue_name", "by", "paused_at"
        )
        yield from _by_line(rows, aliases)


def _by_line(rows: Any, aliases: list[str]) -> Iterator[tuple[Line, dict[str, Any]]]:
    for row in rows.order_by():
        alias, queue = row.pop("broker"), row.pop("queue_name")
        if alias in aliases:
            yield (alias, queue), row


def _depths(lines: Any) -> dict[str, dict[str, int]]:
    """Ask every broker for all of its queues; who does not answer is left out."""
    by_alias: dict[str, list[str]] = defaultdict(list)
    for alias, queue in lines:
        by_alias[alias].append(queue)
    answers = ask(
        {f"depth {alias}": _depth(alias, names) for alias, names in by_alias.items()}
    )
    return {
        name.removeprefix("depth "): answer
        for name, answer in answers.items()
        if not isinstance(answer, Exception)
    }


def _depth(alias: str, queues: list[str]) -> Callable[[], dict[str, int]]:
    broker = brokers[alias]
    return lambda: {
        queue: broker.backend.depth(broker.sender.physical(queue)) for queue in queues
    }


def _snapshot(
    alias: str, queue: str, values: dict[str, Any], depth: int | None
) -> QueueSnapshot:
    waits = (values.get("oldest_wait"), values.get("oldest_published"))
    oldest = max(filter(None, waits), default=None)
    return QueueSnapshot(
        broker=alias,
        name=queue,
        **{name: values.get(name, 0) for name in NUMBERS},
        depth=depth,
        oldest_wait=oldest.total_seconds() if oldest is not None else None,
        **_pace(values.get("ended")),
        paused_at=values.get("paused_at"),
        paused_by=values.get("by", ""),
    )


def _pace(ended: dict[str, int] | None) -> dict[str, Any]:
    if ended is None:
        return {"throughput": None, "failure_rate": None}
    number = sum(ended.get(state, 0) for state in ENDED)
    failures = ended.get("failures", 0)
    attempts = ended.get("succeeded", 0) + failures
    return {
        "throughput": number / LATELY.total_seconds(),
        "failure_rate": failures / attempts if attempts else None,
    }
