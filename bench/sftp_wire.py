"""The SFTP adapter alone against OpenSSH's `sftp` and paramiko's SFTPClient, on one server, in turn.

`python -m bench.sftp_wire [MIB]`: one file of MIB (256) and many small ones, read, written and renamed, each way with
a log-in of its own and the files on this machine's disk on both sides. HUB_VAR (var/) is where they lie; ROUNDS (3);
ONLY (parts of the names of cases, separated by commas); FLUSH=1 has the server flush each file to its disk.
"""

import hashlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from bench.figures import Figure, median
from bench.plain import sftp_batch, sftp_client
from bench.processes import ROOT, forget_peak, peak_mib, resident_mib
from bench.servers import FileServer, openssh
from bench.show import Show
from integrations.adapters import open_adapter
from integrations.adapters.contract import CHUNK, Endpoint, FileStore
from integrations.adapters.errors import AdapterError
from integrations.adapters.several import Parcel

PART = "SFTP adapter"
SMALL_COUNT, SMALL_BYTES, MIB = 2000, 20_000, 2**20
OURS, YARDSTICK, LIBRARY = "adapter", "OpenSSH's sftp", "paramiko's SFTPClient"


@dataclass(slots=True)
class Place:
    """The server, how the adapter reaches it, and folders for one turn: the server's and one on this side."""

    server: FileServer
    endpoint: Endpoint
    work: Path
    turn: int = 0

    @property
    def there(self) -> Path:
        """The server's folder."""
        return self.work / f"{self.turn}" / "there"

    @property
    def here(self) -> Path:
        """The folder on this side."""
        return self.work / f"{self.turn}" / "here"

    def fill(self, case: "Case") -> list[str]:
        """New folders for this case's next turn, so many files in the one they are moved from; their names.

        Only large files make room for it: for seconds after many files are deleted, ext4 is slow to create new ones.
        """
        if case.count == 1:
            shutil.rmtree(self.there.parent, ignore_errors=True)
        self.turn += 1
        for one in (self.there, self.here):
            one.mkdir(parents=True)
        folder = self.here if case.up else self.there
        names = [f"f{number:05}" for number in range(case.count)]
        block = os.urandom(min(case.size, MIB))
        for name in names:
            with (folder / name).open("wb") as file:
                for start in range(0, case.size, len(block)):
                    file.write(block[: case.size - start])
        return names

    @contextmanager
    def store(self) -> Iterator[FileStore]:
        """The adapter under measurement."""
        with open_adapter(self.endpoint) as found:
            assert isinstance(found, FileStore)  # noqa: S101  (the endpoint names SFTP)
            yield found

    @contextmanager
    def library(self) -> Iterator[paramiko.SFTPClient]:
        """paramiko's own client."""
        with paramiko.SSHClient() as ssh, sftp_client(ssh, self.server) as found:
            yield found

    def program(self, lines: Sequence[str]) -> None:
        """OpenSSH's `sftp` with these commands, both folders chosen."""
        batch = [f"lcd {self.here}", f"cd {self.there}", *lines]
        sftp_batch(self.server, Path(self.server.known_hosts), "\n".join(batch) + "\n")


Way = Callable[[Place, list[str]], None]


# -- ways ----------------------------------------------------------------------------------------------------


def read_one(place: Place, names: list[str]) -> None:
    """The adapter's `open`, to a file here."""
    with (
        place.store() as store,
        store.open(str(place.there), names[0]) as reader,
        (place.here / names[0]).open("wb") as file,
    ):
        while chunk := reader.read(CHUNK):
            file.write(chunk)


def write_one(place: Place, names: list[str]) -> None:
    """The adapter's `write`, from a file here."""
    with place.store() as store, (place.here / names[0]).open("rb") as file:
        store.write(str(place.there), names[0], file)


def _volleys(names: list[str], size: int) -> Iterator[list[str]]:
    """As many names at a time as the transfer engine asks for at once."""
    for start in range(0, len(names), size):
        yield names[start : start + size]


def read_small(place: Place, names: list[str]) -> None:
    """`read_many`, to files here."""
    with place.store() as store:
        for some in _volleys(names, store.at_once):
            for whole in store.read_many(str(place.there), some, at_once=store.at_once):
                if isinstance(whole, AdapterError):
                    raise whole
                (place.here / whole.info.name).write_bytes(whole.content)


def write_small(place: Place, names: list[str]) -> None:
    """`write_many`, from files here."""
    with place.store() as store:
        for some in _volleys(names, store.at_once):
            files = [Parcel(name, (place.here / name).read_bytes()) for name in some]
            _good(store.write_many(str(place.there), files, at_once=store.at_once))


def rename_small(place: Place, names: list[str]) -> None:
    """`rename_many`."""
    with place.store() as store:
        for some in _volleys(names, store.at_once):
            pairs = [(name, f"SENT-{name}") for name in some]
            _good(store.rename_many(str(place.there), pairs, at_once=store.at_once))


def _good(results: Sequence[object]) -> None:
    for result in results:
        if isinstance(result, AdapterError):
            raise result


