"""The grammar of each field of a cron expression."""

import calendar
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

MONTHS = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if n}
WEEKDAYS = {
    name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field, and the numbers from its lowest to its highest one."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)
    #: H stays below it where not every month has the highest one.
    hashed_high: int | None = None

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.high - self.low + 1

    def hashed(self, seed: str) -> int:
        """Return the number that H is for a schedule of this name."""
        digest = hashlib.sha256(f"{seed}:{self.name}".encode()).digest()
        size = (self.hashed_high or self.high) - self.low + 1
        return self.low + int.from_bytes(digest[:8], "big") % size

    @property
    def highest_written(self) -> int:
        """7 is Sunday as well."""
        return 7 if self.name == "weekday" else self.high

    def __str__(self) -> str:
        return f"{self.name} ({self.low}-{self.highest_written})"


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31, hashed_high=28)
MONTH = Field("month", 1, 12, MONTHS)
WEEKDAY = Field("weekday", 0, 6, WEEKDAYS)

FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)

#: Abbreviations for whole expressions.
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
