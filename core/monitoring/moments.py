"""A moment as the rows hold it, so that a row can be found again by its own time."""

from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import CharField, Value


def written(database: str, moment: datetime) -> tuple[Any, Any]:
    """Return the first and the last way in which a column may hold a moment.

    SQLite keeps text, with three digits of a second where its own clock wrote it and
    with six, or none, where Python did; it compares texts. Elsewhere there is one way.
    """
    if connections[database].vendor != "sqlite":
        return moment, moment
    text = str(connections[database].ops.adapt_datetimefield_value(moment))
    second, _, digits = text.partition(".")
    shortest = f"{second}.{digits}".rstrip("0").rstrip(".") if digits else second
    longest = f"{second}.{digits or '000000'}"
    return Value(shortest, CharField()), Value(longest, CharField())
