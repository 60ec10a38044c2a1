"""When a schedule fires: values that compute their slots, in UTC, without any row."""

from core.triggers.cron import Crontab, crontab
from core.triggers.intervals import Every, every
from core.triggers.moments import At, at
from core.triggers.reading import read
from core.triggers.scheduled import Scheduled, scheduled
from core.triggers.sun import Solar, solar
from core.triggers.timetable import MOMENT, Timetable, jitter
from core.triggers.trigger import Trigger
from core.triggers.zones import transition, version, zone

__all__ = [
    "MOMENT",
    "At",
    "Crontab",
    "Every",
    "Scheduled",
    "Solar",
    "Timetable",
    "Trigger",
    "at",
    "crontab",
    "every",
    "jitter",
    "read",
    "scheduled",
    "solar",
    "transition",
    "version",
    "zone",
]
