"""SQLite's one lock for all who write: how long a thread waits for it, and how."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections

#: Seconds between two tries of a sender.
AGAIN = 0.001


def wait_less(database: str, seconds: float) -> None:
    """Let this thread's connection wait for SQLite's lock no longer than that."""
    connection = connections[database]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


@contextmanager
def keep_asking(database: str) -> Iterator[None]:
    """Try SQLite's lock every millisecond, for what this thread is about to write.

    SQLite has no queue for its lock. Whoever waits tries less and less often, in the
    end ten times a second, and is overtaken by all who come later: beside busy workers
    a send took seconds. The connection's own timeout still holds.
    """
    connection = connections[database]
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.execute_wrapper(_keep_asking):
            yield
    else:
        yield


def _keep_asking(
    execute: Callable[..., Any],
    sql: str,
    params: Any,
    many: bool,
    context: dict[str, Any],
) -> Any:
    raw = context["connection"].connection
    if raw.in_transaction:
        return execute(sql, params, many, context)
    [timeout] = raw.execute("PRAGMA busy_timeout").fetchone()
    end = time.monotonic() + timeout / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                return execute(sql, params, many, context)
            except OperationalError as error:
                if not is_locked(error) or time.monotonic() > end:
                    raise
            time.sleep(AGAIN)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {timeout}")


def is_locked(error: BaseException) -> bool:
    """Return True if SQLite refused a statement because another process writes."""
    cause = error.__cause__
    return (
        isinstance(cause, sqlite3.OperationalError)
        and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )
