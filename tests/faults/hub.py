"""A hub of real processes between real servers, killed, frozen and asked as a test wishes."""

import contextlib
import itertools
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.ccs import Ccs
from demo.mail import MailServer
from tests.faults.asking import Inside
from tests.faults.databases import ROOT, Postgres, Sqlite, hub_environment
from tests.faults.places import BucketPlace, FolderPlace, Place, measured
from tests.faults.processes import command_of, group_of, kill, processes_of, state_of, wait_until
from tests.faults.watch import Expected
from tests.servers import free_port, wait_for

IN, OUT = "sploutput", "upload"
CCS_LOGIN = {"user": "HUB", "password": "a long password of CCS"}
WORKERS = 3
TIMES = {
    "HUB_LEASE_SECONDS": "3",
    "HUB_HEARTBEAT_SECONDS": "1",
    "HUB_SWEEP_SECONDS": "1",
    "HUB_LEFTOVER_SECONDS": "1",
    "HUB_WORKERS": str(WORKERS),
}
ENDED = ("succeeded", "failed", "held", "skipped", "discarded")
PREFIX = "C1-DCTEX"
WHOLE_CLUSTER = WORKERS + 4  # with main process, sentinel, pusher and monitor


@dataclass(frozen=True)
class Shape:
    """What stands around a hub: `target` is sftp or os (object storage); `sshd`: OpenSSH's server serves the files."""

    target: str = "sftp"
    sshd: bool = False

    def __str__(self) -> str:
        server = "sshd" if self.sshd else "sftp"
        return f"{server}-to-{server if self.target == 'sftp' else self.target}"


