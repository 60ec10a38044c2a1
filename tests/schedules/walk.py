"""Every minute of some years as the clocks of a zone show it; see `oracle`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.schedules.oracle import Asked, Matcher

MINUTE = timedelta(minutes=1)


class Walk:
    """Every minute of some years in one zone, one byte each: what its clocks show."""

    def __init__(self, zone: str, first: datetime, last: datetime) -> None:
        self.first = first
        info, hours = ZoneInfo(zone), bytearray()
        minutes, second_passes = bytearray(), bytearray()
        #: The dates in the order of time, and for how many minutes each.
        self.dates: list[tuple[date, int]] = []
        #: Which minute begins after a gap, and what the clocks never showed.
        self.gaps: list[tuple[int, list[datetime]]] = []
        before: datetime | None = None
        for number in range((last - first) // MINUTE):
            wall = (first + number * MINUTE).astimezone(info)
            shown = wall.replace(tzinfo=None)
            minutes.append(shown.minute)
            hours.append(shown.hour)
            second_passes.append(wall.fold)
            self._note(shown)
            if before is not None and shown > before + MINUTE:
                missing = (shown - before) // MINUTE
                never = [before + k * MINUTE for k in range(1, missing)]
                self.gaps.append((number, never))
            before = shown.replace(fold=0)
        self.minutes, self.hours = bytes(minutes), bytes(hours)
        self.second_passes = bytes(second_passes)

    def _note(self, shown: datetime) -> None:
        if self.dates and self.dates[-1][0] == shown.date():
            self.dates[-1] = (shown.date(), self.dates[-1][1] + 1)
        else:
            self.dates.append((shown.date(), 1))

    def transitions(self) -> list[datetime]:
        """Return when the clocks were set, forward or back."""
        back = [
            n
            for n in range(1, len(self.second_passes))
            if self.second_passes[n] and not self.second_passes[n - 1]
        ]
        return sorted(self.first + n * MINUTE for n in [*back, *dict(self.gaps)])

    def minutes_of(self, asked: Asked) -> list[tuple[int, bool]]:
        """Return the number of every minute with a slot; True: only at its start."""
        matcher = Matcher(asked)
        days = b"".join(
            (b"\1" if matcher.is_day(day) else b"\0") * count
            for day, count in self.dates
        )
        mask = _number(days)
        mask &= _number(self.minutes.translate(_table(matcher.minutes)))
        mask &= _number(self.hours.translate(_table(matcher.hours)))
        if not matcher.is_wild and asked.dst != "twice":
            mask &= _number(self.second_passes.translate(_table({0})))
        found = dict.fromkeys(_ones(mask, len(days)), False)
        if not matcher.is_wild and asked.dst != "skip":
            for number, never in self.gaps:
                if any(matcher.is_time(moment) for moment in never):
                    found.setdefault(number, True)
        return sorted(found.items())

    def slots(self, asked: Asked, window: tuple[datetime, datetime]) -> list[datetime]:
        """Return the slots in a window; both of its ends belong to it."""
        return within(self, asked, self.minutes_of(asked), window)


def within(
    walk: Walk,
    asked: Asked,
    minutes: Sequence[tuple[int, bool]],
    window: tuple[datetime, datetime],
) -> list[datetime]:
    """Return the slots of these minutes in a window."""
    seconds = Matcher(asked).seconds
    gaps = {number: never for number, never in walk.gaps}
    first, last = ((end - walk.first) // MINUTE for end in window)
    found = set()
    for number, only_start in minutes:
        if first <= number <= last:
            start = walk.first + number * MINUTE
            given = {0} if only_start else set(seconds)
            if number in gaps and _moved(walk, asked, gaps[number]):
                given.add(0)
            found |= {start + timedelta(seconds=second) for second in given}
    return sorted(slot for slot in found if window[0] <= slot <= window[1])


def _moved(walk: Walk, asked: Asked, never: Sequence[datetime]) -> bool:
    matcher = Matcher(asked)
    if matcher.is_wild or asked.dst == "skip":
        return False
    return any(matcher.is_time(moment) for moment in never)


def _number(flags: bytes) -> int:
    return int.from_bytes(flags, "little")


def _table(values: set[int]) -> bytes:
    return bytes(1 if value in values else 0 for value in range(256))


def _ones(mask: int, size: int) -> Iterator[int]:
    flags, place = mask.to_bytes(size, "little"), -1
    while (place := flags.find(1, place + 1)) >= 0:
        yield place


def years(first: int, last: int) -> tuple[datetime, datetime]:
    """Return the first instant of a year and the first after another one."""
    return datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
