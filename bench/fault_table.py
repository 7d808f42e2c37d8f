"""Puts what the fault tests saw (var/fault-report.json) into the tables of docs/reliability.md.

`python bench/fault_table.py`, after `FULL=1 python -m pytest -m fault`. Where a case failed nothing is written: a table
must not say that nothing was lost where nobody knows.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "var" / "fault-report.json"
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
SUMS = ("tried", "files", "lost", "doubled", "damaged", "mails_doubled", "uploads_left")
HEAD = ("Tried", "Files", "Lost", "Doubled", "Damaged", "Mails doubled", "Uploads left", "Databases")
Cases = Sequence[dict[str, Any]]


def failed(cases: Cases) -> list[str]:
    """The cases that did not pass, or of which a figure is not known."""
    return [
        f"{case['group']}: {case['fault']} ({case['database']})"
        for case in cases
        if not case["passed"] or any(case[name] is None for name in SUMS)
    ]


def tables(cases: Cases) -> str:
    """A table a group, a row a fault; before them one that sums up the groups. ValueError where a case failed."""
    if wrong := failed(cases):
        raise ValueError("These cases failed:\n" + "\n".join(wrong))
    groups = _by(cases, "group")
    summary = _table("Kind of fault", [(name, of_it) for name, of_it in groups.items()], total=cases)
    parts = [
        f"### {name}\n\n{_table('Fault', list(_by(of_it, 'fault').items()))}"
        for name, of_it in groups.items()
    ]
    return "\n\n".join([summary, *parts])


def _by(cases: Cases, key: str) -> dict[str, list[dict[str, Any]]]:
    """In the order of their names."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        found[case[key]].append(case)
    return dict(sorted(found.items()))


def _table(what: str, rows: list[tuple[str, list[dict[str, Any]]]], total: Cases = ()) -> str:
    lines = [(what, *HEAD), ("--",) * (len(HEAD) + 1), *(_row(name, of_it) for name, of_it in rows)]
    if total:
        lines.append(_row("**All**", total))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, cases: Cases) -> tuple[str, ...]:
    databases = sorted({NAMES[case["database"]] for case in cases}, reverse=True)
    counts = (str(sum(case[figure] for case in cases)) for figure in SUMS)
    return (name, *counts, ", ".join(databases))


def main() -> int:
    """Write the tables between their marks; 1, and nothing written, where a case failed."""
    try:
        made = tables(json.loads(REPORT.read_text()))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
