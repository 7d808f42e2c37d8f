import pytest

from lookups.errors import LookupFault
from lookups.models import Alias, Lookup, Row
from lookups.resolve import lookup_value
from lookups.services import row_save

NAME = "OUTL-BRT-TEST_AssetType"


def test_a_value_is_translated_in_both_directions(asset_types):
    assert lookup_value(NAME, "DERMS", "EVSE", "DACS") == "X1EV"
    assert lookup_value(NAME, "DACS", "X1EV", "DERMS") == "EVSE"


def test_exact_case_wins_over_any_case(asset_types):
    assert lookup_value(NAME, "DERMS", "thermostat", "DACS") == "lower"
    assert lookup_value(NAME, "DERMS", "evse", "DACS") == "X1EV"


@pytest.mark.parametrize(
    "spelling",
    [
        "outl-brt-test_assettype",
        "OUTLBRT-TEST_AssetType",
        "OUTL_BRT_TEST_AssetType",
        "OUTL-BRT- TEST\\_AssetType",
    ],
)
def test_a_lookup_is_found_under_the_seeds_spellings(asset_types, spelling):
    assert lookup_value(spelling, " derms", "EVSE", "Dacs") == "X1EV"


def test_an_alias_names_a_lookup(asset_types):
    Alias.objects.create(of="lookup", spelling="OUTL-BRT-OLD_AssetType", meaning=NAME)
    assert lookup_value("outl_brt_old_assettype", "DERMS", "EVSE", "DACS") == "X1EV"


def test_a_missing_value_is_a_fault_that_names_everything(asset_types):
    with pytest.raises(LookupFault) as caught:
        lookup_value(NAME, "DERMS", "BATTERY", "DACS")
    assert str(caught.value) == f"Lookup {NAME} has no DACS for DERMS 'BATTERY'"
    assert (caught.value.lookup, caught.value.column, caught.value.value) == (NAME, "DERMS", "BATTERY")
    assert caught.value.hint


def test_a_default_stands_for_a_missing_value_even_if_blank(asset_types):
    assert lookup_value(NAME, "DERMS", "BATTERY", "DACS", "X1") == "X1"
    assert lookup_value(NAME, "DERMS", "BATTERY", "DACS", "") == ""


def test_a_star_row_stands_for_every_other_value(asset_types):
    row_save(row=Row(lookup=asset_types, cells=["*", "X1XX"]))
    assert lookup_value(NAME, "DERMS", "BATTERY", "DACS") == "X1XX"
    assert lookup_value(NAME, "DERMS", "EVSE", "DACS") == "X1EV"


def test_a_blank_target_counts_as_not_found(asset_types):
    row_save(row=Row(lookup=asset_types, cells=["BATTERY", ""]))
    with pytest.raises(LookupFault):
        lookup_value(NAME, "DERMS", "BATTERY", "DACS")


def test_an_unknown_lookup_is_a_fault_with_a_suggestion(asset_types):
    with pytest.raises(LookupFault, match="There is no lookup 'OUTL-BRT-TEST_AssetTyp'") as caught:
        lookup_value("OUTL-BRT-TEST_AssetTyp", "DERMS", "EVSE", "DACS", "default")
    assert caught.value.hint == f"Did you mean {NAME}?"


def test_an_unknown_column_is_a_fault_that_lists_the_columns(asset_types):
    with pytest.raises(LookupFault, match=f"Lookup {NAME} has no column 'CPMCS'") as caught:
        lookup_value(NAME, "DERMS", "EVSE", "CPMCS")
    assert caught.value.hint == "It has DERMS, DACS."


def test_ten_thousand_rows_resolve_in_two_queries_and_then_none(db, django_assert_num_queries):
    lookup = Lookup.objects.create(name="Big", columns=["A", "B"])
    rows = [Row(lookup=lookup, cells=[f"a{n}", f"b{n}"], position=n) for n in range(10_000)]
    Row.objects.bulk_create(rows)
    assert lookup_value("Big", "A", "a9999", "B") == "b9999"
    with django_assert_num_queries(100):  # inside a test's transaction: the stamps each time, never the rows
        assert all(lookup_value("Big", "A", f"A{n}", "B") == f"b{n}" for n in range(100))
