"""The CCS neighbour in a process of its own, with sync requests that wait for their acknowledgement.

`python -m bench.neighbours COUNT` prints its address as JSON and serves until its input ends.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from bench.hub import ccs_reach
from bench.processes import ROOT, end_group, python
from demo.ccs import Ccs
from demo.extracts import CONTACT
from demo.reach import Reach

FIRST_ID = 20_000_000_000_001
USER, PASSWORD = "BENCH", "of the measurement alone"


@dataclass(slots=True)
class CcsProcess:
    """A CCS that runs. `take` gives ids of sync requests that nobody has acknowledged yet."""

    url: str
    count: int
    user: str = USER
    password: str = field(default=PASSWORD, repr=False)
    _taken: int = 0

    @property
    def reach(self) -> Reach:
        """How the hub reaches it."""
        return ccs_reach(self.url, self.user, self.password)

    def take(self, count: int) -> list[str]:
        """So many ids; RuntimeError where they are used up."""
        if self._taken + count > self.count:
            raise RuntimeError(f"CCS has {self.count} sync requests, {self._taken + count} were asked for")
        first = FIRST_ID + self._taken
        self._taken += count
        return [f"{first + n:014}" for n in range(count)]


@contextmanager
def ccs_process(count: int) -> Iterator[CcsProcess]:
    """Start one with `count` sync requests; it ends with the block."""
    process = subprocess.Popen(
        python("-m", "bench.neighbours", str(count)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield CcsProcess(url=_first_line(process.stdout)["url"], count=count)
    finally:
        end_group(process)


def _first_line(output: IO[bytes] | None) -> Any:
    line = output.readline() if output else b""
    if not line:
        raise RuntimeError("The CCS neighbour did not start; its message is above")
    return json.loads(line)


def main() -> None:
    """Serve until standard input ends."""
    with Ccs(population=300, first_id=FIRST_ID, username=USER, password=PASSWORD) as ccs:
        made = ccs.change(CONTACT, int(sys.argv[1]))
        ccs.sync_requests.extracted(made, "bench")
        sys.stdout.write(json.dumps({"url": ccs.url}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
