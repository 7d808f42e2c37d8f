"""Every row of the catalogue of errors has its test, and the documentation says which."""

from pathlib import Path

import pytest

from tests.crm.catalogue import (
    USE_CASES,
    Row,
    row_test,
    shipped_rows,
    table,
    use_case_test,
    use_cases,
    written_tests,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "crm-errors.md"
WRITTEN = written_tests()


@pytest.mark.parametrize("row", shipped_rows(), ids=lambda row: row.key)
def test_the_row_has_a_test_of_its_name(row: Row):
    assert row_test(row, WRITTEN), f"Nobody tests {row.key!r}: write {row.test} in tests/crm"


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_the_use_case_without_an_error_code_has_its_test(case: tuple[str, str, str]):
    assert use_case_test(case[2], WRITTEN), f"Nobody tests {case[1]!r} of table {case[0]}: write {case[2]}"


def test_no_row_is_there_twice():
    keys = [row.key.casefold() for row in shipped_rows()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ChangedTroubleTickets DuplicateMRIDs", "test_changed_trouble_tickets_duplicate_mrids"),
        (
            "CreatedCallBacksResults CallbackResultMissing",
            "test_created_callbacks_results_callback_result_missing",
        ),
        (
            "GetTroubleTickets EntityNotFound (no tickets)",
            "test_get_trouble_tickets_entity_not_found_no_tickets",
        ),
        ("GetTroubleTickets EntityNotFound (mRID)", "test_get_trouble_tickets_entity_not_found_mrid"),
    ],
)
def test_a_row_names_its_test(key: str, name: str):
    assert Row(key, "", "", "", "", "").test == name


def test_the_documentation_has_the_table_as_it_is():
    said = DOCUMENT.read_text().split("\n")
    missing = [line for line in f"{table()}\n{use_cases()}".split("\n") if line not in said]
    assert not missing, "Put what `python -m tests.crm.catalogue` prints into docs/crm-errors.md"
