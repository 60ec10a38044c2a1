"""Everything together, over a period: totals, and a point for each span of time."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.monitoring.actor_figures import PERIOD
from core.monitoring.figures import Figures, figures
from core.monitoring.snapshot import Snapshot
from core.monitoring.windows import HOUR, IN_MINUTES, MINUTE, over, sums, tallies
from core.runs.tally import Tally


@dataclass(frozen=True, slots=True)
class Point(Snapshot):
    """The runs that ended within one span of time."""

    start: datetime
    #: Its length in seconds.
    span: int
    succeeded: int
    dead: int
    cancelled: int
    failures: int


@dataclass(frozen=True, slots=True)
class StatsSnapshot(Figures):
    """The runs that ended in a period, as far as they have been counted."""

    since: datetime
    #: The points with ended runs, the oldest first.
    points: tuple[Point, ...]


def stats(
    period: timedelta = PERIOD, *, broker: str = "", queue: str = "", actor: str = ""
) -> StatsSnapshot:
    """Return what ended in a period, of all, or of an alias, a queue, an actor."""
    given = {"queue_name": queue, "actor_name": actor}
    where = {name: value for name, value in given.items() if value}
    total = Tally()
    windows = over(period, broker)
    for window in windows:
        for _, _, tally in tallies(window.rows().filter(**where)):
            total.add(tally)
    return StatsSnapshot(
        since=min(window.start for window in windows),
        points=tuple(_points(period, broker, where)),
        **figures(total),
    )


def _points(period: timedelta, broker: str, where: dict[str, str]) -> list[Point]:
    span = MINUTE if period <= IN_MINUTES else HOUR
    totals: dict[datetime, Counter[str]] = defaultdict(Counter)
    for window in over(period, broker, span):
        for start, counts in sums(window.rows().filter(**where), "start"):
            totals[start].update(counts)
    return [Point(start, span, **totals[start]) for start in sorted(totals)]
