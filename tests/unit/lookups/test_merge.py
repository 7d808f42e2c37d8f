from datetime import date

import pytest
from django.core.exceptions import ValidationError

from lookups.lines import Line, Source
from lookups.models import Lookup, Row, RowConflict
from lookups.services import ConflictRefused, RowRefused, conflict_decide, lookup_merge, row_save
from lookups.services.conflicts import ours_now

V1 = [["A", "1"], ["B", "1"], ["C", "1"], ["D", "1"]]


def bring(rows, *, source=Source.SHIPPED, **more):
    given = {"name": "M", "kind": "table", "package": "pack", "description": "", "columns": ["Key", "Code"]}
    return lookup_merge(rows=rows, source=source, **(given | more))


def rows():
    return [row.cells for row in Lookup.objects.get(name="M").rows.all()]


def edit(key, code):
    row = Row.objects.get(lookup__name="M", text__startswith=key)
    row.cells[1] = code
    return row_save(row=row)


@pytest.fixture
def merged(db):
    """Version 1, then edits of B, C and a deletion of D here, then version 2."""
    bring(V1)
    edit("B", "ours")
    edit("C", "ours")
    Row.objects.get(lookup__name="M", text__startswith="D").delete()
    return bring([["A", "2"], ["B", "1"], ["C", "2"], ["D", "2"], ["E", "1"]])


def labels(found):
    return [one.label for one in found]


def test_unedited_rows_follow_edited_ones_stay_and_both_sides_changes_are_conflicts(merged):
    assert (labels(merged.added), labels(merged.updated), labels(merged.kept)) == (["E"], ["A"], ["B"])
    assert [(one.label, one.what) for one in merged.conflicts] == [("C", "changed"), ("D", "deleted")]
    assert rows() == [["A", "2"], ["B", "ours"], ["C", "ours"], ["E", "1"]]
    kept = RowConflict.objects.get(kind="changed")
    assert (kept.base, kept.ours, kept.theirs) == (["C", "1"], ["C", "ours"], ["C", "2"])


def test_the_same_version_again_changes_nothing_and_finds_no_new_conflicts(merged):
    history = Row.history.count()
    again = bring([["A", "2"], ["B", "1"], ["C", "2"], ["D", "2"], ["E", "1"]])
    assert not again.changes
    assert (RowConflict.objects.count(), Row.history.count()) == (2, history)


def test_a_later_version_goes_into_the_conflict_that_waits(merged):
    bring([["A", "2"], ["B", "1"], ["C", "3"], ["D", "2"], ["E", "1"]])
    conflict = RowConflict.objects.get(kind="changed")
    assert (conflict.base, conflict.theirs) == (["C", "1"], ["C", "3"])


def test_a_conflict_is_closed_when_the_package_comes_to_what_is_here(merged):
    bring([["A", "2"], ["B", "1"], ["C", "ours"], ["D", "2"], ["E", "1"]])
    assert RowConflict.objects.get(kind="changed").state == "taken"


def test_a_preview_says_the_same_and_writes_nothing(db):
    assert bring(V1, preview=True).counts()["added"] == 4
    assert not Lookup.objects.filter(name="M").exists()
    bring(V1)
    edit("A", "ours")
    history = Row.history.count()
    said = bring([["A", "2"], ["B", "2"]], preview=True)
    assert (labels(said.conflicts), labels(said.updated), labels(said.removed)) == (["A"], ["B"], ["C", "D"])
    assert rows()[0] == ["A", "ours"]
    assert (RowConflict.objects.count(), Row.history.count()) == (0, history)


def test_a_row_the_package_has_no_more_goes_unless_it_was_edited(db):
    bring(V1)
    edit("B", "ours")
    done = bring([["A", "1"]])
    assert (labels(done.removed), [(one.label, one.what) for one in done.conflicts]) == (
        ["C", "D"],
        [("B", "removed")],
    )
    assert rows() == [["A", "1"], ["B", "ours"]]


def test_a_row_made_on_both_sides_is_a_conflict_only_if_it_differs(db):
    bring([["A", "1"]])
    lookup = Lookup.objects.get(name="M")
    for cells in (["S", "same"], ["X", "ours"]):
        row_save(row=Row(lookup=lookup, cells=cells))
    done = bring([["A", "1"], ["S", "same"], ["X", "theirs"]])
    assert [(one.label, one.what) for one in done.conflicts] == [("X", "added")]
    assert rows() == [["A", "1"], ["S", "same"], ["X", "ours"]]


def test_of_two_rows_with_one_first_cell_the_right_one_goes(db):
    bring([["A", "1"], ["A", "2"]])
    bring([["A", "2"]])
    assert rows() == [["A", "2"]]


def test_a_renamed_first_cell_is_still_the_packages_row(db):
    bring([["A", "1"]])
    row = Row.objects.get(lookup__name="M")
    row.cells[0] = "Renamed"
    row_save(row=row)
    assert [one.what for one in bring([["A", "2"]]).conflicts] == ["changed"]


