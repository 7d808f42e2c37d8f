"""What a neighbour remembers from one start to the next: lines of JSON, each written to the end of a file."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file of JSON objects; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        """`path` is made with its directory when the first line is written."""
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> Iterator[dict[str, Any]]:
        """Every line, oldest first; a last line that a crash cut short is left out."""
        if self.path is None or not self.path.exists():
            return
        for line in self.path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)

    def add(self, *entries: dict[str, Any]) -> None:
        """Keep these lines."""
        if self.path is None or not entries:
            return
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                _mend(file)
                file.write("".join(json.dumps(entry) + "\n" for entry in entries).encode())


def _mend(file: Any) -> None:
    """Begin on a line of its own, also after a crash in the middle of one."""
    if file.seek(0, 2) == 0:
        return
    file.seek(-1, 2)
    if file.read(1) != b"\n":
        file.seek(0)
        whole = file.read().rpartition(b"\n")
        file.truncate(len(whole[0]) + len(whole[1]))
