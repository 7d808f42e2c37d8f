"""A package that comes again: renamed columns, moved periods, conflicts of one first cell, the order of rows."""

import pytest

from integrations.services.lookup_put import Who, lookup_replace, table_of
from lookups.lines import Line, Source
from lookups.models import Lookup, Row, RowConflict
from lookups.services import conflict_decide, row_save
from tests.unit.lookups.test_merge import V1, bring, rows

PROPERTIES = {"kind": "properties", "columns": ["Name", "Value", "Description"]}


def rename(*columns):
    lookup = Lookup.objects.get(name="M")
    lookup.columns = list(columns)
    lookup.save()


def columns():
    return Lookup.objects.get(name="M").columns


# -- renamed columns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("Key", "Kode"), ("Code", "Key"), ("One", "Two", "Site")])
@pytest.mark.parametrize("known", [True, False])
def test_an_unchanged_package_leaves_renamed_columns_and_their_rows(db, names, known):
    bring(V1)
    rename(*names)
    if not known:  # brought before columns were remembered
        Lookup.objects.filter(name="M").update(brought={})
    history = Row.history.count()
    assert not bring(V1).changes
    assert (columns(), Row.history.count()) == (list(names), history)
    assert [cells[:2] for cells in rows()] == V1


def test_an_unchanged_property_list_leaves_renamed_columns(db):
    given = [{"name": "p", "value": "1", "description": "d"}]
    bring(given, **PROPERTIES)
    rename("Property", "Setting", "What it is")
    assert not bring(given, **PROPERTIES).changes
    assert rows() == [["p", "1", "d"]]


def test_a_renamed_column_follows_a_newer_version_that_has_one_more(db):
    bring([["A", "1"]])
    rename("Key", "Kode")
    done = bring([["A", "new", "2"]], columns=["Key", "Kode", "Code"])
    assert (columns(), rows()) == (["Key", "Kode", "Kode 2"], [["A", "2", "new"]])
    assert done.new_columns == ["Kode 2"]


def test_a_column_the_package_renames_is_renamed_unless_the_site_did(db):
    bring([["A", "1"]])
    bring([["A", "1"]], columns=["Key", "Zone"])
    assert (columns(), rows()) == (["Key", "Zone"], [["A", "1"]])
    rename("Key", "Ours")
    bring([["A", "2"]], columns=["Key", "Area"])
    assert (columns(), rows()) == (["Key", "Ours"], [["A", "2"]])


def test_an_import_finds_a_renamed_column_by_either_name(db):
    bring([["A", "1"]])
    rename("Key", "Kode")
    assert not bring([["A", "1"]], source=Source.IMPORTED).changes
    assert not bring([["A", "1"]], columns=["Key", "Kode"], source=Source.IMPORTED).changes


# -- periods -----------------------------------------------------------------------------------------------


def period(value, begins="", ends=""):
    return {"name": "p", "value": value, "valid_from": begins, "valid_until": ends}


def periods():
    found = Row.objects.filter(lookup__name="M").order_by("valid_from")
    return [(row.cells[1], f"{row.valid_from or ''}", f"{row.valid_until or ''}") for row in found]


