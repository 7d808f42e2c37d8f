from datetime import date

import pytest
import time_machine
from django.core.exceptions import ValidationError

from lookups.cache import Cache, table_on
from lookups.models import Lookup, Row
from lookups.periods import day_of, overlap
from lookups.properties import Properties
from lookups.resolve import lookup_value
from lookups.services import change_revert, row_save, rows_export, rows_import

CHRISTMAS = {"valid_from": date(2026, 12, 24), "valid_until": date(2026, 12, 26)}


def add(lookup, *cells, **days):
    return row_save(row=Row(lookup=lookup, cells=list(cells), **days))


@pytest.fixture
def tariff(db):
    made = Lookup.objects.create(name="Tariff", columns=["Kind", "Code"])
    add(made, "EV", "STANDARD")
    add(made, "EV", "HOLIDAY", **CHRISTMAS)
    return made


@pytest.fixture
def mode(db):
    """A property that has a value until the end of the year, and another one afterwards."""
    made = Lookup.objects.create(name="Mode", kind="properties", columns=["Name", "Value", "Description"])
    add(made, "mode", "old", valid_until=date(2026, 12, 31))
    add(made, "mode", "new", valid_from=date(2027, 1, 1))
    return made


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        ("2026-12-23T23:59:59Z", "STANDARD"),
        ("2026-12-24T00:00:00Z", "HOLIDAY"),
        ("2026-12-26T23:59:59Z", "HOLIDAY"),
        ("2026-12-27T00:00:00Z", "STANDARD"),
    ],
)
def test_both_days_belong_to_the_period_and_an_exception_beats_the_rule(tariff, at, answer):
    with time_machine.travel(at, tick=False):
        assert lookup_value("tariff", "Kind", "EV", "Code") == answer


def test_the_cache_changes_over_at_midnight_without_an_edit(tariff, django_assert_num_queries):
    cache = Cache(clock=lambda: 0.0, edits=lambda: 0)  # never looks for edits again
    with time_machine.travel("2026-12-23T23:59:59Z", tick=False) as now:
        cache.table("Tariff")
        with django_assert_num_queries(1):  # in a transaction stamps are read each time; no rows
            assert cache.table("Tariff").find("Kind", "EV", "Code") == "STANDARD"
        now.shift(1)
        assert cache.table("Tariff").find("Kind", "EV", "Code") == "HOLIDAY"
        now.move_to("2027-01-05T00:00:00Z")
        assert cache.table("Tariff").find("Kind", "EV", "Code") == "STANDARD"


def test_the_day_begins_by_the_hubs_time_zone(tariff, settings):
    settings.TIME_ZONE = "America/New_York"
    with time_machine.travel("2026-12-24T04:59:59Z", tick=False) as now:
        assert lookup_value("Tariff", "Kind", "EV", "Code") == "STANDARD"
        now.shift(1)
        assert lookup_value("Tariff", "Kind", "EV", "Code") == "HOLIDAY"


def test_a_table_without_days_has_no_boundary(asset_types):
    assert Cache().table(asset_types.name).span is None


def test_a_lookup_is_read_as_of_another_day(tariff):
    assert table_on("Tariff", date(2026, 12, 25)).find("Kind", "EV", "Code") == "HOLIDAY"


def test_a_property_changes_its_value_on_a_day(mode):
    for at, value in (("2026-12-31T12:00Z", "old"), ("2027-01-01T00:00Z", "new")):
        with time_machine.travel(at, tick=False):
            assert Properties("Mode").text("mode") == value


@pytest.mark.parametrize(
    "days", [{}, {"valid_from": date(2026, 12, 31)}, {"valid_until": date(2027, 1, 1)}, CHRISTMAS]
)
def test_a_property_has_one_row_for_a_day(mode, days):
    with pytest.raises(ValidationError, match="has the property mode already on days of this period"):
        add(mode, "mode", "third", **days)


def test_a_period_does_not_end_before_it_begins(tariff):
    with pytest.raises(ValidationError, match="Valid until 2026-01-01 is before valid from 2026-02-01"):
        add(tariff, "X", "Y", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1))


def test_history_and_revert_know_the_days(tariff):
    row = tariff.rows.last()
    row.valid_until = date(2026, 12, 31)
    row_save(row=row)
    change = Row.history.latest()
    assert (change.before["valid_until"], change.valid_until) == ("2026-12-26", date(2026, 12, 31))
    change_revert(change=change)
    assert tariff.rows.last().valid_until == date(2026, 12, 26)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_days_go_out_and_come_back(tariff, form):
    content = rows_export(lookup=tariff, form=form)
    history = Row.history.count()
    result = rows_import(lookup=tariff, content=content, form=form, replace=True)
    assert (result.totals["skip"], Row.history.count()) == (2, history)


def test_an_export_without_days_has_no_columns_for_them(asset_types):
    assert rows_export(lookup=asset_types, form="csv").splitlines()[0] == b"DERMS,DACS"


def test_an_import_changes_the_row_that_begins_on_that_day(tariff):
    text = "Kind,Code,Valid from,Valid until\nEV,FEAST,2026-12-24,2026-12-27\nEV,SPRING,2027-03-01,\n"
    rows_import(lookup=tariff, content=text.encode(), form="csv")
    found = [(row.cells[1], row.valid_from, row.valid_until) for row in tariff.rows.all()]
    assert found[1] == ("FEAST", date(2026, 12, 24), date(2026, 12, 27))
    assert found[0] == ("SPRING", date(2027, 3, 1), None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("EV,X,24.12.2026,", "Valid from is '24.12.2026', not a day as 2026-01-31"),
        ("EV,X,2026-12-24,2026-12-01", "Valid until 2026-12-01 is before valid from 2026-12-24"),
    ],
)
def test_bad_days_of_a_file_are_told(tariff, line, said):
    text = f"Kind,Code,Valid from,Valid until\n{line}\n"
    (row,) = rows_import(lookup=tariff, content=text.encode(), form="csv").invalid_rows
    assert row.error.messages == [said]


@time_machine.travel("2026-06-01T12:00Z", tick=False)
def test_a_files_properties_do_not_share_days_with_each_other_or_with_rows_that_stay(mode):
    text = "Name,Value,Valid from,Valid until\nmode,a,2027-01-01,\nmode,b,2026-12-31,2027-01-01\n"
    (row,) = rows_import(lookup=mode, content=text.encode(), form="csv").invalid_rows
    assert (row.line, row.error.messages) == (3, ["mode is in the file twice for the same days"])
    text = "Name,Value,Valid from,Valid until\nmode,a,2027-02-01,\n"
    found = rows_import(lookup=mode, content=text.encode(), form="csv").invalid_rows
    assert [one.error.messages for one in found] == [["mode has another row for days of this period"]]


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-01-31", date(2026, 1, 31)), ("2026-01-31 00:00:00", date(2026, 1, 31)), ("", None)],
)
def test_days_are_read_as_spreadsheets_write_them(text, day):
    assert day_of(text) == day


def test_periods_overlap_where_they_share_a_day():
    first = (date(2026, 1, 1), date(2026, 1, 31))
    assert overlap(first, (date(2026, 1, 31), None))
    assert not overlap(first, (date(2026, 2, 1), None))
    assert overlap(first, (None, None))
