import io
import re

import openpyxl
import pytest
import tablib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookups.escape import escape_cell, unescape_cell
from lookups.formats import FORMATS, SheetInvalid, dataset_of
from lookups.kinds import cell_of, cell_problem
from lookups.models import Alias, Lookup, Row
from lookups.services import row_save, rows_export, rows_import, sheet_read

CELLS = st.one_of(st.text(max_size=20), st.text("'=+-@\t\r\n ab,;\"", max_size=6)).map(cell_of)
CELLS = CELLS.filter(lambda text: not cell_problem(text))


def imported(lookup, text, **options):
    return rows_import(lookup=lookup, content=text.encode(), form="csv", **options)


def cells(lookup):
    return [row.cells for row in lookup.rows.all()]


@pytest.mark.parametrize("first", [*"=+-@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(first):
    assert escape_cell(f"{first}SUM(A1)") == f"'{first}SUM(A1)"


@given(st.text())
def test_escaping_is_undone_whatever_the_text(text):
    assert unescape_cell(escape_cell(text)) == text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_is_exported_comes_back_the_same(form, rows):
    shape = FORMATS[form]()
    back = shape.create_dataset(shape.export_data(tablib.Dataset(*rows, headers=["A", "B", "C"])))
    assert [list(row) for row in back] == [row for row in rows if any(row)]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_own_export_changes_nothing_when_imported(asset_types, form):
    row_save(row=Row(lookup=asset_types, cells=['=HYPERLINK("http://x")', "'-1"]))
    before, history = cells(asset_types), Row.history.count()
    content = rows_export(lookup=asset_types, form=form)
    result = rows_import(lookup=asset_types, content=content, form=form, replace=True)
    assert result.totals["skip"] == 4
    assert cells(asset_types) == before
    assert Row.history.count() == history


def test_an_export_shows_no_formula(asset_types):
    row_save(row=Row(lookup=asset_types, cells=["=1+1", "@x"]))
    assert b"'=1+1,'@x\r\n" in rows_export(lookup=asset_types, form="csv")
    book = openpyxl.load_workbook(io.BytesIO(rows_export(lookup=asset_types, form="xlsx")))
    assert [cell.data_type for cell in book.active[5]] == ["s", "s"]


def test_rows_are_added_and_updated_with_history(asset_types, business_admin):
    result = imported(asset_types, "DERMS,DACS\r\nEVSE,X1NEW\r\nBATTERY,X1BA\r\n", person=business_admin)
    assert (result.totals["new"], result.totals["update"], result.totals["skip"]) == (1, 1, 0)
    assert cells(asset_types)[2:] == [["EVSE", "X1NEW"], ["BATTERY", "X1BA"]]
    change = Row.history.filter(history_type="~").latest()
    assert (change.before["cells"], change.cells) == (["EVSE", "X1EV"], ["EVSE", "X1NEW"])
    assert (change.history_user, change.history_change_reason) == (business_admin, "Import")


def test_a_replacing_import_deletes_what_the_file_leaves_out(asset_types):
    preview = imported(asset_types, "DERMS,DACS\nEVSE,X1EV\n", replace=True, preview=True)
    assert [row.import_type for row in preview.rows] == ["delete", "delete"]
    assert len(cells(asset_types)) == 3
    imported(asset_types, "DERMS,DACS\nEVSE,X1EV\n", replace=True)
    assert cells(asset_types) == [["EVSE", "X1EV"]]


def test_three_bad_rows_are_each_told_and_nothing_is_imported(config):
    text = (
        "Property Name,Value\nnotification.email.error.flag,maybe\nccs.prefixtag.fileuploaded,DONE-\n"
        "ccs.error.ack.message.number,many\ndacs.file.target.transfer.pref,smb\n"
    )
    result = imported(config, text)
    said = {row.number: row.error.messages for row in result.invalid_rows}
    assert said == {
        1: ["notification.email.error.flag is 'maybe', not true or false"],
        3: ["ccs.error.ack.message.number is 'many', not a whole number"],
        4: ["dacs.file.target.transfer.pref is 'smb', not one of ftp, os"],
    }
    assert config.rows.get(folded="ccs.prefixtag.file.uploaded").cells[1] == "SENT-"


def test_a_property_under_another_spelling_is_the_same_property(config):
    assert Alias.objects.filter(spelling="ccs.prefixtag.fileuploaded").exists()
    imported(config, "Property Name,Value\nccs.prefixtag.fileuploaded,DONE-\n")
    assert config.rows.get(folded="ccs.prefixtag.file.uploaded").cells[:2] == [
        "ccs.prefixtag.file.uploaded",
        "DONE-",
    ]
    assert config.rows.count() == 15


def test_a_file_as_oracle_integration_exports_it_is_taken(db):
    emails = Lookup.objects.get(name="OUTL-BRT-CCS_DACS_Email_ID")
    imported(emails, "OUTL-BRT-CCS_DACS_Email_ID\nRecipient,Email_Id\nto,ops@example.org\n")
    assert emails.rows.get(folded="to").cells[1] == "ops@example.org"
    assert emails.rows.get(folded="to").cells[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DERMS,Code\na,b\n", "has the columns DERMS, DACS; the file has 'Code'"),
        ("DACS\nb\n", "the file lacks DERMS"),
        ("DERMS,derms\na,b\n", "the file has one of them twice"),
    ],
)
def test_a_wrong_heading_is_told_before_any_row(asset_types, text, said):
    (error,) = imported(asset_types, text).base_errors
    assert said in str(error.error)
    assert len(cells(asset_types)) == 3


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        (b"A,B\n1,2,3\n", "csv", "Line 2 has 3 cells, the header 2"),
        (b"", "csv", "The file is empty"),
        (b"A,B\n\xff,2\n", "csv", "not UTF-8"),
        (b'A,B\n"1,2\n', "csv", "not CSV"),
        (b"A,B\n1,2\n", "xlsx", "not an XLSX workbook"),
        (b"A,B", "ods", "no format"),
    ],
)
def test_a_file_that_is_no_table_says_why(db, content, form, said):
    with pytest.raises(SheetInvalid, match=said):
        sheet_read(content, form=form)


