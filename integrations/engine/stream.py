"""The activity stream of one instance: kept in memory for moments, written before each effect and at the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from integrations.engine.rows import insert_rows
from integrations.engine.tracing import keeps_payloads
from integrations.models import Activity, Instance, Payload
from integrations.storage import payload_put

Kind = Activity.Kind
Level = Activity.Level
AT_ONCE = 200  # lines kept back at most
LONGEST_WAIT = 1.0  # seconds a line is kept back at most


class Stream:
    """Writes the lines of one attempt. `say` queues a line; `flush` writes what is queued."""

    def __init__(self, instance: Instance, attempt: int) -> None:
        """`attempt`: the claim's fence, printed beside each line."""
        self.instance = instance
        self.attempt = attempt
        self._lines: list[Activity] = []
        self._writes: list[Callable[[], object]] = []
        self._since = time.monotonic()

    def say(self, kind: str, text: str, *, level: str = Level.INFO, **more: Any) -> Activity:
        """One line; `more` are fields of Activity, e.g. connection, duration_ms, bytes_in."""
        line = Activity(
            instance=self.instance,
            attempt=self.attempt,
            kind=kind,
            level=level,
            text=text,
            **{"at": timezone.now(), **more},
        )
        self._lines.append(line)
        if len(self._lines) >= AT_ONCE or time.monotonic() - self._since > LONGEST_WAIT:
            self.flush()
        return line

    def warn(self, text: str) -> None:
        """Something an operator should see that stops nothing."""
        self.say(Kind.NOTED, text, level=Level.WARNING)

    def flush(self) -> None:
        """Write what is queued, in order."""
        lines, self._lines, self._since = self._lines, [], time.monotonic()
        writes, self._writes = self._writes, []
        if not writes:
            insert_rows(lines)
            return
        with transaction.atomic(savepoint=False):
            for write in writes:
                write()
            insert_rows(lines)

    def also(self, write: Callable[[], object]) -> None:
        """Have this written with the next lines, in their transaction: before the next effect, or with the outcome."""
        self._writes.append(write)

    def adopt(self, other: "Stream") -> None:
        """Take over another stream's queued lines: they are written with these."""
        self._lines += other._lines
        other._lines = []

    @contextmanager
    def timed(self, kind: str, text: str, **more: Any) -> Iterator[Activity]:
        """A line whose duration is that of the block; a fault in the block marks the line as an error."""
        line = Activity(
            instance=self.instance, attempt=self.attempt, kind=kind, text=text, at=timezone.now(), **more
        )
        started = time.perf_counter()
        try:
            yield line
        except Exception as error:
            line.level = Level.ERROR
            line.text = f"{line.text}: {error}"
            raise
        finally:
            line.duration_ms = (time.perf_counter() - started) * 1000
            self._lines.append(line)

    def kept(self, value: Any, *, debug: bool = False) -> Payload | None:
        """The value stored as JSON (bytes as they are) where the flow's tracing level keeps it, else None."""
        if value is None or not keeps_payloads(self.instance.flow, debug=debug):
            return None
        content = value if isinstance(value, bytes) else orjson.dumps(value)
        return payload_put(content, content_type="application/json")
