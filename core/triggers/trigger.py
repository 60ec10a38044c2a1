"""The base of all triggers: a frozen value that knows its slots."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from core.errors import InvalidTrigger
from core.triggers.zones import zone


class Trigger(ABC):
    """When a schedule fires; a frozen dataclass, compared by value."""

    #: The name of its function in Python code.
    kind: ClassVar[str]
    tz: str

    @abstractmethod
    def next(self, after: datetime, seed: str = "") -> datetime | None:
        """Return the first slot after an instant, in UTC; None: there is none.

        `seed` is the schedule's name: what is hashed differs from name to name.
        """

    def slots(self, after: datetime, seed: str = "") -> Iterator[datetime]:
        """Return the slots after an instant one by one, each when it is asked for."""
        slot = self.next(after, seed)
        while slot is not None:
            yield slot
            slot = self.next(slot, seed)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its dates and times."""
        return zone(self.tz)

    def asdict(self) -> dict[str, Any]:
        """Return it as JSON values; `read` returns the trigger."""
        return {"kind": self.kind, **self._given()}

    def _given(self) -> dict[str, Any]:
        """Return what differs from the defaults, as JSON values."""
        given = {}
        for f in fields(self):  # type: ignore[arg-type]  # each kind is a dataclass
            value = getattr(self, f.name)
            if f.default is MISSING or value != f.default:
                given[f.name] = plain(value)
        return given

    def __str__(self) -> str:
        return call(self.kind, self._given())

    @abstractmethod
    def words(self, seed: str = "") -> str:
        """Return it in English, for who does not read cron."""


def call(name: str, given: dict[str, Any], *positional: Any) -> str:
    """Return a call as it is written in code."""
    written = [_literal(value) for value in positional]
    written += [f"{key}={_literal(value)}" for key, value in given.items()]
    return f"{name}({', '.join(written)})"


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)


def plain(value: Any) -> Any:
    """Return a field of a trigger as a JSON value."""
    return value.isoformat() if isinstance(value, datetime) else value


def aware(name: str, value: Any) -> datetime:
    """Return a datetime with a zone; refuse anything else."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        problem = f"{name} must be a datetime with a time zone"
        raise InvalidTrigger(str(value), problem)
    return value.astimezone(UTC)