def test_new_columns_are_added_and_others_stay(db):
    bring(V1)
    lookup = Lookup.objects.get(name="M")
    lookup.columns = ["Key", "Code", "Site"]
    lookup.save()
    done = bring([["1", "A", "new"]], columns=["code", "KEY", "Fresh"])
    assert done.new_columns == ["Fresh"]
    assert Lookup.objects.get(name="M").columns == ["Key", "Code", "Site", "Fresh"]
    assert rows() == [["A", "1", "", "new"]]


def test_days_are_merged_with_the_cells(db):
    dated = {"cells": ["A", "1"], "valid_from": "2027-01-01"}
    bring([dated])
    assert Row.objects.get(lookup__name="M").valid_from == date(2027, 1, 1)
    assert not bring([dated]).changes
    bring([dated | {"valid_from": "2028-01-01"}])
    assert Row.objects.get(lookup__name="M").valid_from == date(2028, 1, 1)


def test_rows_may_be_dicts_by_column(db):
    bring([{"Key": "A", "Code": "1"}])
    assert rows() == [["A", "1"]]


def test_an_import_and_the_packages_own_file_do_not_undo_each_other(db):
    bring(V1)
    bring([["A", "imported"], *V1[1:]], source=Source.IMPORTED)
    assert rows()[0] == ["A", "imported"]
    assert labels(bring(V1).kept) == ["A"]
    bring([["A", "imported again"], *V1[1:]], source=Source.IMPORTED)
    assert rows()[0] == ["A", "imported again"]
    assert not RowConflict.objects.exists()


def test_a_first_import_removes_nothing(db):
    bring(V1)
    done = bring([["A", "1"]], source=Source.IMPORTED)
    assert (done.removed, len(rows())) == ([], 4)


def test_a_property_lists_value_is_a_conflict_while_its_description_follows(db):
    props = {"kind": "properties", "columns": ["Name", "Value", "Description"]}
    bring([{"name": "p", "value": "1", "description": "d"}], **props)
    edit("p", "ours")
    done = bring([{"name": "p", "value": "2", "description": "new", "required": True}], **props)
    assert [one.what for one in done.conflicts] == ["changed"]
    row = Row.objects.get(lookup__name="M")
    assert (row.cells, row.required) == (["p", "ours", "new"], True)


def test_a_lookup_of_the_other_kind_is_refused(db):
    bring(V1)
    with pytest.raises(ValidationError, match="M is a table here"):
        bring([], kind="properties")


# -- deciding ----------------------------------------------------------------------------------------------


def decide(kind, line, *, person=None, **more):
    conflict = RowConflict.objects.get(kind=kind)
    seen = more.get("seen", ours_now(conflict))
    return conflict_decide(conflict=conflict, decided=line, seen=seen, person=person)


@pytest.mark.parametrize(("code", "state"), [("ours", "kept"), ("2", "taken"), ("something else", "merged")])
def test_a_decision_is_written_with_history_and_who_took_it(merged, business_admin, code, state):
    done = decide("changed", Line(("C", code)), person=business_admin)
    assert (done.state, done.decided_by) == (state, business_admin)
    assert ["C", code] in rows()
    latest = Row.history.latest()
    assert state == "kept" or latest.history_change_reason == "Merge with package pack"


def test_a_deleted_row_comes_back_with_what_the_package_has(merged):
    decide("deleted", Line(("D", "2")))
    assert ["D", "2"] in rows()
    assert not bring([["A", "2"], ["B", "1"], ["C", "2"], ["D", "2"], ["E", "1"]]).changes


def test_a_deleted_row_stays_deleted(merged):
    assert decide("deleted", None).state == "kept"
    assert ["D", "2"] not in rows()


def test_a_row_the_package_dropped_goes_when_theirs_is_taken(db):
    bring(V1)
    edit("B", "ours")
    bring([["A", "1"]])
    assert decide("removed", None).state == "taken"
    assert rows() == [["A", "1"]]


def test_a_decision_about_a_row_that_was_edited_meanwhile_is_refused(merged):
    seen = ours_now(RowConflict.objects.get(kind="changed"))
    edit("C", "edited meanwhile")
    with pytest.raises(ConflictRefused, match="look at it again"):
        decide("changed", Line(("C", "2")), seen=seen)


def test_a_conflict_is_decided_once(merged):
    decide("deleted", None)
    with pytest.raises(ConflictRefused, match="decided already: ours kept"):
        decide("deleted", None)


def test_a_property_is_not_removed_without_the_permission(db, business_admin):
    props = {"kind": "properties", "columns": ["Name", "Value", "Description"]}
    bring([{"name": "p", "value": "1"}], **props)
    edit("p", "ours")
    bring([], **props)
    with pytest.raises(RowRefused, match="permission to edit keys"):
        decide("removed", None, person=business_admin)
