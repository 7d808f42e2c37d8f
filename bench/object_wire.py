"""The object storage adapter alone beside rclone, at one `rclone serve s3`, in the same run.

`python -m bench.object_wire [--mib 256] [--files 2000] [--at-once 16] [--volley 16] [--rounds 3] [--only upload,small]`
prints, for one large file and for many of 20 KB: speed as ratio to rclone's, CPU seconds of the client and of the
server, peak memory. Each turn is a process of its own; rclone's start counts in its time, the adapter's imports do not
in its.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import median
from bench.object_turns import ACTS, Order
from bench.processes import ROOT, cpu_seconds, python
from bench.rclone import TUNED, ObjectPlace, Spent, copy, move, object_server

SMALL_BYTES, MIB = 20_000, 2**20
RENAMED = "SENT-"
IN_MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of its own is made there)


class Bench:
    """Files to send, a folder to fetch into, and the store; each turn has a bucket of its own."""

    def __init__(
        self,
        work: Path,
        fetched: Path,
        place: ObjectPlace,
        *,
        mib: int,
        files: int,
        at_once: int,
        volley: int,
    ) -> None:
        """Make the files: one of `mib` MiB, `files` of 20 KB."""
        self.place, self.at_once, self.volley, self.turns = place, at_once, volley, 0
        self.large, self.small, self.fetched = work / "large", work / "small", fetched
        for folder in (self.large, self.small):
            folder.mkdir()
        block = os.urandom(MIB)
        with (self.large / "large.bin").open("wb") as file:
            for _ in range(mib):
                file.write(block)
        for number in range(files):
            (self.small / f"C1-DCTIL_{number:05}.csv").write_bytes(os.urandom(SMALL_BYTES))

    def turn(self, act: str, way: str) -> tuple[Spent, float]:
        """What one way of doing it took, and the server's CPU seconds; RuntimeError where files are not as sent."""
        self.turns += 1
        bucket, sent = f"bench-{self.turns:04}", self.large if act.endswith("large") else self.small
        folder = self.place.bucket(bucket)
        self.fetched.mkdir()
        if not act.startswith("upload"):
            copy(str(sent), self.place.spec(bucket))
        before = cpu_seconds([self.place.pid])
        spent = self._adapter(act, bucket, sent) if way == "adapter" else self._rclone(act, bucket, sent, way)
        served = cpu_seconds([self.place.pid]) - before
        _check(sent, self.fetched if act.startswith("download") else folder)
        for used in (folder, self.fetched):
            shutil.rmtree(used)
        return spent, served

    def _adapter(self, act: str, bucket: str, sent: Path) -> Spent:
        settings = {"endpoint_url": self.place.url, "access_key": self.place.access_key}
        folder = sent if act.startswith("upload") else self.fetched
        order = Order(act, settings, self.place.secret_key, bucket, str(folder), self.at_once, self.volley)
        told = subprocess.run(
            python("-m", "bench.object_turns"),
            input=json.dumps(asdict(order)),
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=True,
        )
        return Spent(**json.loads(told.stdout))

    def _rclone(self, act: str, bucket: str, sent: Path, way: str) -> Spent:
        flags: Sequence[str] = TUNED if way == "rclone tuned" else ()
        there = self.place.spec(bucket)
        if act.startswith("upload"):
            return copy(str(sent), there, flags=flags)
        if act.startswith("download"):
            return copy(there, str(self.fetched), flags=flags)
        # Within one bucket rclone would list what it has just renamed: the copies go one folder down.
        return move(there, self.place.spec(f"{bucket}/sent"), flags=(*flags, "--exclude", "/sent/**"))


def _check(sent: Path, folder: Path) -> None:
    found = {path.name.removeprefix(RENAMED): path for path in folder.rglob("*") if path.is_file()}
    for path in sent.iterdir():
        if path.name not in found or path.read_bytes() != found.pop(path.name).read_bytes():
            raise RuntimeError(f"{path.name} did not arrive as it was")
    if found:
        raise RuntimeError(f"{', '.join(sorted(found)[:5])} should not be in {folder}")


WAYS = ("adapter", "rclone", "rclone tuned")


def main() -> None:
    """Measure and print."""
    wanted = _wanted()
    console = Console(width=120, highlight=False)
    table = Table("", "", "seconds", "times rclone", "times tuned", "CPU s", "server's CPU s", "peak MiB")
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("HUB_VAR")) as work,
        # Where files are fetched to is in memory: how fast a disk makes files is not what is measured.
        tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else work) as fetched,
        object_server(Path(work)) as place,
    ):
        counts = {"mib": wanted.mib, "files": wanted.files, "at_once": wanted.at_once}
        counts["volley"] = wanted.volley or wanted.at_once
        bench = Bench(Path(work), Path(fetched) / "files", place, **counts)
        for act in (act for act in ACTS if all(word in act for word in wanted.only.split(",") if word)):
            seen = _rounds(partial(bench.turn, act), wanted.rounds)
            table.add_section()
            for way, turns in seen.items():
                table.add_row(act if way == WAYS[0] else "", way, *_cells(turns, seen))
    console.print(table)


def _wanted() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.object_wire")
    for name, default in (("--mib", 256), ("--files", 2000), ("--rounds", 3)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--at-once", type=int, default=16, help="small files under way at once")
    parser.add_argument("--volley", type=int, default=0, help="small files handed over together; 0: as many")
    parser.add_argument("--only", default="", help="words of what to measure, separated by commas")
    return parser.parse_args()


Turns = list[tuple[Spent, float]]


def _rounds(turn: Callable[[str], tuple[Spent, float]], rounds: int) -> dict[str, Turns]:
    """Each round all ways in turn."""
    seen: dict[str, Turns] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, turns in seen.items():
            turns.append(turn(way))
    return seen


def _cells(turns: Turns, seen: dict[str, Turns]) -> list[str]:
    def seconds(way: Turns) -> float:
        return median(spent.seconds for spent, _ in way)

    own = seconds(turns)
    return [
        f"{own:.2f}",
        *(f"{seconds(seen[way]) / own:.2f}" for way in WAYS[1:]),
        f"{median(spent.cpu_seconds for spent, _ in turns):.2f}",
        f"{median(served for _, served in turns):.2f}",
        f"{max(spent.peak_mib for spent, _ in turns):.0f}",
    ]


if __name__ == "__main__":
    main()
