"""The test database as it was made, put back after each test that commits.

Django empties every table and has every app fill its own again (flows, roles, lookups): 2 to 8 seconds a test. A copy
of the whole, taken once, is back within milliseconds.
"""

import sqlite3
from typing import Any

from django.db import connection, transaction

from lookups.stamps import CATALOGUE, touch


class Copy:
    """What the database held when it was made."""

    def __init__(self) -> None:
        """Take the copy. Sequences go on counting, as they do with Django's own way."""
        self.sqlite = connection.vendor == "sqlite"
        self.pages = sqlite3.connect(":memory:", check_same_thread=False) if self.sqlite else None
        self.rows: dict[str, bytes] = {}
        self.tables: list[str] = []
        connection.ensure_connection()
        if self.pages is not None:
            connection.connection.backup(self.pages)
        else:
            self._read()

    def put_back(self) -> None:
        """Every table as it was."""
        connection.ensure_connection()
        if self.pages is not None:
            self.pages.backup(connection.connection)
        else:
            self._write()
        touch([CATALOGUE])  # what this process remembers of lookups may be what the test made of them

    def _read(self) -> None:
        with connection.cursor() as cursor:
            for table in self._filled(cursor):
                with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT BINARY)') as copied:
                    self.rows[table] = b"".join(bytes(part) for part in copied)

    def _write(self) -> None:
        """Foreign keys are checked at the end of the transaction, so no order is needed."""
        with transaction.atomic(), connection.cursor() as cursor:
            filled = self._filled(cursor)
            if filled:
                cursor.execute(";".join(f'DELETE FROM "{table}"' for table in filled))  # noqa: S608  (own names)
            for table, rows in self.rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT BINARY)') as copied:
                    copied.write(rows)

    def _filled(self, cursor: Any) -> list[str]:
        """Tables that have rows."""
        if not self.tables:
            cursor.execute(
                "SELECT tablename FROM pg_tables"
                " WHERE schemaname = current_schema() AND tablename <> 'django_migrations'"
            )
            self.tables = [name for (name,) in cursor.fetchall()]
        one = "(SELECT '{0}' FROM \"{0}\" LIMIT 1)"
        cursor.execute(" UNION ALL ".join(one.format(table) for table in self.tables))
        return [name for (name,) in cursor.fetchall()]
