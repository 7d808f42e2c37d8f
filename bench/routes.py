"""Routes of the file flow: from an end to an end, the files on them, and whether all of them arrived."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.ends import OBJECTS_END, SFTP_END, TITLES, End, end
from bench.hub import OBJECT_FLOW, SFTP_FLOW, connect, prepare, reaches

SMALL_BYTES, MIB = 20_000, 2**20
PREFIX = "C1-DCTIL"
LINE = b"\tC1\tF1IL\t4000000001\tP\tAbelson, Ada\t(503) 555-0100\tada.abelson@example.org\tN\t\n"
BLOCK = (LINE * (MIB // len(LINE) + 1))[:MIB]

FEW = 50  # files that are deleted, not put aside


@dataclass(frozen=True, slots=True)
class Batch:
    """So many files of so many bytes."""

    count: int
    size: int

    @property
    def name(self) -> str:
        """As it is shown."""
        if self.count > 1:
            return f"{self.count:,} files of {self.size // 1000} KB"
        mib = self.size // MIB
        return f"one file of {f'{mib} MiB' if mib % 1024 else f'{mib // 1024} GiB'}"

    @property
    def amount(self) -> float:
        """Files, or MiB of the one."""
        return self.count if self.count > 1 else self.size / MIB

    @property
    def unit(self) -> str:
        """Of the amount: one of it."""
        return "file" if self.count > 1 else "MiB"

    @property
    def units(self) -> str:
        """Of the amount: more of it."""
        return "files" if self.count > 1 else "MiB"


@dataclass
class Route:
    """Source and target with their servers, the hub's flow between them, and the files of the moment."""

    name: str
    source: End
    target: End
    scratch: Path  # an empty folder, on the disk the ends are on
    sums: dict[str, str] = field(default_factory=dict)  # a file's name → SHA-256

    @property
    def title(self) -> str:
        """As it is shown."""
        return title(self.name)

    @property
    def flow(self) -> str:
        """The hub's flow that goes this way."""
        return SFTP_FLOW if self.name.startswith(SFTP_END) else OBJECT_FLOW

    @property
    def names(self) -> list[str]:
        """The files' names."""
        return sorted(self.sums)

    @staticmethod
    @contextmanager
    def made(name: str, work: Path) -> Iterator["Route"]:
        """A server for each end, and the hub set up for them."""
        kinds = name.split("-")
        with end(kinds[0], "CCS", work) as source, end(kinds[1], "DACS", work) as target:
            preference = {"dacs.file.target.transfer.pref": "os" if kinds[1] == OBJECTS_END else "ftp"}
            places = {**source.properties(), **target.properties()}
            prepare(reaches(source.reach(), target.reach()), {**preference, **places})
            scratch = work / "here" / "scratch"
            scratch.mkdir(parents=True)
            yield Route(name, source, target, scratch)

    def set_target(self, **settings: str) -> None:
        """Change the target's connection, from the next run on."""
        connect([self.target.reach(**settings)])

    def fill(self, batch: Batch) -> None:
        """Both ends empty but for new files at the source: an initial load's lines, no two MiB the same."""
        _empty(self.source.folder)
        self.sums = {name: _make(self.source.folder / name, batch.size) for name in _names(batch.count)}
        self._settle()

    def again(self) -> None:
        """As after `fill`, with the same files under new names: the hub knows those it has moved."""
        sums = dict(zip(_names(len(self.sums)), (self.sums[name] for name in self.names), strict=True))
        paths = sorted(self.source.folder.iterdir(), key=lambda path: path.name.partition(PREFIX)[2])
        for path, name in zip(paths, sums, strict=True):
            path.rename(path.with_name(name))
        self.sums = sums
        self._settle()

    def _settle(self) -> None:
        """The target and the scratch folder empty; all of it on the disk, so that no run pays for it."""
        _empty(self.target.folder)
        _empty(self.scratch)
        self.source.changed()
        self.target.changed()
        os.sync()

    def check(self, *, renamed: bool = False) -> None:
        """RuntimeError unless the target has every file, the same to the byte, and nothing else; `renamed`: and
        each has another name at the source.
        """
        found = {path.name: digest(path) for path in self.target.folder.iterdir()}
        if found != self.sums:
            good = sum(self.sums.get(name) == one for name, one in found.items())
            raise RuntimeError(f"{self.title}: of {len(self.sums)} files {good} arrived as they were")
        left = [path.name for path in self.source.folder.iterdir() if path.name in self.sums]
        if renamed and left:
            raise RuntimeError(f"{self.title}: {len(left)} files have their first name at the source")


def title(name: str) -> str:
    """A route as it is shown."""
    return " to ".join(TITLES[kind] for kind in name.split("-"))


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _empty(folder: Path) -> None:
    """Nothing in it; of many files, by a new folder in its place: where thousands of files have just been deleted, ext4
    takes several times as long to make one.
    """
    files = list(folder.iterdir())
    if len(files) > FEW:
        aside = folder.parents[1] / f"aside-{time.time_ns()}"
        folder.rename(aside)
        folder.mkdir()
    else:
        for path in files:
            path.unlink()


def _names(count: int) -> list[str]:
    """New names, in order."""
    stamp = time.time_ns()
    return [f"{PREFIX}_{stamp}_{number:05}.csv" for number in range(count)]


def _make(path: Path, size: int) -> str:
    """A file of this size; its SHA-256."""
    found, left = hashlib.sha256(), size
    with path.open("wb") as file:
        while left > 0:
            start = f"{path.name} {left}\n".encode()
            chunk = (start + BLOCK)[: min(left, MIB)]
            found.update(chunk)
            left -= file.write(chunk)
    return found.hexdigest()
