"""A check that our tables are there, for commands."""

from collections.abc import Iterable

from django.core.management.base import CommandError
from django.db import Error, connections

from core.models import Run


def check_tables(databases: Iterable[str]) -> None:
    """Raise `CommandError` if our tables are missing; a database may be away."""
    for database in databases:
        try:
            there = connections[database].introspection.table_names()
        except Error:
            continue
        if Run._meta.db_table not in there:
            raise CommandError(
                f"Database {database!r} has no table {Run._meta.db_table}: run"
                f" manage.py migrate --database={database}."
            )
