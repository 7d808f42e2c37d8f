"""One message writes at a time, where the database lets only one write anyway.

SQLite lets a writer that has to wait look again and again, later each time, and who looks at the right moment is first:
of eight callers some waited two seconds. A file lock makes them a queue, over all of a machine's processes.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

LOCK = "crm-write.lock"


@contextmanager
def one_writer() -> Iterator[None]:
    """Wait for one's turn to write; on PostgreSQL nobody waits."""
    if connection.vendor != "sqlite":
        yield
        return
    with (Path(settings.VAR_DIR) / LOCK).open("w") as file:  # closing lets the next one go, and so does dying
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