class FaultHub:
    """One hub: its folder, its database, its neighbours (in this process), and its own processes (not)."""

    def __init__(self, folder: Path, template: Sqlite | Postgres, shape: Shape | None = None) -> None:
        """Neighbours are up afterwards, the hub is set up; none of its processes runs yet."""
        self.folder, self.template, self.shape = folder, template, shape or Shape()
        self.var, self.marks, self._plan = folder / "var", folder / "marks", folder / "plan"
        self.marks.mkdir(parents=True)
        self._stack = contextlib.ExitStack()
        self._started: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)
        self._round = 1
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise

    def _begin(self) -> None:
        template = self.template
        self.database = template.copy(self.var)
        self._stack.callback(template.drop, self.database)
        self._stack.callback(self._end_all)
        sshd = self.shape.sshd
        self.source = FolderPlace(self._stack, self.folder / "ccs", IN, sshd=sshd)
        self.target: Place = (
            BucketPlace(self._stack)
            if self.shape.target == "os"
            else FolderPlace(self._stack, self.folder / "dacs", OUT, sshd=sshd)
        )
        self.mail = self._stack.enter_context(MailServer())
        self.ccs = self._stack.enter_context(
            Ccs(population=24, username=CCS_LOGIN["user"], password=CCS_LOGIN["password"])
        )
        self.environment = hub_environment(
            self.var, EMAIL_URL=self.mail.url, HUB_LOG_FORMAT="text", **TIMES, **self.database
        )
        self.files: Expected = {}
        self.watch = self.target.watch(self.files)
        self._stack.callback(self._stop_watch)
        self._inside = Inside(self.environment, self.folder / "inside.log")
        self._stack.callback(self._inside.close)
        self._set_up()
        self._since = self.ask("now")

    def _set_up(self) -> None:
        self.ask(
            "set_up",
            source=self.source.connection(),
            target=self.target.connection(),
            kind=self.shape.target,
            ccs={"url": self.ccs.url, **CCS_LOGIN},
            from_directory=self.source.directory,
            to_directory=self.target.directory,
        )

    @property
    def target_folder(self) -> Path:
        """Where files arrive, where that is no bucket."""
        assert isinstance(self.target, FolderPlace)
        return self.target.folder

    def _stop_watch(self) -> None:
        """The one there is by then."""
        self.watch.stop()

    def close(self) -> None:
        """End every process of this hub, then its neighbours, then its database."""
        self._stack.close()

    def clear(self) -> None:
        """Begin anew: no files, no mails, nothing planned; what was asked of before this is not told any more."""
        for path in (self._plan, self._struck):
            path.unlink(missing_ok=True)
        self.watch.stop()
        self._round += 1
        self.files.clear()
        for place in (self.source, self.target):
            place.proxy.disarm()
            place.clear()
        self.mail.reset()
        self.watch = self.target.watch(self.files)
        self._since = self.ask("now")

    # -- its processes -------------------------------------------------------------------------------------

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """One process of the hub, its output in <folder>/<number>.log."""
        log = self.folder / f"{len(self._started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**self.environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def beat(self, points: str = "", *, cluster: bool = True, **more: str) -> subprocess.Popen[bytes]:
        """`hub_beat`; crash points are those of `points`, each once over restarts, else what `arm` plans."""
        crash = {"HUB_CRASH_POINTS": points, "HUB_CRASH_MARK": str(self.marks)} if points else {}
        crash = crash or {"HUB_CRASH_FILE": str(self._plan)}
        return self.start("manage.py", "hub_beat", *(["--cluster"] if cluster else []), **{**crash, **more})

    def cluster_up(self) -> None:
        """Wait until the beat's cluster has all its processes."""
        self.wait(lambda: len(self.cluster()) >= WHOLE_CLUSTER, 60, "the whole cluster")

    def arm(self, point: str, how: str = "KILL") -> None:
        """Who passes this point next is killed, or frozen (STOP); as integrations/engine/crash.py has it."""
        scratch = self._plan.with_suffix(".new")
        scratch.write_text(f"{point} {how} {next(self._numbers)}")
        scratch.rename(self._plan)

    def struck(self) -> bool:
        """Whether what was armed has happened."""
        return self._struck.exists()

    @property
    def _struck(self) -> Path:
        return Path(f"{self._plan}.struck")

    def web(self, points: str = "", port: int = 0) -> int:
        """A web server on a free port (or this one), which is answered."""
        port = port or free_port()
        crash = {"HUB_CRASH_POINTS": points, "HUB_CRASH_MARK": str(self.marks)} if points else {}
        where = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port))
        self.start("-m", "granian", *where, "--workers", "1", "--no-ws", "hub.wsgi:application", **crash)
        wait_for(port, 30)
        return port

    def processes(self) -> list[int]:
        """Every living process of this hub but the one that answers `ask`."""
        return [pid for pid in processes_of(self.var) if pid != self._inside.process.pid]

    def cluster(self) -> list[int]:
        """The cluster's processes: its main one, sentinel, workers, pusher, monitor."""
        return [pid for pid in self.processes() if "qcluster" in command_of(pid)]

    def main_of_cluster(self) -> int:
        """The cluster's main process; 0 while there is none."""
        return next((pid for pid in self.cluster() if group_of(pid) == pid), 0)

    def frozen(self) -> int:
        """A process of the hub that has stopped itself; 0 while there is none."""
        return next((pid for pid in self.processes() if state_of(pid) == "T"), 0)

    def busy_worker(self) -> int:
        """The process that holds an instance now, 0 for none."""
        held = [row["holder"] for row in self.ask("instances") if row["status"] == "running"]
        return int(held[0].split(":")[1]) if held else 0

    def _end_all(self) -> None:
        for _ in range(3):  # a cluster may be started between two looks
            for pid in processes_of(self.var):
                kill(pid)
                kill(pid, signal.SIGCONT)
            time.sleep(0.1)
        for process in self._started:
            process.wait(10)

    # -- questions from inside -----------------------------------------------------------------------------

    def ask(self, do: str, **values: Any) -> Any:
        """One question, answered by the hub's own code (tests/faults/answers.py)."""
        if do in ("instances", "transfers", "mails", "stories"):
            values["since"] = self._since
        return self._inside.ask(do, **values)

    # -- files, runs, messages -----------------------------------------------------------------------------

    def put(self, size: int, number: int = 1, *, prefix: str = PREFIX, seed: float = 1) -> str:
        """A file at CCS of about this size, lines of text that are its own; its name, which no case before had."""
        name = f"{prefix}_{self._round:04}_{number:02}.csv"
        lines = random.Random(f"{name}{seed}")
        block = b"".join(b"%030x\t%s\n" % (lines.getrandbits(120), name.encode()) for _ in range(500))
        content = (block * (size // len(block) + 1))[:size]
        scratch = self.source.folder.parent / f".{name}"
        scratch.write_bytes(content)
        self.files[name] = measured(content)
        scratch.rename(self.source.folder / name)
        return name

    def put_many(self, count: int, size: int = 150_000, *, prefix: str = PREFIX) -> None:
        """Several of them, each a byte larger than the one before."""
        for number in range(1, count + 1):
            self.put(size + number, number, prefix=prefix)

    def run(self, prefix: str = PREFIX) -> str:
        """Start the flow by hand; the instance's id."""
        identifier: str = self.ask("run", prefix=prefix)
        return identifier

    def instance(self, identifier: str) -> dict[str, Any]:
        """One instance as it is now."""
        return next(row for row in self.ask("instances") if row["id"] == identifier)

    def wait(self, condition: Callable[[], Any], seconds: float, what: str, every: float = 0.1) -> Any:
        """What `condition()` answers once it is true; AssertionError with the processes' last words otherwise."""
        try:
            return wait_until(condition, seconds, what, every)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}\n{self.logs()}") from None

    def state(self) -> str:
        """Instances and ledger, for a test that fails."""
        with contextlib.suppress(AssertionError):
            rows = [*self.ask("instances"), *self.ask("transfers"), *self.ask("mails")]
            return "\n".join(map(json.dumps, rows))
        return "(no answer from inside)"

    def ended(self, seconds: float = 60, count: int = 1) -> list[dict[str, Any]]:
        """The runs (no children), once there are `count` and every instance has ended."""

        def all_ended() -> list[dict[str, Any]]:
            rows = self.ask("instances")
            runs = [row for row in rows if not row["child"]]
            over = len(runs) >= count and all(row["status"] in ENDED for row in rows)
            return runs if over else []

        found: list[dict[str, Any]] = self.wait(all_ended, seconds, "all instances ended")
        return found

    def mails_settled(self, seconds: float = 20) -> None:
        """Until the outbox has nothing more to send."""
        self.wait(
            lambda: all(row["state"] in ("sent", "given up") for row in self.ask("mails")),
            seconds,
            "every mail of the outbox sent",
        )

    def logs(self) -> str:
        """The end of each process's output, for a test that fails."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-2500:]}" for path in sorted(self.folder.glob("*.log"))
        )
