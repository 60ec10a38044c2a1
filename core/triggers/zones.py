"""Time zones: from what the clocks show to instants, and back."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from tzdata import IANA_VERSION

from core.errors import InvalidTrigger

SECOND = timedelta(seconds=1)


def zone(key: str) -> ZoneInfo:
    """Return an IANA zone; raise `InvalidTrigger` if there is none of this name."""
    try:
        return ZoneInfo(key)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        problem = "it is no time zone of the IANA, as 'Europe/Berlin'"
        raise InvalidTrigger(str(key), problem) from None


@lru_cache
def version() -> str:
    """Return the version of the zone database in use, as "2025b"."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "Europe").is_dir():
            return _version_in(folder)
    return str(IANA_VERSION)


def _version_in(folder: Path) -> str:
    if (folder / "tzdata.zi").is_file():
        with (folder / "tzdata.zi").open(encoding="ascii") as file:
            return file.readline().removeprefix("# version").strip()
    if (folder / "+VERSION").is_file():
        return (folder / "+VERSION").read_text(encoding="ascii").strip()
    # Installed then, from whatever version: enough to notice a change.
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC).isoformat()[:19]


def shown(instant: datetime, tz: ZoneInfo) -> datetime:
    """Return what the clocks show at an instant, without a zone."""
    return instant.astimezone(tz).replace(tzinfo=None, fold=0)


def first_shown(wall: datetime, tz: ZoneInfo) -> tuple[datetime, bool]:
    """Return the first instant at which the clocks show `wall`, and True.

    What they never show, because they are set forward past it: the instant at which
    that happens, and False.
    """
    instant = wall.replace(tzinfo=tz).astimezone(UTC)
    if shown(instant, tz) == wall:
        return instant, True
    # By the offset after the gap it would be before the gap, and the other way round.
    return transition(again(wall, tz), instant, tz), False


def again(wall: datetime, tz: ZoneInfo) -> datetime:
    """Return the second instant at which the clocks show `wall`."""
    return wall.replace(tzinfo=tz, fold=1).astimezone(UTC)


def transition(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """Return the instant between two at which the clocks are set."""
    offset = before.astimezone(tz).utcoffset()
    while after - before > SECOND:
        middle = (before + (after - before) // 2).replace(microsecond=0)
        if middle.astimezone(tz).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def overlap(instant: datetime, tz: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return from what to what the clocks are set back, if they show it twice.

    None: what they show at this instant they show only once.
    """
    wall = shown(instant, tz)
    first, second = wall.replace(tzinfo=tz).astimezone(UTC), again(wall, tz)
    if first == second:
        return None
    moment = transition(first, second, tz)
    return shown(moment, tz), shown(moment, tz) + (second - first)
