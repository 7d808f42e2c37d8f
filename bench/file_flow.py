"""The file flow through a worker process, route by route, against `rclone copy` and OpenSSH's `sftp` on its servers."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.db import connection

from bench.ends import SFTP_END, SftpEnd
from bench.figures import Fact, Figure, Progress, median, tell
from bench.hub import cluster, var_folder
from bench.machine import SYNCED_WRITE, fsync_ms
from bench.plain import together
from bench.rclone import Spent
from bench.routes import MIB, SMALL_BYTES, Batch, Route
from bench.runs import Worker, in_this_process
from bench.sql import counted
from bench.yardsticks import RCLONE, Way, ways

ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 3)
HUB = "hub"
SMALL, SMALL_FULL = Batch(300, SMALL_BYTES), Batch(2000, SMALL_BYTES)
LARGE, LARGE_FULL, HUGE = Batch(1, 128 * MIB), Batch(1, 1024 * MIB), Batch(1, 5 * 1024 * MIB)
FEW, MANY = 20, 120  # files of the two runs whose SQL is compared


@dataclass
class Seen:
    """What the rounds of one batch came to, by way; of a way that goes in steps, each step; of the hub, the seconds
    it took for the names at the source.
    """

    batch: Batch
    ways: dict[str, list[Spent]]
    steps: dict[str, list[Spent]] = field(default_factory=dict)
    renaming: list[float] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """How often each way went."""
        return len(self.ways[HUB])

    def rate(self, way: str) -> float:
        """Files or MiB a second, the median."""
        return self.batch.amount / median([one.seconds for one in self.ways[way]])

    def ratios(self, way: str) -> list[float]:
        """The hub's rate over this way's, each round."""
        pairs = zip(self.ways[HUB], self.ways[way], strict=True)
        return [round(theirs.seconds / ours.seconds, 3) for ours, theirs in pairs]

    def peak(self, way: str) -> float:
        """The most memory in any round, in MiB."""
        return round(max(one.peak_mib for one in self.ways[way]), 1)

    def cpu(self, way: str) -> float:
        """Milliseconds of CPU a file or a MiB, the median."""
        return round(median([one.cpu_seconds for one in self.ways[way]]) * 1000 / self.batch.amount, 2)


def measure(*, full: bool, route: str) -> None:
    """Many small files, one large, in the full form one huge; then the SQL a file.

    On PostgreSQL the small files alone: what a large file asks of a database is the same few rows.
    """
    small, large = (SMALL_FULL, LARGE_FULL) if full else (SMALL, LARGE)
    with Route.made(route, var_folder()) as made:
        with cluster(1):
            made.fill(Batch(1, SMALL_BYTES))
            course = Course(made, Worker.warm(made), _flushes())
            course.measure(small)
            if connection.vendor == "sqlite":
                course.measure(large)
                course.flushed_otherwise(small)
                if full and route.startswith(SFTP_END):
                    course.huge()
        _statements(course)


def _flushes() -> bool:
    """Whether an SFTP connection has the server flush each file to its disk where nothing is set."""
    from integrations.adapters.sftp import Sftp  # noqa: PLC0415  (only this part needs it)

    return next((one.default for one in Sftp.fields if one.name == "flush"), "yes") == "yes"


@dataclass(frozen=True, slots=True)
class Course:
    """A route and the worker that goes it. `flush`: whether the hub has an SFTP target flush each file."""

    route: Route
    worker: Worker
    flush: bool

    @property
    def part(self) -> str:
        """As figures name it."""
        return f"Files, {self.route.title}, {connection.vendor}"

    def measure(self, batch: Batch) -> None:
        """The hub and every yardstick."""
        self._tell(self._rounds(batch, list(ways(self.route, flush=self.flush)), ROUNDS), batch.name)

    def flushed_otherwise(self, batch: Batch) -> None:
        """From SFTP to SFTP once more, with the target's `flush` the other way than by default."""
        if not (isinstance(self.route.source, SftpEnd) and isinstance(self.route.target, SftpEnd)):
            return
        other = not self.flush
        self.route.set_target(flush="yes" if other else "no")
        by = [way for way in ways(self.route, flush=other) if way.name.startswith("sftp")]
        note = "flushed" if other else "not flushed"
        self._tell(self._rounds(batch, by, ROUNDS), f"{batch.name}, {note} at the target")
        self.route.set_target(flush="yes" if self.flush else "no")

    def huge(self) -> None:
        """5 GiB once, for the memory; RuntimeError where there is no room."""
        free, needed = shutil.disk_usage(var_folder()).free, 3 * HUGE.size
        if free < needed:
            raise RuntimeError(f"{HUGE.name} needs {needed // MIB} MiB on disk, {free // MIB} are free")
        by = [way for way in ways(self.route, flush=self.flush) if way.name == RCLONE]
        self._tell(self._rounds(HUGE, by, 1), HUGE.name)

    def _rounds(self, batch: Batch, by: Sequence[Way], rounds: int) -> Seen:
        """Each way in turn, another one first each round."""
        self.route.fill(batch)
        seen = Seen(batch, {HUB: [], **{way.name: [] for way in by}})
        turns: list[Way | None] = [None, *by]
        for number in range(rounds):
            first = number % len(turns)
            for place, way in enumerate(turns[first:] + turns[:first]):
                tell(Progress(batch.name, number * len(turns) + place, rounds * len(turns)))
                self.route.again()
                self._once(seen, way)
        return seen

    def _once(self, seen: Seen, way: Way | None) -> None:
        """One way, the hub's where none is given; what arrived is compared with what was sent."""
        if way is None:
            spent, renaming = self.worker.run(self.route)
            seen.ways[HUB].append(spent)
            seen.renaming.append(renaming)
            self.route.check(renamed=True)
            return
        steps = way.move(self.route)
        seen.ways[way.name].append(together(steps))
        if way.whole:
            self.route.check()
        for step, spent in steps.items():
            seen.steps.setdefault(step, []).append(spent)

    def _tell(self, seen: Seen, name: str) -> None:
        hub, unit = seen.rate(HUB), f"{seen.batch.units}/s"
        for way in [way for way in seen.ways if way != HUB]:
            figure = Figure(self.part, name, hub, unit, seen.rate(way), way, True, seen.rounds)
            figure = replace(figure, peak_mib=seen.peak(HUB), yardstick_peak_mib=seen.peak(way))
            figure = replace(figure, cpu_ms=seen.cpu(HUB), yardstick_cpu_ms=seen.cpu(way))
            tell(replace(figure, ratios=seen.ratios(way)))
        self._tell_beside(seen, name)
        if seen.batch.count > 1:
            synced = median([fsync_ms(var_folder()) for _ in range(ROUNDS)])
            tell(
                Figure(self.part, f"{name}, each", 1000 / hub, "ms", synced, SYNCED_WRITE, False, seen.rounds)
            )

    def _tell_beside(self, seen: Seen, name: str) -> None:
        idle = self.worker.idle_mib
        above = round(seen.peak(HUB) - idle, 1)
        tell(Fact(self.part, f"{name}: worker's peak memory above its {idle:.0f} MiB idle", above, "MiB"))
        if seen.batch.count == 1:
            renaming = round(median(seen.renaming), 2)
            tell(Fact(self.part, f"{name}: of the hub's time, renaming it at the source", renaming, "s"))
        for step, spent in seen.steps.items():
            if step not in seen.ways:
                rate = seen.batch.amount / median([one.seconds for one in spent])
                tell(Fact(self.part, f"{name}: {step} by itself", round(rate, 1), f"{seen.batch.units}/s"))


def _statements(course: Course) -> None:
    """SQL a file: a run of many less a run of few; with BENCH_SQL also each kind of statement."""
    found = []
    for count in (1, FEW, MANY):
        course.route.fill(Batch(count, SMALL_BYTES))
        with counted() as statements:
            in_this_process(course.route)
        found.append(statements)
    _, less, more = found
    files, part = MANY - FEW, course.part
    tell(Fact(part, "SQL statements", round((more.total - less.total) / files, 2), "a file"))
    tell(Fact(part, "SQL statements that write", round((more.writes - less.writes) / files, 2), "a file"))
    tell(Fact(part, "Commits that write", round((more.commits - less.commits) / files, 2), "a file"))
    if os.environ.get("BENCH_SQL"):
        for kind, count in (more.kinds - less.kinds).most_common():
            tell(Fact(part, f"SQL: {kind}", round(count / files, 2), "a file"))
