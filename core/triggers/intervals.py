"""Times at equal distances from an anchor."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from core.errors import InvalidTrigger
from core.triggers.trigger import Trigger, call
from core.triggers.zones import first_shown, shown, zone

DAY = timedelta(days=1)
SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=366 * 10)
UNITS = ("weeks", "days", "hours", "minutes", "seconds")
#: The default anchor: midnight of a Monday in the zone.
ANCHOR = datetime(2001, 1, 1)  # noqa: DTZ001  # what clocks show, in whatever zone


@dataclass(frozen=True, slots=True)
class Every(Trigger):
    """A trigger made by `every`; `anchor`: what the clocks of `tz` show at one slot."""

    seconds: float
    anchor: datetime = ANCHOR
    tz: str = "UTC"

    kind: ClassVar[str] = "every"

    def __post_init__(self) -> None:
        if not SHORTEST <= self.interval <= LONGEST:
            problem = "an interval is at least a second and at most ten years"
            raise InvalidTrigger(str(self.interval), problem)
        _ = self.zone

    @property
    def interval(self) -> timedelta:
        """The distance between two slots."""
        return timedelta(seconds=self.seconds)

    def next(self, after: datetime, seed: str = "") -> datetime | None:
        """See `Trigger.next`."""
        try:
            return self._next(after.astimezone(UTC))
        except OverflowError:
            return None  # the calendar ends

    def _next(self, after: datetime) -> datetime:
        interval, tz = self.interval, self.zone
        if interval < DAY:
            anchor, _ = first_shown(self.anchor, tz)
            return anchor + ((after - anchor) // interval + 1) * interval
        # From a day up clocks are what people mean: days may have 23 or 25 hours.
        count = (shown(after, tz) - self.anchor) // interval
        while True:
            slot, _ = first_shown(self.anchor + count * interval, tz)
            if slot > after:
                return slot
            count += 1

    def __str__(self) -> str:
        given = self._given()
        del given["seconds"]
        if "anchor" in given:
            given["anchor"] = self.anchor
        return call(self.kind, {**in_units(self.interval), **given})

    def words(self, seed: str = "") -> str:
        """See `Trigger.words`."""
        ((unit, number),) = in_units(self.interval).items()
        distance = f"{number} {unit}" if number != 1 else unit.removesuffix("s")
        if self.interval < DAY:
            return f"Every {distance}"
        return f"Every {distance} at {self.anchor:%H:%M}, {self.tz}"


def in_units(interval: timedelta) -> dict[str, Any]:
    """Return an interval in the largest unit that holds it without a rest."""
    for unit in UNITS[:-1]:
        size = timedelta(**{unit: 1})
        if not interval % size:
            return {unit: interval // size}
    seconds = interval.total_seconds()
    return {"seconds": int(seconds) if seconds == int(seconds) else seconds}


def every(
    interval: timedelta | None = None,
    *,
    anchor: datetime | None = None,
    tz: str = "UTC",
    **units: float,
) -> Every:
    """Return times at equal distances: `every(timedelta(hours=1))`, `every(hours=1)`.

    They are counted from `anchor`, in both directions, so that neither a delay nor a
    restart moves them; it is a datetime with a zone, or what the clocks of `tz` show.
    Unless given it is midnight of Monday, 1 January 2001, in `tz`. Less than a day is
    elapsed time; from a day up it is the time that clocks show.
    """
    if (interval is None) == (not units):
        problem = "give a timedelta, or units as hours=1"
        raise InvalidTrigger(f"every({interval or ''})", problem)
    if unknown := [unit for unit in units if unit not in UNITS]:
        raise InvalidTrigger(unknown[0], f"it is none of {', '.join(UNITS)}")
    distance = timedelta(**units) if interval is None else interval
    if not isinstance(distance, timedelta):
        problem = "give a timedelta, or units as seconds=5"
        raise InvalidTrigger(f"every({distance!r})", problem)
    if anchor is not None and anchor.tzinfo is not None:
        anchor = shown(anchor, zone(tz))
    return Every(distance.total_seconds(), anchor or ANCHOR, tz)
