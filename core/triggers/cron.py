"""Times by a cron expression, as the clocks of a zone show them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from core.errors import InvalidTrigger
from core.triggers.grammar import Pattern, parse
from core.triggers.times import following
from core.triggers.trigger import Trigger, call
from core.triggers.words import describe
from core.triggers.zones import SECOND, again, first_shown, overlap, shown

DayMatch = Literal["and", "or"]
Dst = Literal["once", "skip", "twice"]


@dataclass(frozen=True, slots=True)
class Crontab(Trigger):
    """A trigger made by `crontab`."""

    expr: str
    tz: str = "UTC"
    day_match: DayMatch | None = None
    dst: Dst = "once"

    kind: ClassVar[str] = "crontab"

    def __post_init__(self) -> None:
        if not isinstance(self.expr, str):
            raise InvalidTrigger(repr(self.expr), "a cron expression is a string")
        if self.day_match not in (None, "and", "or"):
            raise InvalidTrigger(str(self.day_match), "day_match must be 'and' or 'or'")
        if self.dst not in ("once", "skip", "twice"):
            raise InvalidTrigger(str(self.dst), "dst must be 'once', 'skip' or 'twice'")
        _ = self.zone, self.pattern("")

    def pattern(self, seed: str) -> Pattern:
        """Return what the expression means for a schedule of this name."""
        return parse(
            self.expr, self.day_match, seed if "h" in self.expr.lower() else ""
        )

    def next(self, after: datetime, seed: str = "") -> datetime | None:
        """See `Trigger.next`."""
        pattern, tz = self.pattern(seed), self.zone
        after = after.astimezone(UTC).replace(microsecond=0)
        wall, twice = shown(after, tz), overlap(after, tz)
        if twice is None:
            return self._first(pattern, tz, wall)
        return self._around(pattern, tz, after, twice)

    def _first(self, pattern: Pattern, tz: ZoneInfo, wall: datetime) -> datetime | None:
        """Return the first slot after the clocks show `wall` (for the last time)."""
        moves = not pattern.is_wild and self.dst != "skip"
        while (found := following(pattern, wall)) is not None:
            slot, exists = first_shown(found, tz)
            if exists or moves:
                return slot
            wall = shown(slot, tz) - SECOND
        return None

    def _around(
        self,
        pattern: Pattern,
        tz: ZoneInfo,
        after: datetime,
        twice: tuple[datetime, datetime],
    ) -> datetime | None:
        """Return the first slot after an instant whose hour the clocks show twice."""
        start, end = twice
        is_second = bool(after.astimezone(tz).fold)
        wall = shown(after, tz)
        slots = [self._first(pattern, tz, end - SECOND if is_second else wall)]
        if pattern.is_wild or self.dst == "twice":
            repeated = following(pattern, wall if is_second else start - SECOND)
            if repeated is not None and repeated < end:
                slots.append(again(repeated, tz))
        return min((slot for slot in slots if slot is not None), default=None)

    def __str__(self) -> str:
        given = self._given()
        return call(self.kind, given, given.pop("expr"))

    def words(self, seed: str = "") -> str:
        """See `Trigger.words`."""
        return f"{describe(self.expr, self.day_match, seed)}, {self.tz}"


def crontab(
    expr: str,
    *,
    tz: str = "UTC",
    day_match: DayMatch | None = None,
    dst: Dst = "once",
) -> Crontab:
    """Return the times of a cron expression: 5 fields, or 6 with seconds first.

    `day_match` says whether a day of the month and a weekday must both fit ("and") or
    either ("or"). A time that the clocks skip comes when they are set forward, one that
    they show twice comes the first time, one with a star both times; `dst` may be
    "skip" (what is skipped does not come) or "twice" (both times).

    Raises `InvalidTrigger` with the position of what is wrong.
    """
    return Crontab(expr, tz, day_match, dst)
