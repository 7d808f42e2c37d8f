"""One `make run` at a time on one var/: a lock that children hold too, so that what outlived a run is noticed."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class AlreadyRunsError(Exception):
    """Another run holds the lock; the text says which processes and what to do."""


class RunLock:
    """A locked file with the supervisor's and its children's process ids. Pass `descriptor` on to children."""

    def __init__(self, path: Path) -> None:
        """`path` is made when the lock is taken."""
        self.path = path
        self._pids: dict[str, int] = {}
        self.descriptor = -1

    def __enter__(self) -> Self:
        """AlreadyRunsError where it is held."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = self._who()
            os.close(self.descriptor)
            raise AlreadyRunsError(text) from None
        self.note("make run", os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)

    def note(self, name: str, pid: int) -> None:
        """Keep which process does what, for whoever finds the lock held."""
        self._pids[name] = pid
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(self._pids).encode(), 0)

    def _who(self) -> str:
        alive = {name: pid for name, pid in self._read().items() if Path(f"/proc/{pid}").exists()}
        named = ", ".join(f"{name} (process {pid})" for name, pid in alive.items()) or "a process of it"
        if "make run" in alive:
            return (
                f"A previous run still runs here: {named}. Stop it with Ctrl-C, or: kill {alive['make run']}"
            )
        stop = " ".join(map(str, alive.values())) or "<its process id>"
        return f"A previous run was killed and left {named}. Stop it first: kill {stop}"

    def _read(self) -> dict[str, int]:
        try:
            found: dict[str, int] = json.loads(os.pread(self.descriptor, 65536, 0))
        except ValueError:
            return {}
        return found
