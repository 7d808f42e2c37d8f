"""Service delivery points and landbase objects out of CSV files."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import LandbaseObject, ServiceDeliveryPoint
from crm.outage.landbase import search_key
from crm.services import import_rows
from crm.services.import_rows import Imported
from crm.services.landbase_import import landbase_import
from crm.services.service_points_import import service_points_import
from integrations.engine.faults import LookupMissing
from integrations.models import AuditEntry
from tests.crm.conftest import Crm, crm_property
from tests.crm.scene import at_once

pytestmark = pytest.mark.django_db
UTM = "EPSG:32618"  # metres east and north, around New York


def points(*rows: dict[str, str], **given: Any) -> Imported:
    return service_points_import(rows=rows, actor="op", **given)


def landbase(*rows: dict[str, str], **given: Any) -> Imported:
    return landbase_import(rows=rows, actor="op", **given)


def known() -> dict[str, tuple[Any, ...]]:
    names = ("mrid", "customer_priority", "transformer_id", "x", "y", "address")
    return {row[0]: row[1:] for row in ServiceDeliveryPoint.objects.values_list(*names)}


def pole(name: str = "P-1", **more: str) -> dict[str, str]:
    return {"searchType": "Pole", "x": "-73.9", "y": "40.6", "poleId": name, **more}


# -- service delivery points ---------------------------------------------------------------------------------


def test_rows_are_added_then_changed_then_as_they_were():
    row = {"servicePointId": "S1", "customerPriority": "6", "transformerId": "T1"}
    row |= {"x": "-73.9", "y": "40.6", "address": "1 Main St"}
    assert points(row, {**row, "servicePointId": "S2"}) == Imported(2, 0, 0)
    assert known()["S1"] == (6, "T1", -73.9, 40.6, "1 Main St")
    assert points({**row, "customerPriority": "3"}) == Imported(0, 1, 0)
    assert points({**row, "customerPriority": "3"}) == Imported(0, 0, 1)
    assert known()["S1"][0] == 3
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.action, entry.detail["added"], entry.detail["changed"]) for entry in entries] == [
        ("service_points_import", 2, 0),
        ("service_points_import", 0, 1),
    ]


def test_a_column_that_lacks_leaves_alone_and_a_blank_cell_empties():
    points({"servicePointId": "S1", "customerPriority": "6", "transformerId": "T1", "x": "1", "y": "2"})
    points({"servicePointId": "S1", "transformerId": "T2"})
    assert known()["S1"] == (6, "T2", 1.0, 2.0, "")
    points({"servicePointId": "S1", "customerPriority": " ", "transformerId": "", "x": "", "y": ""})
    assert known()["S1"] == (0, "", None, None, "")


def test_columns_come_in_any_case_with_blanks_around():
    assert points({" SERVICEPOINTID ": " S1 ", "CustomerPriority": " 2 "}).added == 1
    assert known() == {"S1": (2, "", None, None, "")}


def test_a_column_that_is_not_known_is_named_once_and_the_rest_is_read():
    rows = [{"servicePointId": f"S{number}", "colour": "red"} for number in range(3)]
    done = points(*rows)
    assert (done.added, done.bad, len(done.problems)) == (3, 0, 1)
    assert done.problems[0].startswith("column 'colour' is not read: known are servicePointId, customerPri")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"servicePointId": ""}, "it has no servicePointId"),
        ({"address": "1 Main St"}, "it has no servicePointId"),
        ({"servicePointId": "x" * 256}, "servicePointId has 256 characters, 255 are the most"),
        ({"servicePointId": "a\x00b"}, "servicePointId has a control character (U+0000) at 2"),
        ({"servicePointId": "S", "customerPriority": "7"}, "customerPriority '7' is none of 0 to 6"),
        ({"servicePointId": "S", "customerPriority": "-1"}, "customerPriority '-1' is none of 0 to 6"),
        ({"servicePointId": "S", "customerPriority": "high"}, "customerPriority 'high' is none of 0 to 6"),
        ({"servicePointId": "S", "customerPriority": "²"}, "customerPriority '²' is none of 0 to 6"),
        (
            {"servicePointId": "S", "transformerId": "T" * 61},
            "transformerId has 61 characters, 60 are the most",
        ),
        ({"servicePointId": "S", "address": "A" * 256}, "address has 256 characters, 255 are the most"),
        ({"servicePointId": "S", "x": "1"}, "it has x without y"),
        ({"servicePointId": "S", "x": "", "y": "1"}, "it has y without x"),
        (
            {"servicePointId": "S", "x": "NaN", "y": "1"},
            "(NaN, 1) is no place: X is no number or lies outside",
        ),
        (
            {"servicePointId": "S", "x": "181", "y": "91"},
            "(181, 91) is no place: X, Y is no number or lies outside",
        ),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_stops_no_other(row: dict[str, str], why: str):
    done = points({"servicePointId": "S0"}, row, {"servicePointId": "S9"})
    assert (done.added, done.bad, done.problems) == (2, 1, [f"line 3: {why}"])
    assert set(known()) == {"S0", "S9"}


def test_a_second_row_of_one_service_point_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_rows, "AT_ONCE", 2)
    rows = [{"servicePointId": name, "transformerId": name + str(n)} for n, name in enumerate("ABCA")]
    done = points(*rows)
    assert (done.added, done.problems) == (3, ["line 5: servicePointId A was in line 2 already"])
    assert known()["A"][1] == "A0"


def test_coordinates_are_converted_from_their_projection():
    row = {"servicePointId": "S1", "x": "583959.37", "y": "4507350.99"}
    assert points(row, projection=UTM).problems == []
    x, y = known()["S1"][2:4]
    assert (round(x, 3), round(y, 3)) == (-74.006, 40.713)
    crm_property("model.projection", UTM)
    points({**row, "servicePointId": "S2"})
    assert known()["S2"][2:4] == (583959.37, 4507350.99)


def test_a_projection_that_is_none_is_said():
    with pytest.raises(LookupMissing, match="'EPSG:0' is no projection that PROJ knows"):
        points(projection="EPSG:0")


def test_a_batch_takes_one_statement_to_look_and_one_to_write():
    def statements(count: int) -> int:
        rows = [{"servicePointId": f"{count}-{number}", "transformerId": "T"} for number in range(count)]
        with CaptureQueriesContext(connection) as seen:
            assert points(*rows).added == count
        return sum("crm_servicedeliverypoint" in one["sql"].lower() for one in seen)

    whole, half = statements(1000), statements(1500)
    if connection.vendor == "postgresql":
        assert (whole, half) == (2, 4)
    else:  # Django splits what SQLite takes in one statement
        assert whole < 15


def test_many_problems_are_counted_and_a_thousand_told():
    done = points(*({"servicePointId": ""} for _ in range(1200)))
    assert (done.bad, len(done.problems)) == (1200, 1000)


@pytest.mark.django_db(transaction=True)
def test_several_imports_of_the_same_points_at_once_wait_for_each_other():
    names = [f"S{number:04}" for number in range(300)]

    def take(transformer: str, order: int) -> Imported:
        return points(*({"servicePointId": one, "transformerId": transformer} for one in names[::order]))

    found = at_once([lambda n=n: take(f"T{n}", 1 if n % 2 else -1) for n in range(4)])
    assert all(isinstance(one, Imported) and not one.problems for one in found), found
    assert len(known()) == 300


# -- landbase objects ----------------------------------------------------------------------------------------


def test_objects_are_added_then_moved_then_as_they_were():
    corner = {
        "searchType": "intersection",
        "x": "-73.8",
        "y": "40.7",
        "STREET1": "Main St",
        "street2": "1st Ave",
    }
    assert landbase(pole(), corner) == Imported(2, 0, 0)
    assert landbase(pole(), {**corner, "x": "-73.81"}) == Imported(0, 1, 1)
    row = LandbaseObject.objects.get(search_type="Intersection")
    assert (row.x, row.parameters) == (-73.81, {"STREET1": "Main St", "street2": "1st Ave"})
    assert row.key == search_key({"street1": "main st", "street2": "1ST  AVE"})
    assert AuditEntry.objects.filter(action="landbase_import", actor="op").count() == 2


def test_one_file_has_objects_of_all_kinds_the_others_columns_blank():
    blank = {"poleId": "", "street1": "", "street2": "", "address": "", "city": ""}
    rows = [
        {**blank, **pole()},
        {**blank, "searchType": "ADDRESS", "x": "1", "y": "2", "address": "1 Main St", "city": "X"},
        {**blank, "searchType": "Intersection", "x": "1", "y": "2", "street1": "A", "street2": "B"},
    ]
    assert landbase(*rows) == Imported(3, 0, 0)
    assert set(LandbaseObject.objects.values_list("search_type", flat=True)) == {
        "Pole",
        "Address",
        "Intersection",
    }


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (pole(searchType=""), "it has no searchType"),
        (pole(searchType="Tree"), "searchType 'Tree' is none of Pole, Intersection, Address"),
        (pole(""), "Pole has the parameters poleid; given are none"),
        (pole(street1="A"), "Pole has the parameters poleid; given are poleId, street1"),
        (pole(x="", y=""), "it has neither x nor y"),
        (pole(y=""), "it has x without y"),
        (pole(x="east"), "(east, 40.6) is no place: X is no number or lies outside"),
        (pole("x" * 256), "poleId has 256 characters, 255 are the most"),
        (pole("\x02"), "poleId has a control character (U+0002) at 1"),
        (pole(" p-0 "), "Pole poleid=p-0 was in line 2 already"),
    ],
)
def test_a_bad_object_is_told_with_its_line_and_stops_no_other(row: dict[str, str], why: str):
    done = landbase(pole("P-0"), row, pole("P-9"))
    assert (done.added, done.bad, done.problems) == (2, 1, [f"line 3: {why}"])


def test_a_column_that_no_search_has_is_named_and_its_rows_are_refused():
    done = landbase(pole(colour=""), pole("P-2", colour="red"))
    assert (done.added, done.bad) == (1, 1)
    assert done.problems[0] == "column 'colour' is not read: it is no parameter of any landbase search"


def test_what_was_imported_is_found_by_a_ticket(crm: Crm):
    landbase(pole("P-17", x="583959.37", y="4507350.99"), projection=UTM)
    place = [{"type": "pole", "description": "POLEID", "name": "p-17"}]
    (made,) = crm.create({"Location": place}).tickets
    point = made["Location"][0]["PositionPoint"]
    assert (round(float(point["xPosition"]), 3), round(float(point["yPosition"]), 3)) == (-74.006, 40.713)
