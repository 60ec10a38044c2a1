"""The one table of options: name, type, default, unit and meaning, once each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import InvalidOption, UnknownOption

Check = Callable[[str, Any], Any]

#: What a queue may be called. Source: Dramatiq 2.2, `dramatiq.common`.
QUEUE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*")
#: The longest duration, in ms: ten years. Beyond, a date may not fit the database.
LONGEST = 10 * 365 * 24 * 3600 * 1000
#: The latest instant, in ms since 1970: databases hold what Python cannot read back.
LATEST = round(datetime(9900, 1, 1, tzinfo=UTC).timestamp() * 1000)
#: Longest queue and actor name, in characters: the columns' widths.
MAX_NAME = 200


def duration(name: str, value: Any) -> int:
    """Return a `timedelta`, or an int of milliseconds, as milliseconds."""
    if isinstance(value, timedelta):
        value = round(value.total_seconds() * 1000)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= LONGEST:
        raise InvalidOption(
            name, value, "a timedelta, or milliseconds, from 0 to ten years"
        )
    return int(value)


def _instant(name: str, value: Any) -> int:
    """Return an aware datetime, or an int, as milliseconds since 1970 in UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidOption(name, value, "an aware datetime (it has no time zone)")
        value = round(value.astimezone(UTC).timestamp() * 1000)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= LATEST:
        raise InvalidOption(name, value, "an aware datetime, or ms, from 1970 to 9900")
    return int(value)


def _queue_name(name: str, value: Any) -> str:
    fits = isinstance(value, str) and QUEUE_NAME.fullmatch(value)
    if not fits or len(value) > MAX_NAME:
        raise InvalidOption(
            name, value, f"at most {MAX_NAME} of {QUEUE_NAME.pattern} (letters first)"
        )
    return str(value)


def _priority(name: str, value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not -100 <= value <= 100:
        raise InvalidOption(name, value, "an int from -100 (urgent) to 100")
    return int(value)


def _retries(name: str, value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise InvalidOption(name, value, "an int of at least 0, or None for ever")
    return None if value is None else int(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidOption(name, value, "True or False")
    return value


def _alias(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidOption(name, value, "the name of an alias in BROKERS")
    return value


def _exceptions(name: str, value: Any) -> tuple[type[BaseException], ...]:
    kinds = value if isinstance(value, tuple | list) else (value,)
    if not all(isinstance(k, type) and issubclass(k, BaseException) for k in kinds):
        raise InvalidOption(name, value, "an exception class or a tuple of them")
    return tuple(kinds)


def _predicate(name: str, value: Any) -> Callable[[int, BaseException], bool] | None:
    if value is not None and not callable(value):
        raise InvalidOption(name, value, "a callable f(retries, exception) -> bool")
    return value  # type: ignore[no-any-return]  # callable() does not narrow to a signature


def option(default: Any, meaning: str, check: Check, where: str = "actor send") -> Any:
    """Declare an option. `where` says which of `actor` and `send` may give it."""
    return field(
        default=default, metadata={"meaning": meaning, "check": check, "where": where}
    )


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one message, resolved; durations are ints of milliseconds."""

    broker: str = option("default", "The alias in BROKERS that carries it.", _alias)
    queue_name: str = option("default", "A named line.", _queue_name)
    priority: int = option(0, "-100 to 100; smaller is more urgent.", _priority)
    max_retries: int | None = option(
        20, "Retries after the first run; None: for ever.", _retries
    )
    min_backoff: int = option(15_000, "Shortest wait before a retry, ms.", duration)
    max_backoff: int = option(604_800_000, "Longest wait before one, ms.", duration)
    retry_when: Callable[[int, BaseException], bool] | None = option(
        None, "f(retries, exception): replaces max_retries.", _predicate, "actor"
    )
    throws: tuple[type[BaseException], ...] = option(
        (), "Exceptions that fail at once, without a retry.", _exceptions, "actor"
    )
    atomic: bool = option(
        False, "Settle in the body's own transaction: exactly one effect.", _flag
    )
    delay: int = option(0, "Not before this long from now, ms.", duration, "send")
    eta: int | None = option(None, "Not before, ms since 1970.", _instant, "send")

    @classmethod
    def check(cls, where: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return `given` with every value checked and normalised.

        Raises:
            UnknownOption: nobody declared it for `where` ("actor" or "send").
            InvalidOption: its value is not of its kind.
        """
        known = {
            f.name: f.metadata for f in fields(cls) if where in f.metadata["where"]
        }
        for name in given:
            if name not in known:
                raise UnknownOption(name, tuple(known))
        return {
            name: known[name]["check"](name, value) for name, value in given.items()
        }

    @classmethod
    def resolve(cls, *layers: Mapping[str, Any]) -> "Options":
        """Merge checked options; later layers win: broker alias, actor, message."""
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update(layer)
        return cls(**merged)
