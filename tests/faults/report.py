"""What each case saw, gathered into var/fault-report.json; docs/reliability.md's table is made from it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REPORT = Path(__file__).resolve().parents[2] / "var" / "fault-report.json"


@dataclass
class Case:
    """One fault on one database. `tried`: how often the fault struck."""

    fault: str
    database: str
    tried: int = 0
    files: int = 0
    lost: int = 0
    doubled: int = 0
    damaged: int = 0
    mails_doubled: int = 0
    passed: bool = False
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)


def write(cases: list[Case]) -> None:
    """Put these cases into the report; what earlier runs saw of other cases stays."""
    known: dict[str, Any] = {}
    if REPORT.exists():
        known = {_key(case): case for case in json.loads(REPORT.read_text())}
    known.update({_key(asdict(case)): asdict(case) for case in cases})
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(sorted(known.values(), key=_key), indent=1) + "\n")


def _key(case: dict[str, Any]) -> str:
    return f"{case['fault']} / {case['database']}"
