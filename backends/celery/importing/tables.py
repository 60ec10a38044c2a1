"""django-celery-beat's tables, read by SQL: the package need not be there.

The columns are those of 2.0 to 2.8; what an older version has not got is as unset.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import ImproperlyConfigured
from celery.schedules import crontab, schedule, solar
from django.db import connections
from django.utils.timezone import get_default_timezone

from backends.celery.importing.entries import Entry
from backends.celery.importing.triggers import app_in
from core import at
from core.schedules import Foreign
from core.triggers import Solar

PREFIX = "django_celery_beat_"
TASKS = f"{PREFIX}periodictask"
KINDS = ("crontab", "interval", "solar", "clocked")
#: The columns with options of `apply_async`.
OPTIONS = ("queue", "exchange", "routing_key", "priority")
#: The comparison of a solar schedule without the library that Celery needs.
NO_SUN = "not compared: Celery needs the package ephem to say when it fires"

Row = Mapping[str, Any]


def databases() -> list[str]:
    """Return the databases that have the tables."""
    return [
        database
        for database in connections
        if TASKS in connections[database].introspection.table_names()
    ]


def read(database: str, now: datetime) -> Iterator[Foreign]:
    """Return every periodic task, also those that are not enabled."""
    kinds = {
        kind: {row["id"]: row for row in _rows(database, f"{PREFIX}{kind}schedule")}
        for kind in KINDS
    }
    for row in sorted(_rows(database, TASKS), key=lambda row: row["name"]):
        for kind in KINDS:
            if key := row.get(f"{kind}_id"):
                yield _foreign(row, kind, kinds[kind].get(key), now)
                break
        else:
            yield Foreign(row["name"], row["task"], problem="It has no schedule.")


def _rows(database: str, table: str) -> list[dict[str, Any]]:
    connection = connections[database]
    if table not in connection.introspection.table_names():
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  # a name of our own
        names = [column[0] for column in cursor.description]
        return [
            {n: _aware(v, database) for n, v in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        ]


def _aware(value: Any, database: str) -> Any:
    """Return a moment with its zone: that in which Django writes to this database."""
    if not isinstance(value, datetime) or value.tzinfo is not None:
        return value
    zone = connections[database].timezone or get_default_timezone()
    return value.replace(tzinfo=zone)


def _foreign(row: Row, kind: str, rule: Row | None, now: datetime) -> Foreign:
    try:
        entry = _entry(row)
        if rule is None:
            return entry.refused(f"Its row in {PREFIX}{kind}schedule is gone.")
        if entry.one_off and entry.enabled and row["total_run_count"]:
            return entry.refused("It was to run once, and has.")
        if kind == "clocked":
            return _clocked(entry, rule["clocked_time"], now)
        if kind == "solar":
            return _solar(entry, rule, now)
        return entry.of(_schedule(kind, rule), now)
    except (ValueError, TypeError, LookupError) as error:
        return Foreign(row["name"], row["task"], problem=f"It cannot be read: {error}")


def _clocked(entry: Entry, moment: datetime, now: datetime) -> Foreign:
    if moment <= now and not entry.enabled:
        return entry.refused(f"It was for {moment:%Y-%m-%d %H:%M} UTC, and is off.")
    return entry.at(at(moment), lambda since: iter([moment] if moment > since else []))


def _solar(entry: Entry, rule: Row, now: datetime) -> Foreign:
    position = float(rule["latitude"]), float(rule["longitude"])
    try:
        given = solar(rule["event"], *position, app=app_in("UTC"))
    except ImproperlyConfigured:
        return entry.at(Solar(rule["event"], *position), None, NO_SUN)
    return entry.of(given, now)


def _entry(row: Row) -> Entry:
    options = {name: row.get(name) for name in OPTIONS}
    options["expires"] = row.get("expire_seconds")
    options["headers"] = json.loads(row.get("headers") or "{}") or None
    return Entry(
        row["name"],
        row["task"],
        json.loads(row["args"] or "[]"),
        json.loads(row["kwargs"] or "{}"),
        options,
        enabled=bool(row["enabled"]),
        one_off=bool(row.get("one_off")),
        start=row.get("start_time"),
        end=row["expires"],
        last_run=row["last_run_at"],
    )


def _schedule(kind: str, rule: Row) -> Any:
    if kind == "interval":
        distance = timedelta(**{rule["period"]: rule["every"]})
        return schedule(distance, app=app_in("UTC"))
    return crontab(
        minute=rule["minute"],
        hour=rule["hour"],
        day_of_week=rule["day_of_week"],
        day_of_month=rule["day_of_month"],
        month_of_year=rule["month_of_year"],
        app=app_in(rule.get("timezone") or "UTC"),
    )
