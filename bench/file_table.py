"""Puts the file flow's figures (var/bench.json) into the table of docs/performance.md.

`python -m bench.file_table [FILE]`, after `FULL=1 make bench`; FILE where it is not var/bench.json.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.processes import ROOT
from bench.show import number_text

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- files: begin -->", "<!-- files: end -->"
HEAD = ("Files", "Hub", "Against", "Yardstick", "Ratio", "Rounds", "Peak MiB", "CPU ms")
PART = "Files, "
Figure = dict[str, Any]


def table(found: dict[str, Any]) -> str:
    """A line on the run, then for each route and database a table: a row a batch and yardstick, and what is above
    idle.
    """
    figures = [one for one in found["figures"] if one["part"].startswith(PART) and one["peak_mib"]]
    machine = found["machine"]
    about = (
        f"{found['at'][:10]}; {machine['cores']} cores ({machine['cpu']}), load {machine['load_1min']} before and "
        f"{machine['load_1min_after']} after; one synced 4 KiB write {machine['fsync_ms']:.2g} ms."
    )
    parts = (
        _part(name, list(some), found["facts"])
        for name, some in groupby(figures, key=lambda one: one["part"])
    )
    return "\n\n".join((about, *parts))


def _part(name: str, figures: Sequence[Figure], facts: Sequence[dict[str, Any]]) -> str:
    rows = [HEAD, ("--",) * len(HEAD), *_rows(figures)]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    beside = [
        f"* {one['what']}: {one['value']} {one['unit']}".rstrip() for one in facts if one["part"] == name
    ]
    title = name.removeprefix(PART).replace(", sqlite", ", SQLite").replace(", postgresql", ", PostgreSQL")
    return "\n\n".join((f"**{title[0].upper()}{title[1:]}**", lines, "\n".join(beside)))


def _rows(figures: Sequence[Figure]) -> Iterator[tuple[str, ...]]:
    last = ""
    for one in figures:
        batch, last = ("" if one["what"] == last else one["what"]), one["what"]
        spread = " to ".join(f"{ratio:.2g}" for ratio in sorted({min(one["ratios"]), max(one["ratios"])}))
        yield (
            *(batch, f"{number_text(one['value'])} {one['unit']}", one["yardstick_what"]),
            *(number_text(one["yardstick"]), f"**{one['ratio']:.2f}**", spread),
            _both(one, "peak_mib"),
            _both(one, "cpu_ms"),
        )


def _both(one: Figure, name: str) -> str:
    return f"{number_text(one[name])} / {number_text(one[f'yardstick_{name}'])}"


def main() -> None:
    """Write the table between its marks."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var" / "bench.json"
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(json.loads(path.read_text()))}\n{END}{after}")


if __name__ == "__main__":
    main()
