"""Processes of a measurement: started with their own environment, ended with all they started, watched in /proc."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GRACE_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")
_OURS = (
    "DATABASE_URL",
    "Q_REDIS_URL",
    "HUB_",
    "DJANGO_",
    "EMAIL_",
    "PAYLOAD_",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
)


def hub_environment(var: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a hub's process: its folder and `more`; nothing of a hub this shell may be set up for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    own = {"HUB_VAR": str(var), "DJANGO_SETTINGS_MODULE": "hub.settings", "HUB_LOG_LEVEL": "WARNING"}
    return {**kept, **own, **more}


@contextmanager
def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The command in a process group of its own; the whole group is ended with the block. Output goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: "subprocess.Popen[Any]") -> None:
    """Ask it to end, then end what is left of its group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def python(*words: str) -> list[str]:
    """A command that runs this very Python."""
    return [sys.executable, *words]


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    """Until something listens; RuntimeError with the end of the log where the process ended or time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"Nothing listens on 127.0.0.1:{port}. The end of {log}:\n{log.read_text()[-2000:]}")


def family_of(pid: int) -> list[int]:
    """A process and all below it, the parents first."""
    found, todo = [pid], [pid]
    while todo:
        parent = todo.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                children = [int(word) for word in task.read_text().split()]
                found += children
                todo += children
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time these processes have used so far; those that ended count nothing."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def resident_mib(pid: int) -> float:
    """Memory a process has resident now, in MiB."""
    return _status(pid, "VmRSS")


def peak_mib(pid: int) -> float:
    """The most a process had resident since `forget_peak`, in MiB."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak begin anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/status has no {name}")
