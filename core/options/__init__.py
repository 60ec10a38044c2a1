"""The options of actors and messages: the table, and what each value may be."""

from core.options.table import NAMES, Options
from core.options.values import (
    MAX_NAME,
    RATE,
    duration,
    interval,
    is_writable,
    queue_name,
    text,
)

__all__ = [
    "MAX_NAME",
    "NAMES",
    "RATE",
    "Options",
    "duration",
    "interval",
    "is_writable",
    "queue_name",
    "text",
]
