"""A hub of real processes between real servers, and the judge of what it did to the files and mails."""

import contextlib
import hashlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from demo.ccs import Ccs
from demo.mail import MailServer
from demo.sftp import SftpServer
from tests.faults.databases import ROOT, SECRET, Postgres, Sqlite, hub_environment
from tests.faults.processes import command_of, kill, processes_of, state_of, wait_until
from tests.servers import free_port, wait_for

IN, OUT, SENT = "sploutput", "upload", "SENT-"
CCS_LOGIN = {"user": "HUB", "password": "a long password of CCS"}
TIMES = {"HUB_LEASE_SECONDS": "3", "HUB_HEARTBEAT_SECONDS": "1", "HUB_SWEEP_SECONDS": "1", "HUB_WORKERS": "2"}
ENDED = ("succeeded", "failed", "held", "skipped", "discarded")


@dataclass
class Judged:
    """What the files and mails of one case look like in the end; 0 everywhere is right."""

    files: int = 0
    lost: int = 0
    doubled: int = 0
    damaged: int = 0
    mails_doubled: int = 0
    said: list[str] = field(default_factory=list)


class FaultHub:
    """One hub: its folder, its database, its neighbours (in this process), and its own processes (not)."""

    def __init__(self, folder: Path, template: Sqlite | Postgres) -> None:
        """Neighbours are up afterwards, the hub is set up; none of its processes runs yet."""
        self.folder, self._template = folder, template
        self.var, self.marks = folder / "var", folder / "marks"
        self.source, self.target = folder / "ccs" / IN, folder / "dacs" / OUT
        for place in (self.marks, self.source, self.target):
            place.mkdir(parents=True)
        self._stack = contextlib.ExitStack()
        self.database = template.copy(self.var)
        self._stack.callback(template.drop, self.database)
        self._stack.callback(self._end_all)
        self.ccs_files = self._stack.enter_context(SftpServer(folder / "ccs", {"hub": "sftp"}))
        self.dacs_files = self._stack.enter_context(SftpServer(folder / "dacs", {"hub": "sftp"}))
        self.mail = self._stack.enter_context(MailServer())
        self.ccs = self._stack.enter_context(
            Ccs(population=24, username=CCS_LOGIN["user"], password=CCS_LOGIN["password"])
        )
        self.environment = hub_environment(
            self.var, EMAIL_URL=self.mail.url, HUB_LOG_FORMAT="text", **TIMES, **self.database
        )
        self._files: dict[str, tuple[int, str]] = {}
        self._watch = Watch(self.target, self._files)
        self._started: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._inside = self._start_inside()
        self.ask(
            "set_up",
            ccs_files={"host": "127.0.0.1", "port": self.ccs_files.port, "host_key": self.ccs_files.host_key},
            dacs_files={
                "host": "127.0.0.1",
                "port": self.dacs_files.port,
                "host_key": self.dacs_files.host_key,
            },
            ccs={"url": self.ccs.url, **CCS_LOGIN},
            source=f"/{IN}",
            target=f"/{OUT}",
        )

    def close(self) -> None:
        """End every process of this hub, then its neighbours, then its database."""
        self._watch.stop()
        self._stack.close()

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
        """`hub_beat`, with crash points if wanted; each strikes once, over restarts."""
        crash = {"HUB_CRASH_POINTS": points, "HUB_CRASH_MARK": str(self.marks)} if points else {}
        return self.start("manage.py", "hub_beat", *(["--cluster"] if cluster else []), **{**crash, **more})

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
        return [pid for pid in processes_of(self.var) if pid != self._inside.pid]

    def cluster(self) -> list[int]:
        """The cluster's processes: its main one, sentinel, workers, pusher, monitor."""
        return [pid for pid in self.processes() if "qcluster" in command_of(pid)]

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
        for process in [*self._started, self._inside]:
            process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    # -- questions from inside -----------------------------------------------------------------------------

    def _start_inside(self) -> subprocess.Popen[bytes]:
        with (self.folder / "inside.log").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.inside"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._inside = process
        self._answer()
        return process

    def ask(self, do: str, **values: Any) -> Any:
        """One question, answered by the hub's own code (tests/faults/inside.py)."""
        with self._lock:
            assert self._inside.stdin is not None
            self._inside.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
            self._inside.stdin.flush()
            return self._answer()

    def _answer(self) -> Any:
        out = self._inside.stdout
        assert out is not None
        ready, _, _ = select.select([out], [], [], 40)
        line = out.readline() if ready else b""
        assert line, f"No answer from inside:\n{(self.folder / 'inside.log').read_text()[-2000:]}"
        said = json.loads(line)
        assert "error" not in said, said["error"]
        return said["ok"]

    # -- files, runs, messages -----------------------------------------------------------------------------

    def put(self, name: str, size: int, seed: int = 1) -> None:
        """A file at CCS of about this size, lines of text that are its own."""
        lines = random.Random(f"{name}{seed}")
        block = b"".join(b"%030x\t%s\n" % (lines.getrandbits(120), name.encode()) for _ in range(500))
        content = (block * (size // len(block) + 1))[:size]
        scratch = self.source.parent / f".{name}"
        scratch.write_bytes(content)
        self._files[name] = (size, hashlib.sha256(content).hexdigest())
        scratch.rename(self.source / name)

    def put_many(self, prefix: str, count: int, size: int = 150_000) -> None:
        """Several of them, named as CCS names its extracts."""
        for number in range(1, count + 1):
            self.put(f"{prefix}_{number:04}_00.csv", size + number)

    def forget(self, name: str) -> list[str]:
        """A file that was not to arrive is taken away, with what was left of it; what there was under final names."""
        del self._files[name]
        found = [path.name for place in (self.source, self.target) for path in place.glob(f"*{name}")]
        (self.source / name).unlink(missing_ok=True)
        for path in self.target.glob(".hub-*.part"):
            path.unlink()
        return found

    def instance(self, identifier: str) -> dict[str, Any]:
        """One instance as it is now."""
        return next(row for row in self.ask("instances") if row["id"] == identifier)

    def wait(self, condition: Callable[[], Any], seconds: float, what: str, every: float = 0.2) -> Any:
        """What `condition()` answers once it is true; AssertionError with the processes' last words otherwise."""
        try:
            return wait_until(condition, seconds, what, every)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{json.dumps(self.ask('instances'), indent=1)}\n{self.logs()}"
            ) from None

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

    def acknowledge(self, port: int, reference: str) -> requests.Response:
        """DACS acknowledges one sync request; ConnectionError where the hub dies over it."""
        at = "/ic/api/integration/v1/flows/rest/OUTL-BA-DACS_CCS_CUST_SYNC_ACK/1.0/sendCustomerSyncAck"
        details = {"syncRequestId": reference, "externalReferenceId": reference, "ackStatus": "ACCEPTED"}
        return requests.post(
            f"http://127.0.0.1:{port}{at}",
            json={"sendDetails": {**details, "errors": []}},
            auth=("DACS", SECRET),
            timeout=30,
        )

    def logs(self) -> str:
        """The end of each process's output, for a test that fails."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log"))
        )

    # -- the judge -----------------------------------------------------------------------------------------

    def judge(self, *, maybe_twice: bool = False) -> Judged:
        """Every file exactly once, whole, under its final name, renamed at the source; each mail once."""
        found = Judged(files=len(self._files))
        there = {path.name: path for path in self.target.iterdir()}
        for name, (size, digest) in self._files.items():
            self._judge_file(found, name, size, digest, there.pop(name, None))
        for name in there:
            found.damaged += 1
            found.said.append(f"{name} is at the target and should not be")
        at_source = sorted(path.name for path in self.source.iterdir())
        if at_source != sorted(f"{SENT}{name}" for name in self._files):
            found.said.append(f"The source has {at_source}")
        for said in self._watch.stop():
            found.damaged += 1
            found.said.append(said)
        self._judge_mails(found, maybe_twice=maybe_twice)
        return found

    def _judge_file(self, found: Judged, name: str, size: int, digest: str, path: Path | None) -> None:
        if path is None:
            found.lost += 1
            found.said.append(f"{name} is not at the target")
            return
        content = path.read_bytes()
        if (len(content), hashlib.sha256(content).hexdigest()) != (size, digest):
            found.damaged += 1
            found.said.append(f"{name} is damaged: {len(content)} bytes of {size}")
        named = self._times_published(name)
        if named != 1:
            found.doubled += 1
            found.said.append(f"{name} was given its final name {named} times")

    def _times_published(self, name: str) -> int:
        return sum(
            entry["operation"] in ("rename", "put") and Path(entry["path"]).name == name
            for entry in self.dacs_files.received()
        )

    def _judge_mails(self, found: Judged, *, maybe_twice: bool) -> None:
        received = Counter(mail["headers"]["Message-ID"] for mail in self.mail.received())
        for row in self.ask("mails"):
            times = received.pop(row["message_id"], 0)
            if times > 1:
                found.mails_doubled += 1
            allowed = (1, 2) if maybe_twice and row["maybe_twice"] else (1,)
            if times not in allowed:
                found.said.append(
                    f"The {row['kind']} mail came {times} times (maybe_twice={row['maybe_twice']})"
                )
        found.said.extend(f"A mail nobody queued: {left}" for left in received)


class Watch:
    """Looks at the target all the while: a final name must never be seen on a partial file."""

    def __init__(self, folder: Path, expected: dict[str, tuple[int, str]]) -> None:
        self._folder, self._expected = folder, expected
        self._seen: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> list[str]:
        """What was wrong, a sentence each."""
        self._stop.set()
        self._thread.join()
        return self._seen

    def _look(self) -> None:
        while not self._stop.wait(0.01):
            for entry in list(os.scandir(self._folder)):
                with contextlib.suppress(FileNotFoundError):
                    size = entry.stat().st_size
                    if entry.name in self._expected and size != self._expected[entry.name][0]:
                        self._seen.append(f"{entry.name} was seen at the target with {size} bytes")