def library(do: Callable[[paramiko.SFTPClient, str, str], object], target: str) -> Way:
    """What SFTPClient does with one path and another, one file after the other."""

    def way(place: Place, names: list[str]) -> None:
        with place.library() as client:
            for name in names:
                do(
                    client,
                    str(place.there / name),
                    target.format(here=place.here, there=place.there, name=name),
                )

    return way


def program(command: str) -> Way:
    """What the program does with one name, one file after the other."""
    return lambda place, names: place.program([command.format(name=name) for name in names])


# -- cases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """So many files of one size, the ways to move them; `up`: from here to there."""

    what: str
    count: int
    size: int
    unit: str
    ways: tuple[Way, Way, Way]
    up: bool = False
    renames: bool = False

    @property
    def amount(self) -> float:
        """MiB, or files."""
        return self.size / MIB if self.unit == "MiB" else self.count

    def check(self, place: Place, names: list[str]) -> None:
        """RuntimeError unless all files are where they should be, the same to the byte."""
        if self.renames:
            same = sorted(path.name for path in place.there.iterdir()) == [f"SENT-{name}" for name in names]
        else:
            same = all(_digest(place.here / name) == _digest(place.there / name) for name in names)
        if not same:
            raise RuntimeError(f"{self.what}: not every file arrived as it was")


@dataclass(slots=True)
class Seen:
    """What the rounds came to: seconds and CPU seconds of each way on this side; the adapter's memory in MiB."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], YARDSTICK: [], LIBRARY: []})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], YARDSTICK: [], LIBRARY: []})
    memory: list[float] = field(default_factory=list)


def cases(mib: int) -> list[Case]:
    """All there is to measure."""
    large, small = f"one file of {mib} MiB", f"{SMALL_COUNT} files of {SMALL_BYTES // 1000} KB"
    one, many = (1, mib * MIB, "MiB"), (SMALL_COUNT, SMALL_BYTES, "files")
    get = program("get {name}"), library(paramiko.SFTPClient.get, "{here}/{name}")
    put = program("put {name}"), library(lambda client, there, here: client.put(here, there), "{here}/{name}")
    rename = program("rename {name} SENT-{name}"), library(paramiko.SFTPClient.rename, "{there}/SENT-{name}")
    return [
        Case(f"read {large}", *one, (read_one, *get)),
        Case(f"write {large}", *one, (write_one, *put), up=True),
        Case(f"read {small}", *many, (read_small, *get)),
        Case(f"write {small}", *many, (write_small, *put), up=True),
        Case(f"rename {small}", *many, (rename_small, *rename), renames=True),
    ]


def measured(case: Case, place: Place, rounds: int) -> Seen:
    """Each way in turn, so many rounds."""
    seen = Seen()
    for _ in range(rounds):
        for name, way in zip(seen.seconds, case.ways, strict=True):
            names = place.fill(case)
            forget_peak(os.getpid())
            idle, spent, began = resident_mib(os.getpid()), _cpu(name), time.perf_counter()
            way(place, names)
            seen.seconds[name].append(time.perf_counter() - began)
            seen.cpu[name].append(_cpu(name) - spent)
            if name == OURS:
                seen.memory.append(peak_mib(os.getpid()) - idle)
            case.check(place, names)
    return seen


def _cpu(way: str) -> float:
    """Seconds so far of whoever does it that way: programs that have ended, or this process."""
    if way != YARDSTICK:
        return time.process_time()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def figures(case: Case, seen: Seen) -> Iterator[Figure]:
    """Speed beside both yardsticks, CPU beside the first."""
    ours, peak, unit = seen.seconds[OURS], max(seen.memory), f"{case.unit}/s"
    for name in (YARDSTICK, LIBRARY):
        speed, other = (case.amount / median(seconds) for seconds in (ours, seen.seconds[name]))
        ratios = [their / our for our, their in zip(ours, seen.seconds[name], strict=True)]
        yield Figure(PART, case.what, speed, unit, other, name, True, len(ours), peak_mib=peak, ratios=ratios)
    spent, theirs = (1000 * median(seen.cpu[name]) / case.amount for name in (OURS, YARDSTICK))
    each = f"ms a {case.unit.removesuffix('s')}"
    yield Figure(PART, f"{case.what}, CPU", spent, each, theirs, YARDSTICK, False, len(ours))


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@contextmanager
def made(work: Path) -> Iterator[Place]:
    """OpenSSH's server, and how the adapter reaches it."""
    with openssh(work) as server:
        flush = {"flush": "yes"} if os.environ.get("FLUSH", "") not in ("", "0") else {}
        at = {"host": "127.0.0.1", "port": server.port, "user": server.user, **flush}
        endpoint = Endpoint("Bench", "sftp", at, server.secrets, host_key=server.host_key)
        yield Place(server, endpoint, work)


def main() -> None:
    """Measure and show."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    only = [part for part in os.environ.get("ONLY", "").split(",") if part]
    var, show = Path(os.environ.get("HUB_VAR") or ROOT / "var").resolve(), Show()
    var.mkdir(parents=True, exist_ok=True)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=var, prefix="sftp-") as work, made(Path(work)) as place:
        for case in cases(mib):
            if only and not any(part in case.what for part in only):
                continue
            with show.bar(case.what):
                found += figures(case, measured(case, place, int(os.environ.get("ROUNDS") or 3)))
    show.figures(found)


if __name__ == "__main__":
    main()
