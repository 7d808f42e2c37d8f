"""The hub's own processes under one supervisor: started, logged, watched, stopped with all they started."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 40.0  # the worker gives its tasks 28 s
KEPT_LINES = 15
PROCESSES = Path("/proc")
MARK = "BUSBAR_RUN"  # the variable that says which run a process belongs to


class ChildDiedError(Exception):
    """A child has ended by itself; the text has the last lines of its log."""


class Child:
    """One process in a session of its own, so that Ctrl-C reaches the supervisor alone."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        directory: Path,
        mark: str,
        lock: int = -1,
    ) -> None:
        """`log`: its output goes there, the one before is kept as `.1`; `mark`: what it and all it starts carry
        in their environment; `lock`: a descriptor it holds open.
        """
        self.name = name
        self.log = log
        if log.exists():
            log.rename(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  (our own commands, no shell)
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, MARK: mark},
                cwd=directory,
                start_new_session=True,
                pass_fds=() if lock < 0 else (lock,),
            )

    @property
    def pid(self) -> int:
        """Its process id, which is its session's too."""
        return self._process.pid

    def check(self) -> None:
        """ChildDiedError where it has ended."""
        code = self._process.poll()
        if code is not None:
            how = (
                f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            )
            raise ChildDiedError(f"The {self.name} {how}. {self.tail()}")

    def tail(self) -> str:
        """The last lines of its log, with the place of the whole."""
        lines = self.log.read_text(errors="replace").splitlines()[-KEPT_LINES:]
        text = "\n".join(f"  {line}" for line in lines) or "  (it is empty)"
        return f"The end of its log {self.log}:\n{text}"

    def ask_to_stop(self) -> None:
        """SIGTERM; nothing where it has ended."""
        if self._process.poll() is None:
            self._process.terminate()

    def stop(self, *, deadline: float) -> bool:
        """Wait until `deadline` (monotonic seconds), then kill the whole group; whether it went by itself."""
        gone = True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            gone = False
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        return gone


def stop_all(children: Sequence[Child], *, mark: str, seconds: float = GRACE_SECONDS) -> list[str]:
    """Stop them together, and then all that carries their `mark`; the names of those that had to be killed."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + seconds
    killed = [child.name for child in children if not child.stop(deadline=deadline)]
    for pid in marked(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return killed


def marked(mark: str) -> list[int]:
    """Processes that were started with MARK=`mark` in their environment, in whatever session, by whatever parent.

    A worker that was killed leaves its cluster to the machine's first process; only this still finds it.
    """
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in PROCESSES.glob("[0-9]*/environ"):
        with suppress(OSError):
            if wanted in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return found
