"""The options of actors and messages: the table, and what each value may be."""

from core.options.table import Options
from core.options.values import MAX_NAME, PERIODS, RATE, duration

__all__ = ["MAX_NAME", "PERIODS", "RATE", "Options", "duration"]
