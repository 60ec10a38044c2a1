"""Checks of option values: each returns the value normalised, or refuses it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from typing import Any

from core.errors import InvalidOption
from core.triggers import Scheduled, Trigger

#: The valid names of a queue. Source: Dramatiq 2.2, `dramatiq.common`.
QUEUE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*")
#: Suffixes that Dramatiq uses for other keys of a queue.
RESERVED = (".msgs", ".DQ", ".XQ")
#: The longest duration, in ms: ten years. Beyond, a date may not fit the database.
LONGEST = 10 * 365 * 24 * 3600 * 1000
#: The latest instant, in ms since 1970, that Python can read back from a database.
LATEST = round(datetime(9900, 1, 1, tzinfo=UTC).timestamp() * 1000)
#: Longest queue and actor name, and longest key, in characters: the columns' widths.
MAX_NAME = 200
#: The largest value of an integer column.
LARGEST = 2**31 - 1
#: The longest header, in characters. Source: W3C Trace Context, tracestate.
LONGEST_HEADER = 512
#: A rate: a number for each second, minute, hour or day.
RATE = re.compile(r"([1-9][0-9]{0,5})/(s|m|h|d)")
#: The length of a rate's period, in seconds.
PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


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


def instant(name: str, value: Any) -> int:
    """Return an aware datetime, or an int, as milliseconds since 1970 in UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidOption(name, value, "an aware datetime (it has no time zone)")
        value = round(value.astimezone(UTC).timestamp() * 1000)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= LATEST:
        raise InvalidOption(name, value, "an aware datetime, or ms, from 1970 to 9900")
    return int(value)


def queue_name(name: str, value: Any) -> str:
    fits = isinstance(value, str) and QUEUE_NAME.fullmatch(value)
    if not fits or len(value) > MAX_NAME:
        raise InvalidOption(
            name, value, f"at most {MAX_NAME} of {QUEUE_NAME.pattern} (letters first)"
        )
    if value.endswith(RESERVED):
        raise InvalidOption(
            name, value, f"without {', '.join(RESERVED)} at its end: engines use them"
        )
    return str(value)


def optional_queue(name: str, value: Any) -> str | None:
    return None if value is None else queue_name(name, value)


def priority(name: str, value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not -100 <= value <= 100:
        raise InvalidOption(name, value, "an int from -100 (urgent) to 100")
    return int(value)


def retries(name: str, value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise InvalidOption(name, value, "an int of at least 0, or None for ever")
    return None if value is None else int(value)


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidOption(name, value, "True or False")
    return value


def alias(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidOption(name, value, "the name of an alias in BROKERS")
    return value


def exceptions(name: str, value: Any) -> tuple[type[BaseException], ...]:
    if value is None:
        return ()
    kinds = value if isinstance(value, tuple | list) else (value,)
    if not all(isinstance(k, type) and issubclass(k, BaseException) for k in kinds):
        raise InvalidOption(name, value, "an exception class or a tuple of them")
    return tuple(kinds)


def predicate(name: str, value: Any) -> Callable[[int, BaseException], bool] | None:
    # A coroutine would be true whatever it would have returned.
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise InvalidOption(name, value, "a callable f(retries, exception) -> bool")
    return value  # type: ignore[no-any-return]  # callable() does not narrow to a signature


def limit(name: str, value: Any) -> int | None:
    """Return a time limit in ms; None and infinity mean that there is none."""
    return None if value is None or value == float("inf") else duration(name, value)


def age(name: str, value: Any) -> int | None:
    return None if value is None else duration(name, value)


def actor_name(name: str, value: Any) -> str | None:
    """Return the name of an actor, which may be given itself."""
    value = getattr(value, "actor_name", value)
    if value is not None and not (isinstance(value, str) and value):
        raise InvalidOption(name, value, "an actor or the name of one")
    return value


def key(name: str, value: Any) -> Callable[..., str] | str | None:
    if iscoroutinefunction(value):
        raise InvalidOption(name, value, "a plain function, without async")
    if value is None or callable(value):
        return value  # type: ignore[no-any-return]  # as above
    return text(name, value)


def text(name: str, value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= MAX_NAME and is_writable(value)
    if value is not None and not fits:
        raise InvalidOption(
            name, value, f"a string of 1 to {MAX_NAME} characters, in UTF-8 and not NUL"
        )
    return None if value is None else str(value)


def is_writable(value: str) -> bool:
    """Return True if every database can hold a text: no NUL, no lone surrogate."""
    return "\0" not in value and value.encode(errors="replace").decode() == value


def until(name: str, value: Any) -> str:
    if value not in ("start", "end"):
        raise InvalidOption(name, value, "'start' or 'end'")
    return str(value)


def count(name: str, value: Any) -> int | None:
    if value is not None and not (type(value) is int and 1 <= value <= LARGEST):
        raise InvalidOption(name, value, f"an int from 1 to {LARGEST}, or None")
    return None if value is None else int(value)


def rate(name: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and RATE.fullmatch(value)):
        raise InvalidOption(name, value, "as '10/s', '100/m', '5/h' or '1/d', or None")
    return None if value is None else str(value)


def interval(rate: str | None) -> float | None:
    """Return the seconds between two starts that a rate like "100/m" allows."""
    if rate is None:
        return None
    number, _, period = rate.partition("/")
    return PERIODS[period] / int(number)


def patterns(name: str, value: Any) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else value
    fits = isinstance(given, tuple | list) and all(
        isinstance(pattern, str) and pattern for pattern in given
    )
    if not fits:
        raise InvalidOption(name, value, "a topic as 'order.*', or a tuple of them")
    return tuple(given)


def schedules(name: str, value: Any) -> tuple[Scheduled, ...]:
    """Return one trigger or several, each with what else is said of it."""
    given = value if isinstance(value, list | tuple) else (value,)
    found = []
    for one in given:
        if not isinstance(one, Trigger | Scheduled):
            expected = 'a trigger, as crontab("0 0 * * *"), or a tuple of them'
            raise InvalidOption(name, value, expected)
        found.append(Scheduled(one) if isinstance(one, Trigger) else one)
    return tuple(found)


def headers(name: str, value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    fits = isinstance(value, Mapping) and all(
        isinstance(part, str) and part.isprintable() and len(part) <= LONGEST_HEADER
        for line in value.items()
        for part in line
    )
    if not fits:
        short = f"strings of at most {LONGEST_HEADER} characters"
        raise InvalidOption(name, value, f"a mapping of {short}, or None")
    return dict(value)
