"""Many rows at once, past the ORM: COPY on PostgreSQL, the driver's executemany on SQLite.

Measured for a ticket with its contacts: bulk_create makes an expression of every value and takes five to ten times as
long. What it leaves out: signals, automatic keys of the new rows, defaults; every column has to be given. Keys are
32 hexadecimal digits here, which both databases take: making UUIDs of thousands of them takes longer than using them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models

Row = tuple[Any, ...]


def mrid_of(key: str) -> str:
    """The mRID that a key goes by outside."""
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def key_of(value: Any) -> str:
    """A key as a raw query gives it."""
    return value.hex if isinstance(value, UUID) else value


def put_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert the rows; `columns`: the model's fields. Keys, date-times, texts, numbers; JSON as text."""
    if not rows:
        return
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), column_names(model, columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  (names of our own models)
        cursor.executemany(sql, adapted(rows))


def set_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Change rows; each has the columns' new values and, last, its key. As `put_rows` otherwise.

    bulk_update writes one statement with a CASE of all keys for each column: eight times as long for a thousand rows.
    """
    if not rows:
        return
    quote = connection.ops.quote_name
    key = str(model._meta.pk.column)  # every model has one
    values = ", ".join(f"{name} = %s" for name in column_names(model, columns).split(", "))
    sql = f"UPDATE {quote(model._meta.db_table)} SET {values} WHERE {quote(key)} = %s"  # noqa: S608  (as above)
    with connection.cursor() as cursor:
        cursor.executemany(sql, adapted(rows))


def column_names(model: type[models.Model], fields: Sequence[str]) -> str:
    """The quoted columns of these fields, for SQL."""
    columns = (str(model._meta.get_field(name).column) for name in fields)  # type: ignore[union-attr]
    return ", ".join(connection.ops.quote_name(column) for column in columns)


def adapted(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows as the database's driver takes them: SQLite keeps date-times as texts."""
    if connection.vendor == "postgresql":
        return rows
    moments: dict[Any, Any] = {None: None}
    columns = [
        [_as_text(value, moments) for value in column] if _has_moments(column) else column
        for column in zip(*rows, strict=True)
    ]
    return list(zip(*columns, strict=True))


def _has_moments(column: Iterable[Any]) -> bool:
    return next((value for value in column if value is not None), None).__class__ is datetime


def _as_text(value: Any, moments: dict[Any, Any]) -> Any:
    found = moments.get(value)
    if found is None and value is not None:
        found = moments[value] = connection.ops.adapt_datetimefield_value(value)
    return found


def json_text(value: Any) -> str:
    """JSON as both databases take it."""
    return orjson.dumps(value).decode() if value else "[]"


def among(column: str, values: Sequence[str], *, keys: bool = False) -> tuple[str, Any]:
    """A condition that the column is one of the values, and its one parameter, however many there are.

    `keys`: the column holds keys.
    """
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s{'::uuid[]' if keys else ''})", list(values)
    condition = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608  (a column of ours)
    return condition, orjson.dumps(list(values)).decode()


def fetch(sql: str, parameters: Sequence[Any]) -> list[Row]:
    """What a query of ours finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[Row] = cursor.fetchall()
    return found