@pytest.mark.parametrize(
    "days",
    [
        [("", "2027-07-31"), ("2027-08-01", "2027-12-31"), ("2028-01-01", "")],
        [("", "2027-05-31"), ("2027-06-01", "2027-12-31"), ("2028-01-01", "")],
        [("2027-04-01", "2027-09-30"), ("2027-10-01", "2028-03-31"), ("2028-04-01", "")],
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_boundary_between_periods_moves(db, days, turned):
    order = slice(None, None, -1 if turned else 1)
    v1 = [period("a", "", "2027-06-30"), period("b", "2027-07-01", "2027-12-31"), period("c", "2028-01-01")]
    bring(v1[order], **PROPERTIES)
    v2 = [period(value, *both) for value, both in zip("abc", days, strict=True)]
    assert bring(v2[order], **PROPERTIES).problems == []
    assert sorted(periods()) == sorted((value, *both) for value, both in zip("abc", days, strict=True))


def test_a_period_that_shares_a_day_with_the_sites_own_is_a_problem_in_the_preview_too(db, caplog):
    bring([period("a", "", "2027-06-30")], **PROPERTIES)
    row_save(row=Row(lookup=Lookup.objects.get(name="M"), cells=["p", "ours"], valid_from="2027-07-01"))
    longer = [period("a", "", "2027-08-31")]
    before = (periods(), Row.history.count())
    said = bring(longer, preview=True, **PROPERTIES).problems
    assert said == ["p of M stays as it was: M has the property p already on days of this period."]
    assert ((periods(), Row.history.count()), caplog.text) == (before, "")
    assert bring(longer, **PROPERTIES).problems == said
    assert periods() == before[0]


# -- conflicts ---------------------------------------------------------------------------------------------


def test_an_imported_row_that_was_decided_for_is_not_the_packages(db):
    bring([["A", "1"]])
    bring([["A", "1"], ["X", "1"]], source=Source.IMPORTED)
    Row.objects.get(text__startswith="X").delete()
    bring([["A", "1"], ["X", "2"]], source=Source.IMPORTED)
    conflict_decide(conflict=RowConflict.objects.get(), decided=Line(("X", "2")), seen=None)
    assert not bring([["A", "1"]]).changes
    assert rows() == [["A", "1"], ["X", "2"]]


def test_deleted_rows_of_one_first_cell_have_a_conflict_each(db):
    bring([["A", "1"], ["A", "2"]])
    Row.objects.filter(lookup__name="M").delete()
    bring([["A", "2a"], ["A", "3"]])
    bring([["A", "2b"], ["A", "4"]])
    found = RowConflict.objects.order_by("pk").values_list("base", "theirs")
    assert list(found) == [(["A", "1"], ["A", "2b"]), (["A", "2"], ["A", "4"])]


# -- order -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["A\n1", "A\n2", "B\n1"])
def test_a_restored_backup_has_its_order(db, lost):
    backup = [["A", "1"], ["B", "1"], ["A", "2"]]
    lookup = Lookup.objects.create(name="M", columns=["Key", "Code"])
    for cells in backup:
        row_save(row=Row(lookup=lookup, cells=cells))
    Row.objects.get(lookup=lookup, text=lost).delete()
    row_save(row=Row(lookup=lookup, cells=["S", "ours"]))
    done = bring(backup, source=Source.IMPORTED)
    assert (done.conflicts, len(done.added)) == ([], 1)
    assert [cells for cells in rows() if cells[0] != "S"] == backup
    assert len(rows()) == 4


def test_an_import_of_another_order_is_a_change_and_the_sites_rows_stay_behind_their_neighbours(db):
    bring([["A", "1"], ["A", "2"]], source=Source.IMPORTED)
    lookup = Lookup.objects.get(name="M")
    Row.objects.create(lookup=lookup, cells=["S", "ours"])
    turned = [["A", "2"], ["A", "1"]]
    assert bring(turned, source=Source.IMPORTED, preview=True).reordered
    assert rows()[0] == ["A", "1"]
    assert bring(turned, source=Source.IMPORTED).changes
    assert rows() == [["A", "2"], ["S", "ours"], ["A", "1"]]
    assert not bring(turned, source=Source.IMPORTED).changes


def test_the_packages_own_file_orders_rows_only_where_it_changed(db):
    bring([["A", "1"], ["B", "1"]])
    Row.objects.filter(text="A\n1").update(position=9)
    assert not bring([["A", "1"], ["B", "1"]]).changes
    assert rows()[0] == ["B", "1"]
    bring([["N", "1"], ["A", "1"], ["B", "1"]])
    assert rows() == [["N", "1"], ["A", "1"], ["B", "1"]]


# -- stamps ------------------------------------------------------------------------------------------------


def test_a_replaced_lookup_writes_its_stamps_at_once_in_order(asset_types, monkeypatch):
    written = []
    monkeypatch.setattr("lookups.stamps._write", lambda subjects: written.append(sorted(subjects)))
    table = table_of(["DERMS", "New"], [["a", "1"]])
    lookup_replace(lookup=asset_types, columns=["DERMS", "New"], table=table, who=Who("bea"))
    assert written == [[str(asset_types.pk), "catalogue"]]
