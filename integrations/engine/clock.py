"""The database's clock, which all hosts share: a host whose own clock jumped claims nothing twice."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def db_now() -> datetime:
    """Now, as the database says; with SQLite that is this machine's clock."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    now: datetime = row[0]
    return now
