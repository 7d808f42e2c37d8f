"""The machine the figures were seen on."""

import os
import platform
import shutil
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.rclone import rclone_binary

SYNCED_WRITE = "one 4 KiB write, synced"
PACKAGES = ("django", "granian", "django-q2", "paramiko", "requests", "jsonatapy", "psycopg")


def machine(folder: Path) -> dict[str, Any]:
    """Cores, load, memory, versions, and how fast the disk of this folder takes small synced writes."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_1min": round(os.getloadavg()[0], 2),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "cpu": _cpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "openssh": _openssh(),
        "rclone": _rclone(),
        "fsync_ms": round(fsync_ms(folder), 3),
    }


def fsync_ms(folder: Path, times: int = 100) -> float:
    """Milliseconds for 4 KiB more of a file in this folder to be on its disk, the mean of so many."""
    with tempfile.TemporaryFile(dir=folder) as file:
        began = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000 / times


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _openssh() -> str:
    program = shutil.which("ssh")
    if program is None:
        return ""
    return subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stderr.strip()


def _rclone() -> str:
    program = rclone_binary()
    if not program:
        return ""
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
    return said.partition("\n")[0]
