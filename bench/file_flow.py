"""The file flow, SFTP to SFTP through a worker process, against a plain loop of paramiko's and OpenSSH's client."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Fact, Figure, Progress, median, tell
from bench.hub import FILE_FLOW, IN_PROPERTY, OUT_PROPERTY, cluster, prepare, reaches, var_folder
from bench.machine import SYNCED_WRITE, fsync_ms
from bench.plain import by_openssh, by_paramiko
from bench.processes import cpu_seconds, forget_peak, peak_mib, resident_mib
from bench.servers import SFTP, FileServer, file_server
from bench.sql import counted

PART = "File flow, SFTP to SFTP"
ROUNDS = 3
SMALL_BYTES, MIB = 20_000, 2**20
PREFIX = "C1-DCTIL"
LINE = b"\tC1\tF1IL\t4000000001\tP\tAbelson, Ada\t(503) 555-0100\tada.abelson@example.org\tN\t\n"
LONGEST_RUN_SECONDS = 3600


@dataclass
class Places:
    """Source and target of a run, and the server both are behind."""

    server: FileServer
    source: Path
    target: Path

    @staticmethod
    @contextmanager
    def made(work: Path) -> Iterator["Places"]:
        """A server, two folders, and the hub set up for them."""
        files = work / "files"
        source, target = files / "ccs", files / "dacs"
        for folder in (source, target):
            folder.mkdir(parents=True)
        with file_server(work, files) as server:
            paths = {IN_PROPERTY: server.path_of(source), OUT_PROPERTY: server.path_of(target)}
            prepare(reaches("", "nobody", "nothing", server), paths)
            yield Places(server, source, target)

    def fill(self, count: int, size: int = SMALL_BYTES) -> None:
        """Both folders empty but for so many new files at the source, of an initial load's lines."""
        for folder in (self.source, self.target):
            shutil.rmtree(folder)
            folder.mkdir()
        stamp = time.time_ns()
        block = (LINE * (MIB // len(LINE) + 1))[:MIB]
        for number in range(count):
            with (self.source / f"{PREFIX}_{stamp}_{number:05}.csv").open("wb") as file:
                left = size - file.write(f"{stamp} {number}\n".encode())
                while left > 0:
                    left -= file.write(block[:left])

    def check(self, count: int) -> None:
        """RuntimeError unless the target has every file, the same to the byte."""
        sources = sorted(path for path in self.source.iterdir())
        targets = sorted(path for path in self.target.iterdir())
        if [_digest(path) for path in sources] != [_digest(path) for path in targets] or len(
            targets
        ) != count:
            raise RuntimeError(f"{len(targets)} files arrived of {count}, or not as they were")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(*, full: bool) -> None:
    """Many small files, then one large; each way in turn; then SQL a file, and memory."""
    with Places.made(var_folder()) as places:
        tell(Fact(PART, "File server", places.server.what))
        with cluster(1):
            worker = _warm_worker(places)
            idle = resident_mib(worker)
            _small(places, worker, 2000 if full else 200)
            _memory("small files", worker, idle)
            _large(places, worker, 1024 if full else 64)
            _memory("the large file", worker, idle)
        _statements(places)


def _memory(what: str, worker: int, idle: float) -> None:
    above = round(peak_mib(worker) - idle, 1)
    tell(Fact(PART, f"Worker's peak memory with {what}, above {idle:.0f} MiB idle", above, "MiB"))
    forget_peak(worker)


def _warm_worker(places: Places) -> int:
    """One file moved, so that all is loaded; the worker's process id."""
    places.fill(1)
    instance = _run_through_worker(places, 1)[1]
    worker = int(instance.holder.split(":")[1])
    forget_peak(worker)
    return worker


def _small(places: Places, worker: int, count: int) -> None:
    name = f"{count} files of {SMALL_BYTES // 1000} KB"
    times, spent = _rounds(places, worker, name, count, SMALL_BYTES)
    hub = count / times.pop("hub")
    for yardstick, seconds in times.items():
        tell(Figure(PART, name, hub, "files/s", count / seconds, yardstick, True, ROUNDS))
    synced = median(fsync_ms(var_folder()) for _ in range(ROUNDS))
    tell(Figure(PART, f"{name}, each", 1000 / hub, "ms", synced, SYNCED_WRITE, False, ROUNDS))
    tell(Fact(PART, "CPU of the worker", round(spent * 1000 / count, 1), "ms a small file"))


def _large(places: Places, worker: int, mib: int) -> None:
    name = f"one file of {mib} MiB"
    times, spent = _rounds(places, worker, name, 1, mib * MIB)
    hub = mib / times.pop("hub")
    for yardstick, seconds in times.items():
        tell(Figure(PART, name, hub, "MiB/s", mib / seconds, yardstick, True, ROUNDS))
    tell(Fact(PART, "CPU of the worker", round(spent * 1000 / mib, 1), "ms a MiB of the large file"))


def _rounds(places: Places, worker: int, name: str, count: int, size: int) -> tuple[dict[str, float], float]:
    """Seconds of the hub and of each yardstick, medians, each round all of them in turn; the worker's CPU seconds."""
    plain: dict[str, Callable[[], None]] = {"paramiko get/put": lambda: _plainly(places, by_paramiko)}
    if SFTP and places.server.private:
        plain["OpenSSH's sftp"] = lambda: _plainly(places, by_openssh)
    seen: dict[str, list[float]] = {way: [] for way in ("hub", *plain)}
    spent = []
    for number in range(ROUNDS):
        tell(Progress(name, number, ROUNDS))
        places.fill(count, size)
        before = cpu_seconds([worker])
        seen["hub"].append(_run_through_worker(places, count)[0])
        spent.append(cpu_seconds([worker]) - before)
        for way, move in plain.items():
            places.fill(count, size)
            began = time.perf_counter()
            move()
            seen[way].append(time.perf_counter() - began)
            places.check(count)
    return {way: median(values) for way, values in seen.items()}, median(spent)


def _plainly(places: Places, move: Callable[[FileServer, str, str, list[str], Path], None]) -> None:
    names = sorted(path.name for path in places.source.iterdir())
    with tempfile.TemporaryDirectory(dir=var_folder()) as scratch:
        path_of = places.server.path_of
        move(places.server, path_of(places.source), path_of(places.target), names, Path(scratch))


def _run_through_worker(places: Places, count: int) -> tuple[float, Any]:
    """Seconds from the worker's claim to the instance's end, and the instance; its files are checked."""
    instance = _start()
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    while not instance.ended and time.monotonic() < deadline:
        time.sleep(0.1)
        instance.refresh_from_db()
    if instance.status != "succeeded":
        raise RuntimeError(f"The run is {instance.status}: {instance.fault_text}")
    places.check(count)
    return (instance.ended_at - instance.started_at).total_seconds(), instance


def _start() -> Any:
    from integrations.models import Flow  # noqa: PLC0415  (models need Django set up)
    from integrations.services.flow_run import flow_run  # noqa: PLC0415  (as above)

    flow = Flow.objects.get(identifier=FILE_FLOW)
    return flow_run(flow=flow, parameters={"extractedFileNamePrefix": PREFIX}, actor="bench")


def in_this_process(places: Places) -> None:
    """One run in this process, as a worker would do it."""
    from integrations.engine.runner import work_on  # noqa: PLC0415  (models need Django set up)

    count = len(list(places.source.iterdir()))
    instance = _start()
    work_on(instance.pk)
    instance.refresh_from_db()
    if instance.status != "succeeded":
        raise RuntimeError(f"The run is {instance.status}: {instance.fault_text}")
    places.check(count)


def _statements(places: Places) -> None:
    """SQL a file: a run of twelve less a run of two, by ten; with BENCH_SQL also each kind of statement."""
    few, many = 2, 12
    found = []
    for count in (1, few, many):
        places.fill(count)
        with counted() as statements:
            in_this_process(places)
        found.append(statements)
    _, less, more = found
    files = many - few
    tell(Fact(PART, "SQL statements", round((more.total - less.total) / files, 1), "a file"))
    tell(Fact(PART, "SQL statements that write", round((more.writes - less.writes) / files, 1), "a file"))
    tell(Fact(PART, "Commits that write", round((more.commits - less.commits) / files, 1), "a file"))
    if os.environ.get("BENCH_SQL"):
        for kind, count in (more.kinds - less.kinds).most_common():
            tell(Fact(PART, f"SQL: {kind}", round(count / files, 1), "a file"))
