"""The database's clock: the only one that the rows know."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models.functions import Now

#: Each database's expression for the statement time, as in Django's `Now`.
NOW = {
    "postgresql": "STATEMENT_TIMESTAMP()",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
}


def now(database: str) -> datetime:
    """Return the database's time.

    For many rows at once: with values instead of expressions PostgreSQL takes whole
    columns, in a fifth of the time.
    """
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + NOW[connection.vendor], [])
        told: str | datetime = cursor.fetchone()[0]
    if isinstance(told, str):
        return datetime.fromisoformat(told).replace(tzinfo=UTC)
    return told.astimezone(UTC)


class _Clock(Now):
    """The moment itself: a statement that waited for a lock began before it."""

    def as_postgresql(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        kwargs["template"] = "CLOCK_TIMESTAMP()"
        return super().as_sql(compiler, connection, **kwargs)


def from_now(seconds: float) -> Any:
    """Return an expression for `seconds` after the moment of writing.

    Only for what is written: no index helps to find what it is compared with.
    """
    return _Clock() + timedelta(seconds=seconds)
