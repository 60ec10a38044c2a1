"""Another scheduler's fires beside ours: which of them change, and when."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from core.triggers import Scheduled, Timetable, transition

#: Fires after a moment, computed lazily.
Fires = Callable[[datetime], Iterator[datetime]]

#: How far ahead fires are compared.
YEAR = timedelta(days=365)
#: Fires that are compared one after the other; of what fires more often, then only
#: around the moments at which clocks are set, where schedulers differ.
MOST = 2000
AROUND = timedelta(hours=4)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fires of one side alone, and those of the other."""

    #: Every fire until then; after it, until a year from now, around changed clocks.
    until: datetime
    only_there: tuple[datetime, ...]
    only_here: tuple[datetime, ...]

    @property
    def is_same(self) -> bool:
        """Return True if all fires are the same."""
        return not (self.only_there or self.only_here)


def compare(
    said: Scheduled, name: str, theirs: Fires, now: datetime, tolerance: timedelta
) -> Comparison:
    """Compare the fires of the next twelve months.

    Those of both that are no farther apart than `tolerance` are the same.
    """
    table = Timetable(said.trigger, name, said.start, said.end, said.excluded)
    end, most = now + YEAR, min(MOST, said.max_fires or MOST)
    until, there, here = _window(theirs, table.slots, now, end, most)
    if said.max_fires is None and until < end:
        for start, stop in _around_changes(said.trigger.zone, until, end):
            _, more_there, more_here = _window(theirs, table.slots, start, stop, MOST)
            there, here = there | more_there, here | more_here
    only_there, only_here = _unpaired(there, here, tolerance)
    return Comparison(until, only_there, only_here)


def _window(
    theirs: Fires, ours: Fires, start: datetime, stop: datetime, most: int
) -> tuple[datetime, set[datetime], set[datetime]]:
    """Return both sides' fires, and until when all of them are there."""
    there, here = _some(theirs, start, stop, most), _some(ours, start, stop, most)
    full = [fires[-1] for fires in (there, here) if len(fires) == most == MOST]
    until = min(full, default=stop)
    return (
        until,
        {fire for fire in there if fire <= until},
        {fire for fire in here if fire <= until},
    )


def _some(fires: Fires, start: datetime, stop: datetime, most: int) -> list[datetime]:
    found = []
    for fire in islice(fires(start), most):
        if fire > stop:
            break
        found.append(fire.astimezone(UTC))
    return found


def _around_changes(
    zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Return a while around each moment at which the clocks are set."""
    day = start
    while day < end:
        if day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset():
            moment = transition(day, day + DAY, zone)
            yield max(start, moment - AROUND), moment + AROUND
        day += DAY


def _unpaired(
    there: set[datetime], here: set[datetime], tolerance: timedelta
) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    only_there, only_here = sorted(there - here), sorted(here - there)
    if tolerance:
        only_there, only_here = (
            _far(only_there, only_here, tolerance),
            _far(only_here, only_there, tolerance),
        )
    return tuple(only_there), tuple(only_here)


def _far(
    some: Iterable[datetime], others: Iterable[datetime], tolerance: timedelta
) -> list[datetime]:
    """Return those that have none of the others near to them."""
    known = list(others)
    return [one for one in some if all(abs(one - o) > tolerance for o in known)]
