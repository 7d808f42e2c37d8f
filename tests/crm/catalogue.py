"""The catalogue of errors, row by row, and the test that shows each: `python -m tests.crm.catalogue` prints it.

A row's test is named after it, `test_<operation>_<reason>`; where one reason has several rows, with the case behind it.
Below it stand the use cases that have no error code.
"""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FIXTURE = HERE.parents[1] / "fixtures" / "lookups" / "gridops-crm.json"
LOOKUP = "GRIDOPS-CRM_Errors"
HEADINGS = ("Operation", "Reason", "Code", "Level", "Result", "Details", "Test")
# Table 9.1 tells of the reply to a message of ours: its test is named after the use case.
BY_USE_CASE = {"CreatedCallBacks InvalidMessage": "test_created_callbacks_invalid_response_message"}

# Table of seed 004, use case, test: those with N/A for an error code.
USE_CASES = (
    (
        "5.1",
        "Customers are not affected by an existing incident",
        "test_created_trouble_tickets_customers_not_affected_by_existing_incidents",
    ),
    (
        "5.1",
        "Customers are affected by an existing incident",
        "test_created_trouble_tickets_customers_affected_by_existing_incidents",
    ),
    (
        "5.1",
        "Customers do not exist in model",
        "test_created_trouble_tickets_customers_do_not_exist_in_model",
    ),
    (
        "5.1",
        "No usage point, location and position point",
        "test_created_trouble_tickets_without_usage_point_location_and_position_point",
    ),
    (
        "5.1",
        "Usage point and location or position point",
        "test_created_trouble_tickets_with_usage_point_and_location_or_position_point",
    ),
    ("5.1", "Location and position point", "test_created_trouble_tickets_with_location_and_position_point"),
    (
        "5.1",
        "Location based call is created even if the landbase service is down",
        "test_created_trouble_tickets_location_based_call_while_landbase_service_is_down",
    ),
    (
        "5.1",
        "Successfully created for existing landbase data",
        "test_created_trouble_tickets_for_existing_landbase_data",
    ),
    (
        "5.1",
        "Successfully created for valid coordinates",
        "test_created_trouble_tickets_for_valid_coordinates",
    ),
    (
        "5.2",
        "Comments are successfully updated",
        "test_changed_trouble_tickets_comments_are_successfully_updated",
    ),
    (
        "5.2",
        "Caller contact data are successfully updated",
        "test_changed_trouble_tickets_caller_contact_data_are_successfully_updated",
    ),
    (
        "5.2",
        "Both mRID and name are specified",
        "test_changed_trouble_tickets_both_mrid_and_name_are_specified",
    ),
    ("6.1", "Valid trouble ticket mRID", "test_a_valid_mrid_finds_the_ticket"),
    ("6.1", "Valid trouble ticket name", "test_a_valid_name_finds_the_ticket"),
    ("6.1", "Valid incident mRID", "test_a_valid_incident_finds_all_of_its_tickets"),
    ("6.1", "Valid usage point mRID", "test_a_valid_usage_point_finds_all_of_its_tickets"),
    (
        "6.1",
        "Both active and archived trouble tickets",
        "test_active_and_archived_tickets_are_pulled_in_one_call",
    ),
    ("6.1", "Multiple caller contacts", "test_of_several_contacts_the_preferred_one_is_given"),
    ("7.1", "Count, csrId, valid language and priority", "test_count_csr_language_and_priority_are_obeyed"),
    ("7.1", "Multiple caller contacts", "test_of_several_callers_the_preferred_contacts_one_is_given"),
    ("8.1", "Callback statuses updated successfully", "test_statuses_are_updated_and_comments_appended"),
    ("9.1", "Callbacks are sent successfully", "test_created_callbacks_are_sent_successfully"),
    (
        "9.1",
        "Multiple caller contacts",
        "test_created_callbacks_contain_multiple_caller_contacts_the_preferred_one_s_person_goes",
    ),
    ("9.1", "Unavailable external system", "test_created_callbacks_unavailable_external_system"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the lookup. `key`: operation, reason and, in brackets, the case."""

    key: str
    code: str
    level: str
    result: str
    reason: str
    details: str

    @property
    def operation(self) -> str:
        """The operation that answers with it."""
        return self.key.partition(" ")[0]

    @property
    def case(self) -> str:
        """The reason, with its case behind it."""
        return self.key.partition(" ")[2]

    @property
    def test(self) -> str:
        """What its test is called."""
        return BY_USE_CASE.get(self.key) or f"test_{_snake(self.operation)}_{_snake(self.case)}"


def shipped_rows() -> list[Row]:
    """The rows of the lookup as it is shipped."""
    lookups = json.loads(FIXTURE.read_text())["lookups"]
    (found,) = [one for one in lookups if one["name"] == LOOKUP]
    return [Row(*cells) for cells in found["rows"]]


def written_tests() -> dict[str, str]:
    """The tests of this folder, from the name without underscores to `file::name`."""
    found: dict[str, str] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[_folded(node.name)] = f"{path.name}::{node.name}"
    return found


def row_test(row: Row, written: dict[str, str]) -> str | None:
    """Where the row's test is; None where nobody has written it."""
    return written.get(_folded(row.test))


def use_case_test(name: str, written: dict[str, str]) -> str | None:
    """Where a use case's test is; None where nobody has written it."""
    return written.get(_folded(name))


def table() -> str:
    """The catalogue as a Markdown table, a row a line; rows without a test say so."""
    written = written_tests()
    lines: list[tuple[str, ...]] = [HEADINGS]
    for row in sorted(shipped_rows(), key=_place):
        test = row_test(row, written) or f"{row.test} IS MISSING"
        lines.append(
            (row.operation, row.case, row.code, row.level, row.result, f"`{row.details}`", f"`{test}`")
        )
    return _markdown(lines)


def use_cases() -> str:
    """The use cases without an error code, as a Markdown table."""
    written = written_tests()
    lines: list[tuple[str, ...]] = [("Table", "Use case", "Test")]
    for number, title, name in USE_CASES:
        lines.append((number, title, f"`{use_case_test(name, written) or f'{name} IS MISSING'}`"))
    return _markdown(lines)


def _markdown(lines: list[tuple[str, ...]]) -> str:
    head, *rows = (f"| {' | '.join(cells)} |" for cells in lines)
    return "\n".join([head, f"|{'--|' * len(lines[0])}", *rows])


_ORDER = (
    "CreatedTroubleTickets",
    "ChangedTroubleTickets",
    "GetTroubleTickets",
    "GetCallbacks",
    "CreatedCallBacksResults",
    "CreatedCallBacks",
)


def _place(row: Row) -> int:
    return _ORDER.index(row.operation)


def _snake(name: str) -> str:
    """Words of small letters: CallBacks is one word, and so are mRID and Mrid."""
    plain = name.replace("CallBacks", "Callbacks").replace("MRID", "Mrid").replace("mRID", "mrid")
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def _folded(name: str) -> str:
    return name.replace("_", "")


if __name__ == "__main__":
    print(table(), use_cases(), sep="\n\n")
