"""A trigger with what else a schedule may say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from core.errors import InvalidTrigger
from core.triggers.trigger import Trigger, aware

Missed = Literal["skip", "latest", "all"]
Overlap = Literal["allow", "skip", "queue", "cancel_other"]
#: Most missed slots that fire at once.
MOST_MISSED = 1000
#: The largest `pause_after`.
MOST_FAILURES = 100


@dataclass(frozen=True)
class Scheduled:
    """A trigger made by `scheduled`."""

    trigger: Trigger
    name: str = ""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    excluded: frozenset[date] = frozenset()
    max_fires: int | None = None
    missed: Missed = "latest"
    missed_max: int | None = None
    window: timedelta | None = None
    overlap: Overlap = "allow"
    jitter: timedelta = timedelta(0)
    pause_after: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.trigger, Trigger):
            problem = 'it is no trigger, as crontab("0 0 * * *")'
            raise InvalidTrigger(repr(self.trigger), problem)
        self._check_choice("missed", get_args(Missed))
        self._check_choice("overlap", get_args(Overlap))
        if (self.missed == "all") != (self.missed_max is not None):
            problem = "missed='all' goes with missed_max, how many at most"
            raise InvalidTrigger(self.missed, problem)
        self._check_count("missed_max", MOST_MISSED)
        self._check_count("max_fires", 10**9)
        self._check_count("pause_after", MOST_FAILURES)
        for name in ("start", "end"):
            if getattr(self, name) is not None:
                aware(name, getattr(self, name))
        for name in ("window", "jitter"):
            value = getattr(self, name)
            if value is not None and (
                not isinstance(value, timedelta) or value < timedelta(0)
            ):
                raise InvalidTrigger(repr(value), f"{name} must be a timedelta")

    def _check_choice(self, name: str, allowed: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in allowed:
            known = ", ".join(allowed)
            raise InvalidTrigger(str(value), f"{name} must be one of {known}")

    def _check_count(self, name: str, most: int) -> None:
        value = getattr(self, name)
        if value is not None and (type(value) is not int or not 1 <= value <= most):
            raise InvalidTrigger(repr(value), f"{name} must be from 1 to {most}")


def scheduled(
    trigger: Trigger,
    *,
    args: Iterable[Any] = (),
    excluded: Iterable[date] = (),
    **more: Any,
) -> Scheduled:
    """Return a trigger with what else a schedule may say.

    `args`, `kwargs` and `options` of the send; `name`; `start` and `end`, inclusive;
    `excluded` dates; `max_fires`; `missed="skip" | "latest" | "all"` with `missed_max`
    and `window`; `overlap="allow" | "skip" | "queue" | "cancel_other"`; `jitter`;
    `pause_after` so many failures in a row. See docs/reference/schedules.md.
    """
    return Scheduled(trigger, args=tuple(args), excluded=frozenset(excluded), **more)
