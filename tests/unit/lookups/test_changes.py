import pytest
from django.core.exceptions import ValidationError

from lookups.models import Row
from lookups.services import ChangeRefused, RowRefused, change_revert, row_save

FLAG = 1


def edit(row, *cells, **options):
    for at, cell in enumerate(cells):
        if cell is not None:
            row.cells[at] = cell
    return row_save(row=row, **options)


def latest(row):
    return Row.history.filter(id=row.pk).latest()


def test_history_says_who_when_old_and_new(flag, business_admin):
    edit(flag, None, "false", person=business_admin)
    change = latest(flag)
    assert (change.before["cells"][1], change.cells[1]) == ("true", "false")
    assert change.history_user == business_admin
    assert change.history_date is not None


def test_one_change_is_taken_back(flag, business_admin):
    edit(flag, None, "false")
    change_revert(change=latest(flag), person=business_admin)
    assert Row.objects.get(pk=flag.pk).cells[1] == "true"
    assert latest(flag).history_change_reason.startswith("Reverted change")


def test_later_changes_of_other_cells_stay(asset_types):
    row = asset_types.rows.last()
    edit(row, None, "X2")
    first = latest(row)
    edit(row, "CHARGER")
    change_revert(change=first)
    assert Row.objects.get(pk=row.pk).cells == ["CHARGER", "X1EV"]


def test_a_deleted_row_comes_back_as_it_was(asset_types):
    row = asset_types.rows.first()
    pk, position = row.pk, row.position
    row.delete()
    change_revert(change=Row.history.filter(id=pk).latest())
    back = Row.objects.get(pk=pk)
    assert (back.cells, back.position) == (["THERMOSTAT", "X1TH"], position)


def test_an_addition_is_not_reverted_but_deleted(asset_types):
    with pytest.raises(ChangeRefused, match="delete the row"):
        change_revert(change=latest(asset_types.rows.first()))


def test_a_change_of_a_row_that_is_gone_is_refused(asset_types):
    row = edit(asset_types.rows.first(), None, "X")
    change = latest(row)
    row.delete()
    with pytest.raises(ChangeRefused, match="revert its deletion first"):
        change_revert(change=change)


def test_a_deletion_that_was_undone_is_refused(asset_types):
    row = asset_types.rows.first()
    pk = row.pk
    row.delete()
    change = Row.history.filter(id=pk).latest()
    change_revert(change=change)
    with pytest.raises(ChangeRefused, match="there again"):
        change_revert(change=change)


def test_a_revert_to_what_is_not_allowed_any_more_is_refused(config):
    row = row_save(row=Row(lookup=config, cells=["free", "text", ""]))
    edit(row, None, "true")
    change = latest(row)
    row.kind = "boolean"
    row_save(row=row)
    with pytest.raises(ValidationError, match="free is 'text', not true or false"):
        change_revert(change=change)


def test_a_property_is_not_renamed_or_added_without_the_permission(config, flag, business_admin):
    with pytest.raises(
        RowRefused, match=r"The Property Name of notification.email.error.flag cannot be changed"
    ):
        edit(flag, "renamed", person=business_admin)
    with pytest.raises(RowRefused, match="x is a new property"):
        row_save(row=Row(lookup=config, cells=["x", "1", ""]), person=business_admin)


def test_a_kind_is_not_changed_without_the_permission(flag, business_admin):
    flag.kind = "text"
    with pytest.raises(RowRefused, match=r"The kind of notification.email.error.flag cannot be changed"):
        row_save(row=flag, person=business_admin)
