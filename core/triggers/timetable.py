"""A trigger within its bounds: from, until, and not on some dates."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from core.triggers.trigger import Trigger
from core.triggers.zones import first_shown, shown

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


class Newest(NamedTuple):
    """The newest slots that are due, in their order."""

    slots: list[datetime]
    #: If older ones are left out: the first of these.
    older: datetime | None
    #: The first slot that is not due.
    beyond: datetime | None


@dataclass(frozen=True, slots=True)
class Timetable:
    """The slots of one schedule; `start` and `end` belong to it."""

    trigger: Trigger
    #: The schedule's name.
    seed: str = ""
    start: datetime | None = None
    end: datetime | None = None
    #: Dates in the trigger's zone on which there are no slots.
    excluded: frozenset[date] = frozenset()

    def next(self, after: datetime) -> datetime | None:
        """Return the first slot after an instant; None: there is none."""
        if self.start is not None:
            after = max(after, self.start - MOMENT)
        slot = self.trigger.next(after, self.seed)
        while slot is not None and self.excluded:
            day = shown(slot, self.trigger.zone).date()
            if day not in self.excluded:
                break
            slot = self.trigger.next(self._end_of(day, slot), self.seed)
        return None if slot is None or (self.end and slot > self.end) else slot

    def _end_of(self, day: date, slot: datetime) -> datetime:
        midnight = datetime.combine(day + DAY, time())
        return max(slot, first_shown(midnight, self.trigger.zone)[0] - MOMENT)

    def slots(self, after: datetime) -> Iterator[datetime]:
        """Return the slots after an instant, each when it is asked for."""
        slot = self.next(after)
        while slot is not None:
            yield slot
            slot = self.next(slot)

    def newest(self, after: datetime, until: datetime, most: int) -> "Newest":
        """Return the newest slots after an instant and up to another.

        At most `most`; with more than half of them, perhaps not all that would go.
        """
        slots, beyond = self._some(after, until, most)
        if len(slots) <= most:
            return Newest(slots, None, beyond)
        first, low, high = slots[0], after, until
        # More than `most` come after `low`, at most half of that after `high`. At most
        # one comes each second: somewhere between there are enough and not too many.
        while True:
            middle = low + (high - low) / 2
            slots, beyond = self._some(middle, until, most)
            if len(slots) > most:
                low = middle
            elif len(slots) > most // 2:
                return Newest(slots, first, beyond)
            else:
                high = middle

    def _some(
        self, after: datetime, until: datetime, most: int
    ) -> tuple[list[datetime], datetime | None]:
        """Return the slots, or one more than `most`; and the first one beyond."""
        found: list[datetime] = []
        for slot in self.slots(after):
            if slot > until:
                return found, slot
            found.append(slot)
            if len(found) > most:
                break
        return found, None

    @property
    def digest(self) -> str:
        """A key that two timetables with the same slots share."""
        hashed = "h" in str(self.trigger.asdict().get("expr", "")).lower()
        ends = [
            end and end.astimezone(UTC).isoformat() for end in (self.start, self.end)
        ]
        days = sorted(day.isoformat() for day in self.excluded)
        said = [self.trigger.asdict(), self.seed if hashed else "", ends, days]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def jitter(seed: str, slot: datetime, most: timedelta) -> timedelta:
    """Return how long the dispatch of a slot waits, 0 to `most`: always the same."""
    given = f"{seed}:{slot.astimezone(UTC).isoformat()}"
    digest = hashlib.sha256(given.encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return timedelta(milliseconds=int(most / timedelta(milliseconds=1) * share))