def test_a_file_of_too_many_rows_is_refused():
    with pytest.raises(SheetInvalid, match="more than 50000 rows"):
        dataset_of(["a", "b"] for _ in range(50_002))


def test_numbers_and_booleans_of_a_workbook_become_text(config):
    book = openpyxl.Workbook()
    book.active.append(["Property Name", "Value"])
    book.active.append(["ccs.error.ack.message.number", 11002.0])
    book.active.append(["notification.email.error.flag", False])
    out = io.BytesIO()
    book.save(out)
    assert not rows_import(lookup=config, content=out.getvalue(), form="xlsx").has_validation_errors()
    assert config.rows.get(folded="ccs.error.ack.message.number").cells[1] == "11002"
    assert config.rows.get(folded="notification.email.error.flag").cells[1] == "false"


def test_a_semicolon_file_with_a_byte_order_mark_is_taken(asset_types):
    imported(asset_types, "\ufeffDERMS;DACS\nEVSE;X,1\n")
    assert ["EVSE", "X,1"] in cells(asset_types)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Property Name,Value\nnew.property,1\n", "new.property is a new property"),
        (
            "Property Name,Description\nccs.prefixtag.file.uploaded,mine\n",
            "Description of .* cannot be changed",
        ),
    ],
)
def test_a_business_admin_imports_values_only(config, business_admin, text, said):
    (row,) = imported(config, text, person=business_admin).invalid_rows
    assert re.search(said, row.error.messages[0])


def test_a_business_admin_deletes_no_property_by_replacing(config, business_admin):
    text = "Property Name,Value\nccs.prefixtag.file.uploaded,X-\n"
    result = imported(config, text, person=business_admin, replace=True)
    assert "you may not delete properties" in str(result.base_errors[0].error)
    assert config.rows.get(folded="ccs.prefixtag.file.uploaded").cells[1] == "SENT-"


def test_a_property_twice_in_a_file_is_refused(config):
    result = imported(
        config, "Property Name,Value\nccs.prefixtag.fileuploaded,A\nccs.prefixtag.file.uploaded,B\n"
    )
    assert result.invalid_rows[0].error.messages == ["ccs.prefixtag.file.uploaded is in the file twice"]


@pytest.mark.parametrize(
    "first",
    ["DVM,OUTL-BRT-TEST_AssetType,What DERMS calls a device", "OUTL-BRT-TEST_AssetType,Devices", "dvm,X"],
)
def test_a_title_line_with_a_mark_or_a_description_is_left_out(asset_types, first):
    imported(asset_types, f"{first}\nDERMS,DACS\nEVSE,X1NEW\n")
    assert ["EVSE", "X1NEW"] in cells(asset_types)


def test_the_title_of_a_file_is_told():
    assert sheet_read(b"DVM,Name,About\nA,B\n1,2\n", form="csv").title == "Name"
    assert not sheet_read(b"A,B\n1,2\n", form="csv").title


def test_bad_rows_are_known_by_line_column_and_what_the_file_has(config):
    text = "DVM,ConfigProps\nProperty Name,Value\n\nnotification.email.error.flag,maybe\n"
    (row,) = imported(config, text).invalid_rows
    reason = "notification.email.error.flag is 'maybe', not true or false"
    assert (row.line, row.told) == (4, [("Value", "maybe", reason)])
