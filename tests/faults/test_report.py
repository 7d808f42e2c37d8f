"""The table in docs/reliability.md says only what is known."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from bench.fault_table import tables
from tests.faults.judge import Judged
from tests.faults.report import Case


def passed(fault: str, group: str, database: str) -> Case:
    """A case that was judged."""
    case = Case(fault, database, group, "a test", tried=1)
    case.add(Judged(files=3))
    return replace(case, passed=True)


def rows(*cases: Case) -> list[dict[str, Any]]:
    return [asdict(case) for case in cases]


def test_a_fault_on_both_databases_is_one_row_of_its_group() -> None:
    made = tables(
        rows(
            passed("cut", "Cuts", "sqlite"), passed("cut", "Cuts", "postgres"), passed("x", "Kills", "sqlite")
        )
    )
    assert "### Cuts" in made
    assert "| cut | 2 | 6 | 0 | 0 | 0 | 0 | 0 | SQLite, PostgreSQL |" in made
    assert "| **All** | 3 | 9 | 0 |" in made


@pytest.mark.parametrize("changed", [{"passed": False}, {"lost": None}])
def test_no_table_is_made_where_a_case_failed(changed: dict[str, Any]) -> None:
    wrong = replace(passed("cut", "Cuts", "postgres"), **changed)
    with pytest.raises(ValueError, match=r"Cuts: cut \(postgres\)"):
        tables(rows(passed("cut", "Cuts", "sqlite"), wrong))


def test_a_case_that_was_never_judged_has_no_figures() -> None:
    assert Case("cut", "sqlite").lost is None
