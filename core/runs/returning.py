"""Rows that a statement of our own returns, as runs.

Django's `raw` finds out anew for each statement which columns there are.
"""

from functools import cache
from typing import Any

from django.db import connections

from core.models import Run

_FIELDS = list(Run._meta.concrete_fields)
_NAMES = [field.attname for field in _FIELDS]
#: The columns for RETURNING.
COLUMNS = ", ".join(str(field.column) for field in _FIELDS)


@cache
def _converters(database: str) -> list[tuple[int, list[Any], Any]]:
    """Return the index, the converters and the expression of what needs some."""
    compiler = Run.objects.using(database).query.get_compiler(using=database)
    columns = [field.get_col(Run._meta.db_table) for field in _FIELDS]
    found = compiler.get_converters(columns)
    return [(index, *converters) for index, converters in found.items()]


def first(database: str, sql: str, params: list[Any]) -> Run | None:
    """Carry out a statement that returns `COLUMNS`; return its first row."""
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for index, converters, expression in _converters(database):
        for converter in converters:
            values[index] = converter(values[index], expression, connection)
    return Run.from_db(database, _NAMES, values)
