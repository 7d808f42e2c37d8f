"""The processes of one hub under test, found by the HUB_VAR in their environment, wherever they were forked."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
PROC = Path("/proc")


def processes_of(var: Path) -> list[int]:
    """Every living process that was started for this hub, in the order of their ids."""
    mark = f"HUB_VAR={var}".encode()
    return sorted(pid for pid in _pids() if pid != os.getpid() and mark in _words(pid, "environ"))


def command_of(pid: int) -> str:
    """Its command line, blank where it has ended."""
    return b" ".join(_words(pid, "cmdline")).decode("utf-8", "replace")


def state_of(pid: int) -> str:
    """R, S, D, T (stopped) or Z, as the kernel says; blank where it has ended."""
    return (_fields(pid) or [""])[0]


def group_of(pid: int) -> int:
    """Its process group; 0 where it has ended."""
    fields = _fields(pid)
    return int(fields[2]) if fields else 0


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to one process of ours; nothing where it has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], Found], seconds: float, what: str, every: float = 0.05) -> Found:
    """What `condition()` answers once it is true; AssertionError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds:g} s: {what}")
        time.sleep(every)
    return found


def _pids() -> list[int]:
    return [
        int(entry.name)
        for entry in PROC.iterdir()
        if entry.name.isdigit() and state_of(int(entry.name)) != "Z"
    ]


def _words(pid: int, name: str) -> list[bytes]:
    try:
        return (PROC / str(pid) / name).read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return []


def _fields(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
