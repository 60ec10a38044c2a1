"""How long what has ended is kept: the one table of BROKERS[alias]["RETENTION"]."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Self

from core.errors import BrokerConfigError, UnknownOption

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Keep:
    """The age and the number up to which rows are kept; None: no bound."""

    age: float | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows over this age or count are deleted, the oldest first."""

    succeeded: Keep = Keep(7 * DAY, 1_000_000)
    dead: Keep = Keep(90 * DAY)
    cancelled: Keep = Keep(30 * DAY)
    parked: Keep = Keep(30 * DAY, 10_000)  # what arrived and was not understood
    effects: Keep = Keep(90 * DAY)  # that are not unknown
    fires: Keep = Keep(90 * DAY, 1_000_000)  # that do not wait
    audit: Keep = Keep(365 * DAY)  # what operators have done
    alerts: Keep = Keep(30 * DAY, 100_000)  # what was told of them
    rollups: Keep = Keep(30 * DAY)  # what the statistics are made of

    @classmethod
    def read(cls, alias: str, given: Mapping[str, Mapping[str, Any]]) -> Self:
        """Check a RETENTION setting; raise `BrokerConfigError` naming what is wrong."""
        kinds = tuple(f.name for f in fields(cls))
        kept = {}
        for kind, bounds in given.items():
            if kind not in kinds:
                raise BrokerConfigError(
                    alias, "RETENTION", str(UnknownOption(kind, kinds))
                )
            kept[kind] = _keep(alias, kind, bounds)
        return cls(**kept)


def _keep(alias: str, kind: str, bounds: Mapping[str, Any]) -> Keep:
    names = tuple(f.name for f in fields(Keep))
    if not isinstance(bounds, Mapping):
        problem = f"{kind} is {bounds!r}; it must be like {{'age': timedelta(days=7)}}"
        raise BrokerConfigError(alias, "RETENTION", problem)
    for name in bounds:
        if name not in names:
            problem = f"{kind}: {UnknownOption(name, names)}"
            raise BrokerConfigError(alias, "RETENTION", problem)
    age, count = bounds.get("age"), bounds.get("count")
    seconds = age.total_seconds() if isinstance(age, timedelta) else age
    if not _is_bound(seconds, int | float):
        problem = f"{kind}: age is {age!r}; it must be a timedelta, seconds, or None"
        raise BrokerConfigError(alias, "RETENTION", problem)
    if not _is_bound(count, int):
        problem = f"{kind}: count is {count!r}; it must be a number of rows, or None"
        raise BrokerConfigError(alias, "RETENTION", problem)
    return Keep(seconds, count)


def _is_bound(value: Any, kind: Any) -> bool:
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    return value is None or (is_number and value >= 0)
