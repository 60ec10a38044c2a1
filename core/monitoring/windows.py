"""The rollups of a stretch of time: what every figure about the past is made of."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.models import RolledUp, Rollup
from core.models.rollup import SPANS
from core.runs.tally import COUNTS, Tally, start_of

MINUTE, HOUR, DAY = SPANS
#: The longest periods that are shown in minutes and in hours; then days.
IN_MINUTES, IN_HOURS = timedelta(hours=1), timedelta(days=1)
#: The period of rates and failure shares.
LATELY = timedelta(minutes=5)
#: If nothing has been counted for this long, "lately" is unknown.
SILENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time of one alias."""

    database: str
    broker: str
    span: int
    start: datetime
    end: datetime

    def rows(self) -> QuerySet[Rollup]:
        """Return its rollups."""
        return Rollup.objects.using(self.database).filter(
            broker=self.broker,
            span=self.span,
            start__gte=self.start,
            start__lt=self.end,
        )


def tallies(rows: QuerySet[Rollup]) -> Iterator[tuple[str, str, Tally]]:
    """Return what each of the rollups holds, with its actor and its queue."""
    # Not as models: there may be thousands.
    columns = ("actor_name", "queue_name", "waiting", "running", *COUNTS)
    for actor, queue, waiting, running, *counts in rows.values_list(*columns):
        found = Counter(dict(zip(COUNTS, counts, strict=True)))
        yield actor, queue, Tally(found, waiting, running)


def sums(rows: QuerySet[Rollup], by: str) -> Iterator[tuple[Any, dict[str, int]]]:
    """Sum the counts for each value of a column."""
    totals = {f"sum_{name}": Sum(name) for name in COUNTS}
    for row in rows.values(by).annotate(**totals).order_by():
        yield row[by], {name: row[f"sum_{name}"] for name in COUNTS}


def over(period: timedelta, broker: str = "", span: int = 0) -> list[Window]:
    """Return the windows of every alias, or of one, that reach so far back.

    They begin with a span, which is chosen by the period unless it is given.
    """
    span = span or _span(period)
    return [
        Window(database, alias, span, start_of(now - period, span), now)
        for database, alias, now, _ in _clocks(broker)
    ]


def lately(broker: str = "") -> list[Window]:
    """Return the last minutes that are counted, of the aliases that are counted."""
    return [
        Window(database, alias, MINUTE, until - LATELY, until)
        for database, alias, now, until in _clocks(broker)
        if until is not None and now - until < SILENCE
    ]


def _span(period: timedelta) -> int:
    if period <= IN_MINUTES:
        return MINUTE
    return HOUR if period <= IN_HOURS else DAY


def _clocks(broker: str) -> Iterator[tuple[str, str, datetime, datetime | None]]:
    """Tell for each alias the time, and until when its ends are counted."""
    databases = {alias: brokers[alias].database for alias in _aliases(broker)}
    known: dict[str, tuple[datetime, datetime]] = {}
    for database in set(databases.values()):
        rows = RolledUp.objects.using(database).filter(broker__in=databases)
        for alias, now, until in rows.values_list("broker", Now(), "until"):
            if databases[alias] == database:
                known[alias] = now, until
    for alias, database in databases.items():
        # Of what nobody counts there is nothing to be found, at any time.
        yield database, alias, *known.get(alias, (datetime.now(UTC), None))


def _aliases(broker: str) -> list[str]:
    return [broker] if broker else list(brokers)
