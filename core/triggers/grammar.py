"""Reading a cron expression: its numbers, or what is wrong with it and where.

The rules are in docs/reference/schedules.md. No library reads all of them, and none
says where a mistake is; see docs/adr/0010-slots-are-computed-here.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from core.errors import InvalidTrigger
from core.triggers.days import DayRule
from core.triggers.fields import DAY, FIELDS, NICKNAMES, WEEKDAY, Field

#: Longest expression, in characters.
LONGEST = 500

_ITEM = re.compile(r"(?P<first>\*|[0-9A-Z]+)(?:-(?P<last>\w*))?(?:/(?P<step>.*))?")
_NEAREST = re.compile(r"(?P<number>[0-9]+)W")
_LAST = re.compile(r"(?P<number>[0-9A-Z]+)L")
_NTH = re.compile(r"(?P<number>[0-9A-Z]+)#(?P<nth>.*)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The seconds, minutes and hours of a day, ascending, and the days."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    #: A star among seconds, minutes or hours: it means an interval, not a time.
    is_wild: bool


@lru_cache(maxsize=20_000)
def parse(expr: str, day_match: str | None = None, seed: str = "") -> Pattern:
    """Return what an expression means; `seed` is what H is the hash of.

    Raises `InvalidTrigger` with the position of what is refused.
    """
    return _Reader(expr, seed).pattern(day_match)


class _Reader:
    """One expression that is being read."""

    def __init__(self, expr: str, seed: str) -> None:
        self.expr = expr
        self.seed = seed
        if len(expr) > LONGEST:
            raise self.error(f"it has more than {LONGEST} characters", LONGEST)
        self.fields = self._split()

    def error(self, problem: str, at: int) -> InvalidTrigger:
        """Return what is wrong at a character, counted from 0."""
        return InvalidTrigger(self.expr, problem, at + 1)

    def _split(self) -> list[tuple[str, int]]:
        found = [(m.group(), m.start()) for m in re.finditer(r"\S+", self.expr)]
        if len(found) == 1 and found[0][0].startswith("@"):
            name, at = found[0]
            if name.lower() not in NICKNAMES:
                raise self.error(f"{name} is none of {', '.join(NICKNAMES)}", at)
            found = [(text, at) for text in NICKNAMES[name.lower()].split()]
        if len(found) not in (5, 6):
            at = found[6][1] if len(found) > 6 else len(self.expr)
            count = f"it has {len(found)} fields"
            raise self.error(f"{count}; 5 are needed, or 6 with seconds first", at)
        return found if len(found) == 6 else [("0", 0), *found]

    def pattern(self, day_match: str | None) -> Pattern:
        """Return what it means."""
        seconds, minutes, hours, _, months, _ = (
            () if field in (DAY, WEEKDAY) else self._numbers(field, *given)
            for field, given in zip(FIELDS, self.fields, strict=True)
        )
        days = self._days(months, day_match)
        is_wild = any("*" in text for text, _ in self.fields[:3])
        return Pattern(seconds, minutes, hours, days, is_wild)

    def _days(self, months: tuple[int, ...], day_match: str | None) -> DayRule:
        (day, at), (weekday, at_weekday) = self.fields[3], self.fields[5]
        day_free, weekday_free = day in "*?", weekday in "*?"
        if not (day_free or weekday_free) and day_match is None:
            problem = (
                f"day {day} and weekday {weekday}: give day_match='and' (both)"
                " or day_match='or' (either)"
            )
            raise self.error(problem, at)
        rule = DayRule(
            months=months,
            days=None if day_free else self._days_of_month(day, at),
            weekdays=None if weekday_free else self._weekdays(weekday, at_weekday),
            either=day_match == "or",
        )
        if not rule.comes():
            raise self.error("such a date never comes", at)
        return rule

    def _numbers(self, field: Field, text: str, at: int) -> tuple[int, ...]:
        found = {
            number
            for item, offset in self._items(text, at)
            for number in self._walk(field, item, offset)
        }
        return tuple(sorted(found))

    def _items(self, text: str, at: int) -> Iterator[tuple[str, int]]:
        for item in text.split(","):
            yield item.upper() if item.isascii() else item, at
            at += len(item) + 1

    def _days_of_month(self, text: str, at: int) -> frozenset[str | int]:
        found: set[str | int] = set()
        for item, offset in self._items(text, at):
            if item == "L":
                found.add(item)
            elif match := _NEAREST.fullmatch(item):
                found.add(f"{self._number(DAY, match['number'], offset)}W")
            else:
                found.update(self._walk(DAY, item, offset))
        return frozenset(found)

    def _weekdays(self, text: str, at: int) -> frozenset[tuple[int, int]]:
        """Return pairs of a weekday and which one of its month; 0: any, -1: last."""
        found: set[tuple[int, int]] = set()
        for item, offset in self._items(text, at):
            if match := _LAST.fullmatch(item):
                found.add((self._number(WEEKDAY, match["number"], offset) % 7, -1))
            elif match := _NTH.fullmatch(item):
                number = self._number(WEEKDAY, match["number"], offset) % 7
                if match["nth"] not in tuple("12345"):
                    offset += match.start("nth")
                    raise self.error("after # comes a number from 1 to 5", offset)
                found.add((number, int(match["nth"])))
            else:
                found |= {(n, 0) for n in self._walk(WEEKDAY, item, offset)}
        return frozenset(found)

    def _walk(self, field: Field, item: str, at: int) -> list[int]:
        """Return the numbers of one item of a list."""
        if item == "H":
            return [field.hashed(self.seed)]
        match = _ITEM.fullmatch(item)
        if match is None or (match["first"] == "*" and match["last"] is not None):
            raise self.error(f"{item!r} is nothing that {field} can be", at)
        step = self._step(field, match["step"], at + match.start("step"))
        if match["first"] == "*":
            return list(range(field.low, field.high + 1, step or 1))
        first = self._number(field, match["first"], at)
        if match["last"] is not None:
            last = self._number(field, match["last"], at + match.start("last"))
            return _range(field, first, last)[:: step or 1]
        first = first % 7 if field is WEEKDAY else first
        return list(range(first, field.high + 1, step)) if step else [first]

    def _number(self, field: Field, text: str, at: int) -> int:
        if text in field.names:
            return field.names[text]
        if not (text.isascii() and text.isdigit()):
            raise self.error(f"{text!r} is nothing that {field} can be", at)
        # Of a long one the length alone says that it is too large.
        number = int(text[:9]) if len(text) < 9 else 10**9
        if not field.low <= number <= field.highest_written:
            raise self.error(f"{text} is not in {field}", at)
        return number

    def _step(self, field: Field, text: str | None, at: int) -> int | None:
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text)):
            raise self.error("after / comes a number of at least 1", at)
        if int(text) >= field.size:
            problem = f"a step of {text} is larger than {field}, write what it starts"
            raise self.error(f"{problem} at", at)
        return int(text)


def _range(field: Field, first: int, last: int) -> list[int]:
    """Return the numbers from one to another; past the highest it begins again."""
    beyond = last if first <= last else last + field.size
    walked = range(first, beyond + 1)
    return [(number - field.low) % field.size + field.low for number in walked]
