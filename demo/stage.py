"""The hub itself beside its neighbours: database, web server, worker, each started in the order they need."""

import hashlib
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import requests

from demo.children import Child, stop_all
from demo.lock import RunLock

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60.0
PROBE_SECONDS = 15.0
HUNG_AFTER = 4


class CannotStartError(Exception):
    """What is in the way, and what to do about it."""


class NotReadyError(Exception):
    """The hub did not come up, or stopped answering; the text says what it said last."""


class Stage:
    """The hub's processes. `url` is where the web server answers."""

    def __init__(self, *, var: Path, port: int, lock: RunLock) -> None:
        """`var`: where logs go; nothing is started yet."""
        self.var = var
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._lock = lock
        self._mark = secrets.token_hex(8)
        self._children: list[Child] = []
        self._probed = time.monotonic()
        self._silent = 0

    def start(self) -> None:
        """Web server and worker, each in its own process with its own log."""
        web = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1")
        threads = ("--blocking-threads", "8", "--no-ws", "hub.wsgi:application")
        self._child("web server", "web", [sys.executable, "-m", "granian", *web, *threads])
        self._child("worker", "worker", [sys.executable, str(ROOT / "manage.py"), "hub_beat", "--cluster"])

    def wait_until_ready(self) -> None:
        """Until /readyz says yes; NotReadyError with its reasons, ChildDiedError with the end of a log."""
        deadline = time.monotonic() + READY_SECONDS
        while (said := self._readiness()) != "":
            self.check_processes()
            if time.monotonic() > deadline:
                tails = "\n".join(child.tail() for child in self._children)
                raise NotReadyError(f"The hub is not ready after {READY_SECONDS:.0f} s: {said}\n{tails}")
            time.sleep(0.2)

    def watch(self) -> None:
        """All is well, else ChildDiedError or, where the web server hangs, NotReadyError."""
        self.check_processes()
        if time.monotonic() - self._probed < PROBE_SECONDS:
            return
        self._probed = time.monotonic()
        self._silent = 0 if self._answers("/healthz") else self._silent + 1
        if self._silent >= HUNG_AFTER:
            web = self._children[0]
            raise NotReadyError(f"The {web.name} hangs: {self.url}/healthz does not answer. {web.tail()}")

    def check_processes(self) -> None:
        """ChildDiedError where one has ended."""
        for child in self._children:
            child.check()

    def stop(self) -> list[str]:
        """End them all; the names of those that had to be killed."""
        killed = stop_all(self._children, mark=self._mark)
        self._children = []
        return killed

    def _child(self, name: str, log: str, command: list[str]) -> None:
        path = self.var / "log" / f"{log}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        child = Child(
            name,
            command,
            log=path,
            environment=os.environ,
            directory=ROOT,
            mark=self._mark,
            lock=self._lock.descriptor,
        )
        self._children.append(child)
        self._lock.note(name, child.pid)

    def _readiness(self) -> str:
        """What /readyz still misses, "" for nothing."""
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=10)
            missing = {name: said for name, said in answer.json().get("checks", {}).items() if said != "ok"}
        except (requests.RequestException, ValueError) as error:
            return f"/readyz does not answer ({type(error).__name__})"
        return "" if answer.ok else "; ".join(missing.values()) or f"/readyz answered {answer.status_code}"

    def _answers(self, path: str) -> bool:
        try:
            return requests.get(f"{self.url}{path}", timeout=10).ok
        except requests.RequestException:
            return False


def static_files_are_current(static: Path, stamp: str) -> bool:
    """Whether the collected files are those of this `stamp`."""
    kept = static / ".stamp"
    return kept.exists() and kept.read_text() == stamp


def static_stamp() -> str:
    """Changes when the pinned packages or our own static files do."""
    found = hashlib.sha256()
    own = (
        path
        for folder in ("hub", "integrations", "lookups", "crm")
        for path in (ROOT / folder).rglob("static/**/*")
    )
    for path in sorted([ROOT / "requirements.txt", *own]):
        if path.is_file():
            found.update(
                f"{path.relative_to(ROOT)} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode()
            )
    return found.hexdigest()


def collect_static(static: Path, command: Callable[..., object], log: Path) -> None:
    """Collect the console's files where they are missing or old; `command` is Django's call_command."""
    stamp = static_stamp()
    if static_files_are_current(static, stamp):
        return
    with log.open("a") as output:
        command("collectstatic", interactive=False, verbosity=0, clear=True, stdout=output)
    (static / ".stamp").write_text(stamp)


def variables(pairs: Iterable[tuple[str, str]]) -> None:
    """Set what this process and its children read from the environment."""
    os.environ.update(dict(pairs))


def log_to(path: Path) -> None:
    """What this process and its neighbours log goes to a file: the terminal is for what the user has to know."""
    handler = logging.FileHandler(path, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.root.handlers = [handler]
