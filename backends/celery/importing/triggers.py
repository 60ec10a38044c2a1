"""Celery's schedules as triggers: the same fields where they mean the same."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from celery.schedules import BaseSchedule, crontab, schedule, solar

from core import InvalidTrigger
from core.triggers import Crontab, Every, Solar, Trigger, zone
from core.triggers.grammar import Pattern, parse

#: In the order of an expression; Celery's order differs.
FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
DAY, WEEKDAY = 2, 4
FULL = tuple(
    frozenset(numbers)
    for numbers in (range(60), range(24), range(1, 32), range(1, 13), range(7))
)


def app_in(tz: str) -> Celery:
    """Return an app whose schedules go by the clocks of a zone."""
    app = Celery("switchyard-import", set_as_current=False, fixups=[])
    app.conf.timezone = tz
    return app


def trigger_of(given: BaseSchedule, since: datetime) -> Trigger:
    """Return what a schedule means here; an interval is counted from `since`.

    Raises `InvalidTrigger` for what cannot be said.
    """
    tz = _key(given.tz)
    if isinstance(given, crontab):
        expr = expression(given)
        day, weekday = expr.split()[DAY], expr.split()[WEEKDAY]
        return Crontab(expr, tz, "and" if day != "*" and weekday != "*" else None)
    if isinstance(given, solar):
        return Solar(given.event, float(given.lat), float(given.lon), tz)
    if type(given) is schedule:
        return _every(given, since, tz)
    raise InvalidTrigger(repr(given), f"{type(given).__name__} is no schedule we know")


def _key(tz: Any) -> str:
    """Return the name of a zone, of zoneinfo or of pytz."""
    key = getattr(tz, "key", None) or getattr(tz, "zone", None) or str(tz)
    return str(zone(key).key)


def _every(given: Any, since: datetime, tz: str) -> Every:
    """Return an interval: Celery's are elapsed time, unless `relative` rounds them."""
    seconds = given.run_every.total_seconds()
    if not given.relative:
        since = since.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        return Every(seconds, since)
    wall = since.astimezone(zone(tz)).replace(tzinfo=None, microsecond=0)
    if given.run_every >= timedelta(days=1):
        wall = wall.replace(hour=0, minute=0, second=0)
    elif given.run_every >= timedelta(hours=1):
        wall = wall.replace(minute=0, second=0)
    elif given.run_every >= timedelta(minutes=1):
        wall = wall.replace(second=0)
    return Every(seconds, wall, tz)


def expression(given: Any) -> str:
    """Return a crontab's expression: as it is written, where we read it as Celery does.

    Elsewhere the numbers that Celery has made of it.
    """
    written = [getattr(given, f"_orig_{name}") for name in FIELDS]
    numbers = [frozenset(getattr(given, name)) for name in FIELDS]
    return " ".join(
        _field(*one) for one in enumerate(zip(written, numbers, strict=True))
    )


def _field(index: int, field: tuple[Any, frozenset[int]]) -> str:
    written, numbers = field
    if numbers == FULL[index] and "/" not in str(written):
        return "*"
    text = str(written).replace(" ", "") if isinstance(written, int | str) else ""
    return text if _read(index, text) == numbers else _listed(numbers)


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))


def _read(index: int, text: str) -> frozenset[Any] | None:
    """Return the numbers that we read in a field; None: we refuse it."""
    fields = ["*"] * 5
    fields[index] = text
    try:
        pattern = parse(" ".join(fields))
    except InvalidTrigger:
        return None
    return _numbers(pattern)[index]


def _numbers(pattern: Pattern) -> tuple[frozenset[Any], ...]:
    days = pattern.days
    weekdays = {n for n, nth in days.weekdays or () if not nth}
    return (
        frozenset(pattern.minutes),
        frozenset(pattern.hours),
        FULL[DAY] if days.days is None else frozenset(days.days),
        frozenset(days.months),
        FULL[WEEKDAY] if days.weekdays is None else frozenset(weekdays),
    )
