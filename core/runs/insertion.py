"""The INSERT of new runs; of one, with the columns that say something.

Django's names every column: with forty of them, most of them empty, it took longer to
write that statement than PostgreSQL took to carry it out.
"""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connections, transaction
from django.db.models.sql import InsertQuery

from core.errors import SentTwice
from core.models import Run

#: The value of a column that is left out: NULL or its database default.
_EMPTY: dict[str, Any] = {
    field.attname: field.db_default if field.has_db_default() else None
    for field in Run._meta.concrete_fields
    if field.has_db_default() or field.null
}
_FIELDS = [(field, field.attname) for field in Run._meta.concrete_fields]


def insert(database: str, rows: Sequence[Run]) -> None:
    """Write new runs, in the caller's transaction.

    Raises `SentTwice`: one is there already.
    """
    try:
        if len(rows) == 1:
            write(database, rows[0])
        else:
            Run.objects.using(database).bulk_create(rows, batch_size=1000)
    except IntegrityError as error:
        first = f"{rows[0].actor_name} {rows[0].pk}"
        what = first if len(rows) == 1 else f"One of {len(rows)} messages"
        raise SentTwice(what) from error


def write(database: str, row: Run) -> None:
    """Write one new run. Raises `IntegrityError`: it is there already."""
    connection = connections[database]
    quote = connection.ops.quote_name
    columns, placeholders, params = _values(database, row)
    sql = (
        f"INSERT INTO {quote(Run._meta.db_table)}"  # noqa: S608  # names of ours alone
        f" ({', '.join(map(quote, columns))}) VALUES ({', '.join(placeholders)})"
    )
    # As `save` does: a transaction that has failed is not gone on with.
    with (
        transaction.mark_for_rollback_on_error(using=database),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, params)
    row._state.adding, row._state.db = False, database


def _values(database: str, row: Run) -> tuple[list[str], list[str], list[Any]]:
    """Return the columns, their placeholders and the parameters of these."""
    connection, query = connections[database], InsertQuery(Run)
    compiler = query.get_compiler(connection=connection)
    columns: list[str] = []
    placeholders: list[str] = []
    params: list[Any] = []
    for field, name in _FIELDS:
        value = getattr(row, name)
        if hasattr(value, "resolve_expression"):
            resolved = value.resolve_expression(query, allow_joins=False, for_save=True)
            placeholder, given = compiler.compile(resolved)
        elif name in _EMPTY and value == _EMPTY[name]:
            continue
        else:
            placeholder, given = "%s", [field.get_db_prep_save(value, connection)]
        columns.append(name)
        placeholders.append(placeholder)
        params += given
    return columns, placeholders, params
