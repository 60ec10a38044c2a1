"""Celery's `beat_schedule`, of an app or of settings."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from celery import Celery
from celery.schedules import BaseSchedule, maybe_schedule
from django.conf import settings
from django.utils.module_loading import import_string

from backends.celery.importing.entries import Entry
from backends.celery.importing.fires import twin
from backends.celery.importing.triggers import app_in
from core import InvalidOption
from core.schedules import Foreign

MEND = "a Celery app or its beat_schedule, as proj.celery:app"


def read(path: str, now: datetime) -> Iterator[Foreign]:
    """Return every entry of what a path names; raise `InvalidOption`."""
    given = _named(path)
    if isinstance(given, Celery):
        given.finalize()  # on_after_finalize may add some
        app, entries = given, given.conf.beat_schedule
    else:
        # Where Celery is set up from Django's settings, by their usual name.
        app, entries = app_in(str(getattr(settings, "CELERY_TIMEZONE", "UTC"))), given
    for name, entry in entries.items():
        yield _foreign(str(name), entry, app, now)


def _named(path: str) -> Any:
    try:
        given = import_string(path.replace(":", "."))
    except ImportError as error:
        raise InvalidOption("--beat-schedule", path, f"{MEND} ({error})") from error
    if not isinstance(given, Celery | Mapping):
        kind = f"{MEND}; it is a {type(given).__name__}"
        raise InvalidOption("--beat-schedule", path, kind)
    return given


def _foreign(name: str, given: Any, app: Celery, now: datetime) -> Foreign:
    if not isinstance(given, Mapping) or not {"task", "schedule"} <= given.keys():
        task = given.get("task", "?") if isinstance(given, Mapping) else "?"
        return Foreign(name, str(task), problem="It must have 'task' and 'schedule'.")
    entry = Entry(
        name,
        str(given["task"]),
        given.get("args") or (),
        given.get("kwargs") or {},
        given.get("options") or {},
    )
    kept = given["schedule"]
    if isinstance(kept, BaseSchedule):
        kept = twin(kept)  # it is told its app below
    told = maybe_schedule(kept, bool(given.get("relative")), app=app)
    if not isinstance(told, BaseSchedule):
        return entry.refused(f"{told!r} is no schedule of Celery.")
    return entry.of(told, now)
