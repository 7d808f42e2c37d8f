"""Puts what the fault tests saw (var/fault-report.json) into the table of docs/reliability.md.

`python bench/fault_table.py`, after `FULL=1 python -m pytest tests/faults`.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "var" / "fault-report.json"
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
SUMS = ("tried", "files", "lost", "doubled", "damaged", "mails_doubled")
HEAD = ("Fault", "Tried", "Files", "Lost", "Doubled", "Damaged", "Mails doubled", "Databases")


def table(cases: list[dict[str, Any]]) -> str:
    """One row a fault, its seeds and databases summed; a case that did not pass is said in its row."""
    by_fault: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        by_fault[case["fault"].partition(" (seed")[0]].append(case)
    rows = [_row(fault, of_it) for fault, of_it in sorted(by_fault.items())]
    rows.append(_row("**All**", cases))
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ("--",) * len(HEAD), *rows))


def _row(fault: str, cases: list[dict[str, Any]]) -> tuple[str, ...]:
    failed = sum(not case["passed"] for case in cases)
    databases = sorted({NAMES[case["database"]] for case in cases}, reverse=True)
    counts = (str(sum(case[name] for case in cases)) for name in SUMS)
    return (fault + (f" (**{failed} failed**)" if failed else ""), *counts, ", ".join(databases))


def main() -> None:
    """Write the table between its marks."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(json.loads(REPORT.read_text()))}\n{END}{after}")


if __name__ == "__main__":
    main()
