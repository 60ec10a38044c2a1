"""Cron by brute force: every minute is asked whether it matches.

Written from the rules of docs/reference/schedules.md alone; nothing of core is imported
here, nor any library. `walk` asks for every minute of some years, and
`python -m tests.schedules` compares.
"""

import calendar
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

FIELDS = ("second", "minute", "hour", "day", "month", "weekday")
LOWEST = (0, 0, 0, 1, 1, 0)
HIGHEST = (59, 59, 23, 31, 12, 6)
MONTHS = [name.upper() for name in calendar.month_abbr[1:]]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True)
class Asked:
    """One schedule, as somebody writes it."""

    expr: str
    day_match: str | None = None
    dst: str = "once"
    seed: str = ""


class Matcher:
    """Says of a date, an hour, a minute and a second whether an expression means it."""

    def __init__(self, asked: Asked) -> None:
        texts = SHORT.get(asked.expr.strip().lower(), asked.expr).upper().split()
        texts = ["0", *texts] if len(texts) == 5 else texts
        self.texts, self.seed = texts, asked.seed
        self.seconds, self.minutes, self.hours = (self._numbers(n) for n in range(3))
        self.months = self._numbers(4)
        self.days, self.weekdays = texts[3].split(","), texts[5].split(",")
        self.day_match = asked.day_match
        #: A star among seconds, minutes or hours.
        self.is_wild = any("*" in text for text in texts[:3])

    def _numbers(self, field: int) -> set[int]:
        items = self.texts[field].split(",")
        return {number for item in items for number in self._walk(field, item)}

    def _walk(self, field: int, item: str) -> list[int]:
        low, high = LOWEST[field], HIGHEST[field]
        body, _, step = item.partition("/")
        first, _, last = body.partition("-")
        if body in ("*", "?"):
            walked = list(range(low, high + 1))
        elif body == "H":
            return [self._hashed(field)]
        elif last:
            walked = self._range(field, self._number(field, first), last)
        elif step:
            start = self._number(field, first)
            walked = list(range(0 if field == 5 and start == 7 else start, high + 1))
        else:
            walked = [self._number(field, first)]
        return [n % 7 if field == 5 else n for n in walked[:: int(step or 1)]]

    def _range(self, field: int, first: int, last_text: str) -> list[int]:
        last, walked = self._number(field, last_text), [first]
        while walked[-1] != last and len(walked) < 61:
            following = walked[-1] + 1
            if field == 5 and following > max(6, last):
                # Seven is Sunday: past it the week begins again, or has ended.
                following = 1 if walked[-1] == 7 else 0
                if walked[-1] == 7 and last == 0:
                    break
            elif field != 5 and following > HIGHEST[field]:
                following = LOWEST[field]
            walked.append(following)
        return walked

    def _number(self, field: int, text: str) -> int:
        if field == 4 and text in MONTHS:
            return MONTHS.index(text) + 1
        if field == 5 and text in WEEKDAYS:
            return WEEKDAYS.index(text)
        return int(text)

    def _hashed(self, field: int) -> int:
        digest = hashlib.sha256(f"{self.seed}:{FIELDS[field]}".encode()).digest()
        high = 28 if field == 3 else HIGHEST[field]
        size = high - LOWEST[field] + 1
        return LOWEST[field] + int.from_bytes(digest[:8], "big") % size

    def is_day(self, day: date) -> bool:
        """Say whether the date is meant."""
        if day.month not in self.months:
            return False
        by_day = any(self._is_of_month(item, day) for item in self.days)
        by_weekday = any(self._is_of_week(item, day) for item in self.weekdays)
        free = [texts in (["*"], ["?"]) for texts in (self.days, self.weekdays)]
        if free == [False, False] and self.day_match == "or":
            return by_day or by_weekday
        return by_day and by_weekday

    def _is_of_month(self, item: str, day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        if item == "L":
            return day.day == last
        if item.endswith("W"):
            return day.day == _nearest(day.year, day.month, int(item[:-1]), last)
        return day.day in self._walk(3, item)

    def _is_of_week(self, item: str, day: date) -> bool:
        weekday = day.isoweekday() % 7
        if item.endswith("L"):
            is_last = (day + timedelta(days=7)).month != day.month
            return is_last and weekday == self._number(5, item[:-1]) % 7
        if "#" in item:
            name, _, number = item.partition("#")
            is_nth = (day.day - 1) // 7 + 1 == int(number)
            return is_nth and weekday == self._number(5, name) % 7
        return weekday in self._walk(5, item)

    def is_time(self, moment: datetime) -> bool:
        """Say whether the wall clock's hour and minute are meant on their date."""
        right = moment.minute in self.minutes and moment.hour in self.hours
        return right and self.is_day(moment.date())

    def comes(self) -> bool:
        """Say whether any date of the calendar's 400 years is meant."""
        days = (date(2000, 1, 1) + timedelta(days=n) for n in range(146_097))
        return any(self.is_day(day) for day in days)


def _nearest(year: int, month: int, number: int, last: int) -> int | None:
    """Return the working day that is nearest to a date, in its month."""
    if number > last:
        return None
    working = [n for n in range(1, last + 1) if date(year, month, n).weekday() < 5]
    return min(working, key=lambda n: (abs(n - number), n))
