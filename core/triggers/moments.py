"""One moment: a schedule that fires once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from core.errors import InvalidTrigger
from core.triggers.trigger import Trigger, aware, call
from core.triggers.zones import first_shown


@dataclass(frozen=True, slots=True)
class At(Trigger):
    """A trigger made by `at`; `when` is what the clocks of `tz` show."""

    when: datetime
    tz: str = "UTC"
    deadline: datetime | None = None

    kind: ClassVar[str] = "at"

    def __post_init__(self) -> None:
        if self.deadline is not None and self.deadline < self.slot:
            problem = "the deadline is before the moment itself"
            raise InvalidTrigger(str(self.deadline), problem)

    @property
    def slot(self) -> datetime:
        """The moment, in UTC."""
        return first_shown(self.when, self.zone)[0]

    def next(self, after: datetime, seed: str = "") -> datetime | None:
        """See `Trigger.next`."""
        return self.slot if self.slot > after else None

    def __str__(self) -> str:
        when = self.when.replace(tzinfo=self.zone)
        given: dict[str, Any] = {"deadline": self.deadline} if self.deadline else {}
        return call(self.kind, given, when)

    def words(self, seed: str = "") -> str:
        """See `Trigger.words`."""
        until = (
            f", not after {self.deadline:%Y-%m-%d %H:%M} UTC" if self.deadline else ""
        )
        return f"Once, {self.when:%Y-%m-%d %H:%M}, {self.tz}{until}"


def at(when: datetime, *, deadline: datetime | timedelta | None = None) -> At:
    """Return one moment. However late, it is not dropped, unless after a deadline.

    `when` has a time zone; with a ZoneInfo it is what the clocks there show, also if
    the zone's rules change until then. `deadline` is a moment, or a while after it.
    """
    moment = aware("the moment", when)
    if isinstance(deadline, timedelta):
        deadline = moment + deadline
    elif deadline is not None:
        deadline = aware("the deadline", deadline)
    if isinstance(when.tzinfo, ZoneInfo) and when.tzinfo.key and not when.fold:
        return At(when.replace(tzinfo=None), when.tzinfo.key, deadline)
    return At(moment.replace(tzinfo=None), "UTC", deadline)
