"""What each case saw, gathered into var/fault-report.json; docs/reliability.md's tables are made from it."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.judge import Judged

REPORT = Path(__file__).resolve().parents[2] / "var" / "fault-report.json"


@dataclass
class Case:
    """One fault on one database. `group`: the table it stands in; `tried`: how often the fault struck.

    Figures are None until they are known: a case that failed before it was judged has lost nothing nor kept it.
    """

    fault: str
    database: str
    group: str = ""
    test: str = ""
    tried: int = 0
    files: int | None = None
    lost: int | None = None
    doubled: int | None = None
    damaged: int | None = None
    mails_doubled: int | None = None
    uploads_left: int | None = None
    passed: bool = False
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)

    def add(self, judged: "Judged") -> None:
        """What the judge found, beside what it found before."""
        for name in ("files", "lost", "doubled", "damaged", "mails_doubled", "uploads_left"):
            setattr(self, name, (getattr(self, name) or 0) + getattr(judged, name))


def begin_anew() -> None:
    """Forget what earlier runs saw: a whole run follows."""
    with _locked():
        REPORT.unlink(missing_ok=True)


def write(cases: list[Case]) -> None:
    """Put these cases into the report; what earlier runs saw of other tests stays."""
    with _locked():
        known = json.loads(REPORT.read_text()) if REPORT.exists() else []
        ours = {case.test for case in cases}
        kept = [case for case in known if case["test"] not in ours]
        everything = sorted([*kept, *map(asdict, cases)], key=_key)
        REPORT.write_text(json.dumps(everything, indent=1) + "\n")


def _key(case: dict[str, Any]) -> tuple[str, ...]:
    return case["group"], case["fault"], case["database"], case["test"]


@contextmanager
def _locked() -> Iterator[None]:
    """Several processes may test at once."""
    REPORT.parent.mkdir(exist_ok=True)
    with REPORT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
