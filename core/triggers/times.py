"""From one date and time of a pattern to the next, without any zone."""

from bisect import bisect_right
from datetime import datetime, time

from core.triggers.grammar import Pattern


def following(pattern: Pattern, wall: datetime) -> datetime | None:
    """Return the first date and time after `wall`; None: the calendar ends."""
    day = wall.date()
    if pattern.days.has(day):
        later = _later(pattern, wall.hour, wall.minute, wall.second)
        if later is not None:
            return datetime.combine(day, later)
    found = pattern.days.after(day)
    if found is None:
        return None
    first = time(pattern.hours[0], pattern.minutes[0], pattern.seconds[0])
    return datetime.combine(found, first)


def _later(pattern: Pattern, hour: int, minute: int, second: int) -> time | None:
    """Return the first time of the day after one."""
    seconds, minutes, hours = pattern.seconds, pattern.minutes, pattern.hours
    if hour in hours:
        if minute in minutes:
            index = bisect_right(seconds, second)
            if index < len(seconds):
                return time(hour, minute, seconds[index])
        index = bisect_right(minutes, minute)
        if index < len(minutes):
            return time(hour, minutes[index], seconds[0])
    index = bisect_right(hours, hour)
    return time(hours[index], minutes[0], seconds[0]) if index < len(hours) else None
