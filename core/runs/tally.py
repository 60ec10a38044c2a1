"""Counts of the runs that ended in a period, by minute, queue and actor."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.db.models import (
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import TruncMinute
from django.db.models.lookups import LessThan

from core.models import Attempt, Outcome, Rollup, Run, State
from core.models.rollup import EVER, SPANS
from core.runs.histogram import BOUNDS

ENDED = (State.SUCCEEDED, State.DEAD, State.CANCELLED)
COUNTS = ("succeeded", "dead", "cancelled", "failures")
HISTOGRAMS = ("waiting", "running")
KEY = ("broker", "span", "start", "queue_name", "actor_name")
KEPT = (*SPANS, EVER)
#: Of a run that was called off no time is told: its last start may be of long before.
TIMED = (State.SUCCEEDED, State.DEAD)

#: (minute, queue name, actor name).
Key = tuple[datetime, str, str]


@dataclass(slots=True)
class Tally:
    """The runs that ended under one key."""

    counts: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, row: Rollup) -> Self:
        """Return what a rollup holds."""
        counts = Counter({name: getattr(row, name) for name in COUNTS})
        return cls(counts, Counter(row.waiting), Counter(row.running))

    def add(self, other: Self) -> None:
        """Add what another one holds."""
        self.counts.update(other.counts)
        self.waiting.update(other.waiting)
        self.running.update(other.running)

    def columns(self) -> dict[str, Any]:
        """Return the columns of a rollup."""
        counts = {name: self.counts[name] for name in COUNTS}
        return {**counts, "waiting": dict(self.waiting), "running": dict(self.running)}


def count(
    database: str, broker: str, start: datetime, end: datetime
) -> dict[Key, Tally]:
    """Count what finished from `start` on and before `end`."""
    found: dict[Key, Tally] = defaultdict(Tally)
    for key, state, waiting, running, number in _runs(database, broker, start, end):
        tally = found[key]
        tally.counts[state] += number
        if state in TIMED:
            tally.waiting[str(waiting)] += number
            tally.running[str(running)] += number
    for key, number in _failures(database, broker, start, end):
        found[key].counts["failures"] += number
    return found


def _runs(
    database: str, broker: str, start: datetime, end: datetime
) -> Iterator[tuple[Key, str, int, int, int]]:
    ended = Run.objects.using(database).filter(
        broker=broker, state__in=ENDED, finished_at__gte=start, finished_at__lt=end
    )
    groups = ended.values_list(
        TruncMinute("finished_at", tzinfo=UTC),
        "queue_name",
        "actor_name",
        "state",
        _bucket("due_at", "started_at"),
        _bucket("started_at", "finished_at"),
    ).annotate(Count("pk"))
    for minute, queue, actor, state, waiting, running, number in groups.order_by():
        yield (minute, queue, actor), state, waiting, running, number


def _bucket(since: str, until: str) -> Case:
    """Return an expression for the number of a duration's bucket."""
    took = ExpressionWrapper(F(until) - F(since), DurationField())
    cases = [
        When(LessThan(took, timedelta(milliseconds=bound)), then=Value(number))
        for number, bound in enumerate(BOUNDS)
    ]
    return Case(*cases, default=Value(len(BOUNDS)), output_field=IntegerField())


def _failures(
    database: str, broker: str, start: datetime, end: datetime
) -> Iterator[tuple[Key, int]]:
    failed = failures(database, broker).filter(
        finished_at__gte=start, finished_at__lt=end
    )
    minute = TruncMinute("finished_at", tzinfo=UTC)
    groups = failed.values_list(minute, "run__queue_name", "run__actor_name").annotate(
        Count("pk")
    )
    for minute, queue, actor, number in groups.order_by():
        yield (minute, queue, actor), number


def failures(database: str, broker: str) -> QuerySet[Attempt]:
    """Return the attempts of an alias that failed by themselves."""
    attempts: QuerySet[Attempt] = Attempt.objects.using(database)
    # Without a traceback somebody had it stopped.
    by_hand = Q(outcome=Outcome.FAILED, traceback="")
    return attempts.filter(~by_hand, run__broker=broker)


def keep(database: str, broker: str, tallies: dict[Key, Tally]) -> None:
    """Add what was counted to the rollups of every span."""
    totals: dict[tuple[Any, ...], Tally] = defaultdict(Tally)
    for (minute, queue, actor), tally in tallies.items():
        for span in KEPT:
            totals[(broker, span, start_of(minute, span), queue, actor)].add(tally)
    for row in _known(database, broker, {key[1:3] for key in totals}):
        key = tuple(getattr(row, name) for name in KEY)
        if key in totals:
            totals[key].add(Tally.of(row))
    rows = [
        Rollup(**dict(zip(KEY, key, strict=True)), **tally.columns())
        for key, tally in totals.items()
    ]
    Rollup.objects.using(database).bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=KEY,
        update_fields=(*COUNTS, *HISTOGRAMS),
    )


def start_of(moment: datetime, span: int) -> datetime:
    """Return when the span began that a moment is in."""
    seconds = moment.timestamp()
    return datetime.fromtimestamp(seconds - seconds % span, UTC)


def _known(
    database: str, broker: str, spans: set[tuple[int, datetime]]
) -> Iterator[Rollup]:
    for span in KEPT:
        starts = [start for of, start in spans if of == span]
        yield from Rollup.objects.using(database).filter(
            broker=broker, span=span, start__in=starts
        )
