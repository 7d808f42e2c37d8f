"""Asking a hub from inside: a process of its own Django that answers (tests/faults/inside.py)."""

import json
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.faults.databases import ROOT

LONGEST = 40  # seconds an answer may take


class Inside:
    """The process; one question at a time, from any thread."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        """It is ready afterwards. `environment` says which hub it is; its errors go to `log`."""
        self._log, self._lock = log, threading.Lock()
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.inside"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._answer()

    def ask(self, do: str, **values: Any) -> Any:
        """What the function of this name in tests/faults/answers.py answers; AssertionError with what went wrong."""
        with self._lock:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
            self.process.stdin.flush()
            return self._answer()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _answer(self) -> Any:
        out = self.process.stdout
        assert out is not None
        ready, _, _ = select.select([out], [], [], LONGEST)
        line = out.readline() if ready else b""
        assert line, f"No answer from inside:\n{self._log.read_text()[-2000:]}"
        said = json.loads(line)
        assert "error" not in said, said["error"]
        return said["ok"]
