"""The tables of django-celery-beat 2.8.1, as its migrations make them, with rows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection

#: Table -> columns, in the sequence in which they are made; {id} and {time} are the
#: database's own types.
TABLES = {
    "crontabschedule": (
        "id {id}, minute varchar(240) NOT NULL, hour varchar(96) NOT NULL,"
        " day_of_week varchar(64) NOT NULL, day_of_month varchar(124) NOT NULL,"
        " month_of_year varchar(64) NOT NULL, timezone varchar(63) NOT NULL"
    ),
    "intervalschedule": (
        "id {id}, every integer NOT NULL, period varchar(24) NOT NULL"
    ),
    "solarschedule": (
        "id {id}, event varchar(24) NOT NULL, latitude numeric(9, 6) NOT NULL,"
        " longitude numeric(9, 6) NOT NULL"
    ),
    "clockedschedule": "id {id}, clocked_time {time} NOT NULL",
    "periodictask": (
        "id {id}, name varchar(200) NOT NULL UNIQUE, task varchar(200) NOT NULL,"
        " args text NOT NULL, kwargs text NOT NULL, queue varchar(200) NULL,"
        " exchange varchar(200) NULL, routing_key varchar(200) NULL,"
        " expires {time} NULL, enabled bool NOT NULL, last_run_at {time} NULL,"
        " total_run_count integer NOT NULL, date_changed {time} NOT NULL,"
        " description text NOT NULL, crontab_id integer NULL, interval_id integer NULL,"
        " solar_id integer NULL, one_off bool NOT NULL, start_time {time} NULL,"
        " priority integer NULL, headers text NOT NULL, clocked_id integer NULL,"
        " expire_seconds integer NULL"
    ),
}
TYPES = {
    "sqlite": {"id": "integer PRIMARY KEY AUTOINCREMENT", "time": "datetime"},
    "postgresql": {"id": "serial PRIMARY KEY", "time": "timestamp with time zone"},
}
RULES = {
    "crontab": {
        **{"minute": "0", "hour": "0", "day_of_week": "*", "day_of_month": "*"},
        **{"month_of_year": "*", "timezone": "UTC"},
    },
    "interval": {"every": 1, "period": "hours"},
    "solar": {"event": "sunset", "latitude": "52.520000", "longitude": "13.400000"},
    "clocked": {"clocked_time": datetime(2100, 1, 1, tzinfo=UTC)},
}


@contextmanager
def tables() -> Iterator[None]:
    """Have the tables, empty, while the block runs."""
    with connection.cursor() as cursor:
        for name, columns in TABLES.items():
            columns = columns.format(**TYPES[connection.vendor])
            cursor.execute(f"CREATE TABLE django_celery_beat_{name} ({columns})")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for name in TABLES:
                cursor.execute(f"DROP TABLE django_celery_beat_{name}")


def add(name: str, task: str, kind: str, rule: Any = (), **more: Any) -> None:
    """Add a periodic task with a schedule of its own, as the package's admin would."""
    key = _insert(f"{kind}schedule", {**RULES[kind], **dict(rule)})
    row = {
        **{"name": name, "task": task, "args": "[]", "kwargs": "{}", "enabled": True},
        **{"total_run_count": 0, "date_changed": datetime(2026, 1, 1, tzinfo=UTC)},
        **{"description": "", "one_off": False, "headers": "{}", f"{kind}_id": key},
        **more,
    }
    for field in ("args", "kwargs", "headers"):
        if not isinstance(row[field], str):
            row[field] = json.dumps(row[field])
    _insert("periodictask", row)


def _insert(table: str, values: dict[str, Any]) -> int:
    marks = ", ".join(["%s"] * len(values))
    adapt = connection.ops.adapt_datetimefield_value
    given = [adapt(v) if isinstance(v, datetime) else v for v in values.values()]
    sql = f"INSERT INTO django_celery_beat_{table} ({', '.join(values)})"
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} VALUES ({marks}) RETURNING id", given)
        return int(cursor.fetchone()[0])
