"""SQLite's one lock for all who write, and what a heartbeat does about it."""

import sqlite3

from django.db import connections


def wait_less(database: str, seconds: float) -> None:
    """Let this thread's connection wait for SQLite's lock no longer than that."""
    connection = connections[database]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def is_locked(error: BaseException) -> bool:
    """Return True if SQLite refused a statement because another process writes."""
    cause = error.__cause__
    return (
        isinstance(cause, sqlite3.OperationalError)
        and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )
