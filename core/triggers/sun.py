"""Times by the sun at a place; astral knows where it stands."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar

from astral import Observer
from astral.sun import elevation, noon

from core.errors import InvalidTrigger
from core.triggers.trigger import Trigger, call
from core.triggers.zones import SECOND

#: How far the middle of the sun is above the horizon, in degrees, if there were no air.
#: At sunrise and sunset its upper edge is on the horizon, lifted by the air.
EDGE, CIVIL, NAUTICAL, ASTRONOMICAL = -0.833, -6.0, -12.0, -18.0
HEIGHTS = {
    "dawn_astronomical": ASTRONOMICAL,
    "dawn_nautical": NAUTICAL,
    "dawn_civil": CIVIL,
    "dawn": CIVIL,
    "sunrise": EDGE,
    "solar_noon": None,
    "noon": None,
    "sunset": EDGE,
    "dusk": CIVIL,
    "dusk_civil": CIVIL,
    "dusk_nautical": NAUTICAL,
    "dusk_astronomical": ASTRONOMICAL,
}
#: Days after which a polar day or night is over.
FARTHEST = 370
HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Solar(Trigger):
    """A trigger made by `solar`."""

    event: str
    latitude: float
    longitude: float
    tz: str = "UTC"

    kind: ClassVar[str] = "solar"

    def __post_init__(self) -> None:
        if self.event not in HEIGHTS:
            known = ", ".join(HEIGHTS)
            raise InvalidTrigger(str(self.event), f"it is none of {known}")
        # Nearer to a pole the sun does not go up and down within a day.
        for name, most in (("latitude", 89), ("longitude", 180)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not -most <= value <= most:
                problem = f"{name} must be from -{most} to {most} degrees"
                raise InvalidTrigger(str(value), problem)
        _ = self.zone

    def next(self, after: datetime, seed: str = "") -> datetime | None:
        """See `Trigger.next`; in polar day or night the next one that there is."""
        position = (self.event, float(self.latitude), float(self.longitude))
        after = after.astimezone(UTC)
        first = after.date() - timedelta(days=2)
        for number in range(FARTHEST):
            try:
                slot = _of_day(first + timedelta(days=number), *position)
            except OverflowError:
                return None  # the calendar ends
            if slot is not None and slot > after:
                return slot
        return None

    def __str__(self) -> str:
        given = {"tz": self.tz} if self.tz != "UTC" else {}
        return call(self.kind, given, self.event, self.latitude, self.longitude)

    def words(self, seed: str = "") -> str:
        """See `Trigger.words`."""
        event = self.event.replace("_", " ")
        return f"At {event} at {self.latitude:g}, {self.longitude:g}"


@lru_cache(maxsize=20_000)
def _of_day(
    day: date, event: str, latitude: float, longitude: float
) -> datetime | None:
    """Return the first second after an event; None: the sun does not come there.

    Not astral's own `sunrise` and the like: they look for it on a date of a zone, and
    miss one where it comes near midnight there.
    """
    observer = Observer(latitude, longitude)
    highest = noon(observer, day).replace(microsecond=0)
    height = HEIGHTS[event]
    if height is None:
        return highest
    rises = event.startswith(("dawn", "sunrise"))
    low = highest - HALF_A_DAY if rises else highest + HALF_A_DAY
    if not _height(observer, low) < height < _height(observer, highest):
        return None
    return _crossing(observer, height, low, highest)


def _crossing(
    observer: Observer, height: float, low: datetime, high: datetime
) -> datetime:
    """Return the second between two at which the sun comes to a height."""
    while abs(high - low) > SECOND:
        middle = min(low, high) + abs(high - low) // 2
        middle = middle.replace(microsecond=0)
        if _height(observer, middle) < height:
            low = middle
        else:
            high = middle
    return max(low, high)


def _height(observer: Observer, instant: datetime) -> float:
    return elevation(observer, instant, with_refraction=False)


def solar(event: str, latitude: float, longitude: float, *, tz: str = "UTC") -> Solar:
    """Return the times of an event of the sun at a place, in degrees north and east.

    Dawn, sunrise, noon, sunset, dusk; dawn and dusk are the civil ones, and may end in
    _civil, _nautical and _astronomical. `tz` matters for excluded dates alone.
    """
    return Solar(event, latitude, longitude, tz)
