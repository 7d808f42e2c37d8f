"""`make bench`: each part in a process and a throw-away hub of its own; figures on the terminal and in var/bench.json.

Environment: FULL=1 (longer, more callers, larger files, PostgreSQL too), HUB_VAR (var/), BENCH_ONLY (parts by name,
separated by commas: sync, segments, files or one of its routes as files.sftp-os, lookups, pickup, storm, console),
BENCH_SQL=1 (each kind of SQL statement), BENCH_ROUNDS (of the file flow, 3), BENCH_POSTGRES
(postgres://postgres@127.0.0.1:5432/postgres).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.database import postgres_database, postgres_trouble
from bench.figures import Fact, Figure, Progress, heard
from bench.machine import machine
from bench.part import PARTS
from bench.processes import ROOT, end_group, hub_environment, python
from bench.show import Bar, Show

ON_POSTGRES = ("sync", "segments", "files.sftp-sftp", "files.sftp-os", "pickup", "storm", "console")


@dataclass(frozen=True, slots=True)
class Turn:
    """A part on a database."""

    part: str
    postgres: bool = False

    @property
    def title(self) -> str:
        """As it is shown."""
        return f"{self.part}{' on PostgreSQL' if self.postgres else ''}"


def main() -> int:
    """Measure all; the exit code."""
    show, full = Show(), os.environ.get("FULL", "") not in ("", "0")
    var = Path(os.environ.get("HUB_VAR") or ROOT / "var").resolve()
    var.mkdir(parents=True, exist_ok=True)
    about = machine(var)
    show.line(
        f"{about['cores']} cores, load {about['load_1min']}, {about['cpu']}, fsync {about['fsync_ms']} ms"
    )
    try:
        turns = _turns(show, full=full)
    except ValueError as error:
        show.trouble(str(error))
        return 1
    found, failed = _all(turns, var, show)
    show.figures(found)
    path = var / "bench.json"
    path.write_text(json.dumps(_written(about, found, failed, full=full), indent=2) + "\n")
    show.line(f"Written to {path}")
    return 1 if failed else 0


def _all(turns: Sequence[Turn], var: Path, show: Show) -> tuple[list[Figure | Fact], list[str]]:
    """What was found, and the titles of what failed: the others are measured all the same."""
    found: list[Figure | Fact] = []
    failed = []
    for turn in turns:
        try:
            with show.bar(turn.title) as bar:
                found += _measured(turn, var, bar)
        except RuntimeError as error:
            failed.append(turn.title)
            show.trouble(str(error))
    return found, failed


def _turns(show: Show, *, full: bool) -> Sequence[Turn]:
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name] or list(PARTS)
    names = {*PARTS, *(name.partition(".")[0] for name in PARTS)}
    if unknown := sorted(set(wanted) - names):
        raise ValueError(f"BENCH_ONLY names {', '.join(unknown)}; there are {', '.join(PARTS)}")
    chosen = [name for name in PARTS if name in wanted or name.partition(".")[0] in wanted]
    turns = [Turn(name) for name in chosen]
    if full and (trouble := postgres_trouble()):
        show.line(f"[yellow]Without PostgreSQL:[/] {trouble}")
    elif full:
        turns += [Turn(name, postgres=True) for name in chosen if name in ON_POSTGRES]
    return turns


def _measured(turn: Turn, var: Path, bar: Bar) -> list[Figure | Fact]:
    """Run one part; RuntimeError with the end of what it said where it fails."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=var, prefix="bench-")))
        more = {"FULL": os.environ.get("FULL", "")}
        if turn.postgres:
            more["DATABASE_URL"] = stack.enter_context(postgres_database())
        with (work / "part.log").open("wb") as log:
            process = subprocess.Popen(
                python("-m", "bench.part", turn.part),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=hub_environment(work, more),
                cwd=ROOT,
                start_new_session=True,
            )
        stack.callback(end_group, process)
        found = _heard(process, bar)
        if process.wait() != 0:
            kept = shutil.copy(work / "part.log", var / f"bench-{turn.part}.log")
            raise RuntimeError(f"{turn.title} failed; {kept} ends with:\n{Path(kept).read_text()[-3000:]}")
    return found


def _heard(process: "subprocess.Popen[str]", bar: Bar) -> list[Figure | Fact]:
    found: list[Figure | Fact] = []
    for line in process.stdout or ():
        news = heard(line)
        if isinstance(news, Progress):
            bar.update(news)
        else:
            found.append(news)
    return found


def _written(
    about: dict[str, Any], found: Sequence[Figure | Fact], failed: Sequence[str], *, full: bool
) -> dict[str, Any]:
    """What bench.json holds."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "full": full,
        "failed": list(failed),
        "machine": {**about, "load_1min_after": round(os.getloadavg()[0], 2)},
        "figures": [{**asdict(one), "ratio": one.ratio} for one in found if isinstance(one, Figure)],
        "facts": [asdict(one) for one in found if isinstance(one, Fact)],
    }


if __name__ == "__main__":
    sys.exit(main())
