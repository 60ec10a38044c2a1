"""Importing schedules from `beat_schedule` and from django-celery-beat.

SCHEDULE_IMPORTER = "backends.celery.importing.find"
"""

from datetime import UTC, datetime

from backends.celery.importing import beat_schedule, tables
from core.schedules import Foreign


def find(path: str = "") -> list[Foreign]:
    """Return what the tables have, if there are any, then what a path names.

    Raises `InvalidOption` for the path.
    """
    now = datetime.now(UTC)
    found = [one for name in tables.databases() for one in tables.read(name, now)]
    return [*found, *(beat_schedule.read(path, now) if path else ())]
