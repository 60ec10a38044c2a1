"""Which dates a cron expression means, month by month."""

import calendar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

#: A date comes again after at most 40 years: 29 February, a Monday, around 2100.
FARTHEST = 48


@dataclass(frozen=True, slots=True)
class DayRule:
    """Months, days and weekdays; None: any.

    `days` holds numbers, "L" (the last) and "15W" (the working day nearest to it);
    `weekdays` pairs of a weekday, 0 for Sunday, and which one of its month: 0 for any,
    -1 for the last.
    """

    months: tuple[int, ...]
    days: frozenset[str | int] | None
    weekdays: frozenset[tuple[int, int]] | None
    either: bool

    def comes(self) -> bool:
        """Return True if any date is meant: months begin with each weekday by turns."""
        return any(
            _of_month(self, first, length)
            for month in self.months
            for length in {calendar.monthrange(year, month)[1] for year in (2023, 2024)}
            for first in range(7)
        )

    def has(self, day: date) -> bool:
        """Return True if it means a date."""
        return day.month in self.months and day.day in self._days(day.year, day.month)

    def after(self, day: date) -> date | None:
        """Return the next date after one; None: the calendar ends."""
        for year in range(day.year, min(day.year + FARTHEST, date.max.year)):
            for month in self.months:
                if (year, month) < (day.year, day.month):
                    continue
                is_first = (year, month) == (day.year, day.month)
                for number in self._days(year, month):
                    if not is_first or number > day.day:
                        return date(year, month, number)
        return None

    def _days(self, year: int, month: int) -> tuple[int, ...]:
        return _of_month(self, *calendar.monthrange(year, month))


@lru_cache(maxsize=50_000)
def _of_month(rule: DayRule, first: int, length: int) -> tuple[int, ...]:
    """Return the days of a month of this length that begins so (0 is Monday)."""
    every = frozenset(range(1, length + 1))
    by_day = every if rule.days is None else _by_day(rule.days, first, length)
    by_weekday = (
        every if rule.weekdays is None else _by_weekday(rule.weekdays, first, length)
    )
    if rule.either and rule.days is not None and rule.weekdays is not None:
        return tuple(sorted(by_day | by_weekday))
    return tuple(sorted(by_day & by_weekday))


def _by_day(days: frozenset[str | int], first: int, length: int) -> set[int]:
    found: set[int] = set()
    for day in days:
        if day == "L":
            found.add(length)
        elif isinstance(day, str):
            number = int(day[:-1])
            if number <= length:
                found.add(_nearest(number, first, length))
        elif day <= length:
            found.add(day)
    return found


def _nearest(number: int, first: int, length: int) -> int:
    """Return the working day nearest to a day, within its month."""
    weekday = (first + number - 1) % 7
    if weekday == 5:
        return number - 1 if number > 1 else 3
    if weekday == 6:
        return number + 1 if number < length else number - 2
    return number


def _by_weekday(
    weekdays: frozenset[tuple[int, int]], first: int, length: int
) -> set[int]:
    found: set[int] = set()
    for weekday, nth in weekdays:
        # Sunday is 0 here; the month's first day counts from Monday.
        start = (weekday - 1 - first) % 7 + 1
        days = list(range(start, length + 1, 7))
        if nth == 0:
            found.update(days)
        elif nth <= len(days):
            found.add(days[nth - 1] if nth > 0 else days[-1])
    return found
