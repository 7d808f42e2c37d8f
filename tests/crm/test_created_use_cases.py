"""CreatedTroubleTickets: every use case of table 5.1 without an error code, and the features of chapter 15."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from crm.models import CallerContact, Crew, Incident, LandbaseObject
from crm.outage.landbase import search_key
from tests.crm.conftest import Crm, Plain, confirmed, crm_property
from tests.crm.wording import TRANSPORTS, over, row_add, statuses, stored
from tests.factories import ConnectionFactory
from tests.servers import free_port

POLE = {"type": "Pole", "description": "poleId", "name": "P-17"}
CORNER = [
    {"type": "Intersection", "description": "street1", "name": "MAIN ST"},
    {"type": "Intersection", "description": "street2", "name": "OAK AVE"},
]
POINT = {"PositionPoint": {"xPosition": "-73.95", "yPosition": "40.65"}}
AT = {"UsagePoint": {"mRID": "SDP-1"}}
WHERE = "Busbar landbase"


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


def landbase_object(kind: str, x: float, y: float, **parameters: str) -> LandbaseObject:
    return LandbaseObject.objects.create(
        search_type=kind, key=search_key(parameters), parameters=parameters, x=x, y=y
    )


def landbase_at(port: int) -> None:
    """Searches go to the service on this port from now on."""
    operations = {"landbaseSearch": {"method": "POST", "path": "/search"}}
    settings = {"url": f"http://127.0.0.1:{port}", "operations": operations}
    ConnectionFactory(
        name=WHERE, adapter="rest", settings=settings, connect_timeout=2, read_timeout=2, retries=0
    )
    crm_property("landbase.connection", WHERE)


@pytest.fixture
def landbase(db: None) -> Iterator[HTTPServer]:
    """A landbase service, configured."""
    with HTTPServer(host="127.0.0.1", threaded=True) as running:
        landbase_at(running.port)
        yield running


# -- customers ---------------------------------------------------------------------------------------------


def test_created_trouble_tickets_customers_not_affected_by_existing_incidents(crm: Crm, points):
    said = crm.create({"name": "t1", **AT})
    (one,) = said.tickets
    assert (said.result, said.errors, one["UsagePoint"]) == ("OK", [], {"mRID": "SDP-1"})
    assert (one["mRID"], "IncidentRecord" in one) == (str(stored("t1").pk), False)
    assert (one["status"]["value"], int(one["previousTroubleTicketsCount"])) == ("ENERGIZED", 0)
    assert (stored("t1").kind, Incident.objects.get().status) == ("customer", "New")


def test_created_trouble_tickets_customers_affected_by_existing_incidents(crm: Crm, points):
    crm.create({"name": "t1", **AT})
    incident = confirmed(Incident.objects.get())
    Incident.objects.update(status="Dispatched", comment="Crew on site", cause="Tree", subcause="Storm")
    incident.crews.add(Crew.objects.create(mrid="C-7", name="Line crew 7"))
    (one,) = crm.create({"name": "t2", "UsagePoint": {"mRID": "SDP-2"}}).tickets
    record = one["IncidentRecord"]
    assert (record["mRID"], record["comment"], record["status"]) == (
        str(incident.pk),
        "Crew on site",
        {"value": "Dispatched"},
    )
    assert record["Crews"] == [{"mRID": "C-7", "name": "Line crew 7"}]
    assert record["OutageRecord"] == {"OutageCodes": [{"name": "Tree", "subCode": "Storm"}]}
    assert (one["status"]["value"], stored("t2").incident) == ("DEENERGIZED", incident)


def test_created_trouble_tickets_affected_only_by_what_was_confirmed_before(crm: Crm, points):
    crm.create({"name": "t1", **AT})
    (one,) = crm.create({"name": "t2", **AT}).tickets
    assert ("IncidentRecord" in one, one["status"]["value"]) == (False, "ENERGIZED")
    assert (stored("t1").incident, Incident.objects.count()) == (stored("t2").incident, 1)


def test_created_trouble_tickets_customers_do_not_exist_in_model(crm: Crm, points):
    said = crm.create({"name": "t1", "UsagePoint": {"mRID": "SDP-404"}})
    (one,) = said.tickets
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["CREATED"])
    assert ("UsagePoint" in one, stored("t1").kind, stored("t1").usage_point) == (
        False,
        "unlocated",
        "SDP-404",
    )
    assert stored("t1").service_point is None


def test_created_trouble_tickets_previous_tickets_of_the_customer_are_counted(crm: Crm, points):
    crm.create({"name": "t1", **AT})
    said = crm.create(
        {"name": "t2", **AT}, {"name": "t3", "UsagePoint": {"mRID": "SDP-2"}}, {"name": "t4", **AT}
    )
    assert [int(one["previousTroubleTicketsCount"]) for one in said.tickets] == [1, 0, 2]


# -- places ------------------------------------------------------------------------------------------------


def test_created_trouble_tickets_without_usage_point_location_and_position_point(crm: Crm):
    said = crm.create(
        {"name": "t1"}, {"name": "t2", "Location": []}, {"name": "t3", "UsagePoint": {"mRID": " "}}
    )
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["CREATED"] * 3)
    assert [stored(name).kind for name in ("t1", "t2", "t3")] == ["unlocated"] * 3
    assert Incident.objects.count() == 3


@pytest.mark.parametrize(("place", "x"), [(POINT, -73.95), (POLE, -73.99)])
def test_created_trouble_tickets_with_usage_point_and_location_or_position_point(crm: Crm, points, place, x):
    landbase_object("Pole", -73.99, 40.7, poleId="P-17")
    said = crm.create({"name": "t1", "Location": [place], **AT})
    (one,) = said.tickets
    assert (said.result, said.errors, one["UsagePoint"]) == ("OK", [], {"mRID": "SDP-1"})
    assert one["Location"][0].items() >= place.items()
    assert (stored("t1").kind, stored("t1").service_point_id, stored("t1").x) == ("customer", "SDP-1", x)


def test_created_trouble_tickets_with_location_and_position_point(crm: Crm):
    landbase_object("Pole", -73.99, 40.7, poleId="P-17")
    said = crm.create({"name": "t1", "Location": [{**POLE, **POINT}]})
    assert (said.result, said.errors, stored("t1").kind) == ("OK", [], "landbase")
    assert (stored("t1").x, stored("t1").y) == (-73.99, 40.7)
    assert said.tickets[0]["Location"][0]["PositionPoint"] == {"xPosition": "-73.99", "yPosition": "40.7"}


def test_created_trouble_tickets_with_an_unknown_location_and_position_point(crm: Crm):
    said = crm.create({"name": "t1", "Location": [{**POLE, **POINT}]})
    assert said.reasons == ["UnlocatableLandbaseTroubleTicket"]
    assert (stored("t1").kind, stored("t1").x) == ("unlocated", None)


def test_created_trouble_tickets_for_existing_landbase_data(crm: Crm):
    landbase_object("Pole", -73.99, 40.7, poleId="P-17")
    landbase_object("Intersection", -73.98, 40.71, street1="Main St", street2="Oak  Ave")
    landbase_object("Address", -73.97, 40.72, address="1 ELM ST", city="ALBANY")
    house = [
        {"type": "Address", "description": "city", "name": "Albany"},
        {"type": "Address", "description": "address", "name": "1 Elm St"},
    ]
    said = crm.create(
        {"name": "t1", "Location": [POLE]},
        {"name": "t2", "Location": CORNER},
        {"name": "t3", "Location": house},
    )
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["CREATED"] * 3)
    assert [stored(name).x for name in ("t1", "t2", "t3")] == [-73.99, -73.98, -73.97]
    assert {stored(name).kind for name in ("t1", "t2", "t3")} == {"landbase"}
    assert stored("t1").incident.x == -73.99


def test_created_trouble_tickets_landbase_service_answers(crm: Crm, landbase: HTTPServer):
    asked: list[Any] = []

    def answer(request: Any) -> Response:
        asked.append(orjson.loads(request.data))
        return Response(
            orjson.dumps({"places": [{"x": -73.9, "y": 40.6}, None]}), content_type="application/json"
        )

    landbase.expect_request("/search", method="POST").respond_with_handler(answer)
    said = crm.create({"name": "t1", "Location": CORNER}, {"name": "t2", "Location": [POLE]}, {"name": "t3"})
    corner = {"type": "Intersection", "parameters": {"street1": "MAIN ST", "street2": "OAK AVE"}}
    assert asked == [{"searches": [corner, {"type": "Pole", "parameters": {"poleId": "P-17"}}]}]
    assert said.reasons == ["UnlocatableLandbaseTroubleTicket"]
    assert (stored("t1").x, stored("t2").x, stored("t3").comment) == (-73.9, None, "")


@pytest.mark.parametrize("failing", ["stopped", "500", "nonsense", "too few"])
def test_created_trouble_tickets_location_based_call_while_landbase_service_is_down(
    crm: Crm, landbase, failing
):
    answers: Plain = {
        "500": Response("no", 500),
        "nonsense": Response("[}", content_type="application/json"),
        "too few": Response('{"places": []}', content_type="application/json"),
    }
    if failing == "stopped":
        crm_property("landbase.connection", "")
        ConnectionFactory._meta.model.objects.all().delete()
        landbase_at(free_port())
    else:
        landbase.expect_request("/search").respond_with_response(answers[failing])
    said = crm.create(
        {"name": "t1", "comment": "sparks", "Location": CORNER}, {"name": "t2", "comment": "dark"}
    )
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["CREATED"] * 2)
    assert stored("t1").comment == "sparks\nIntersection: street1 MAIN ST, street2 OAK AVE"
    assert (stored("t1").kind, stored("t1").x, stored("t2").comment) == ("unlocated", None, "dark")


def test_created_trouble_tickets_location_in_a_comment_that_is_full_already(crm: Crm):
    landbase_at(free_port())
    said = crm.create({"name": "t1", "comment": "x" * 500, "Location": [POLE]})
    assert (said.result, said.reasons) == ("OK", ["CommentExceedsLimit"])
    assert (stored("t1").comment[-17:], len(stored("t1").comment)) == ("\nPole: poleId P-17"[-17:], 500)


def test_created_trouble_tickets_for_valid_coordinates(crm: Crm):
    said = crm.create({"name": "t1", "Location": [POINT]})
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["CREATED"])
    assert (stored("t1").kind, stored("t1").x, stored("t1").y) == ("location", -73.95, 40.65)
    assert (stored("t1").incident.x, said.tickets[0]["Location"]) == (-73.95, [POINT])


def test_created_trouble_tickets_for_valid_coordinates_of_another_projection(crm: Crm):
    row_add("Projections", "FieldApp", "EPSG:2263")  # New York Long Island, in feet from its false origin
    feet = {"PositionPoint": {"xPosition": "984250", "yPosition": "0"}}
    said = crm.create({"name": "t1", "Location": [feet]}, Source="fieldapp")
    assert (said.result, said.errors) == ("OK", [])
    assert (stored("t1").x, stored("t1").y) == pytest.approx((-74, 40 + 10 / 60), abs=1e-5)
    assert crm.create({"name": "t2", "Location": [feet]}, Source="IVR").reasons == ["InvalidPositionPoint"]


# -- the features of chapter 15 ------------------------------------------------------------------------------


def test_created_trouble_tickets_special_caller_indication(crm: Crm):
    hazards = [{"mRID": "police/fire caller"}, {"mRID": "line down"}]
    said = crm.create(
        {"name": "t1", "IncidentHazard": hazards}, {"name": "t2", "IncidentHazard": hazards[1:]}
    )
    assert (said.result, said.errors) == ("OK", [])
    assert (stored("t1").special_caller, stored("t2").special_caller) == (True, False)
    assert stored("t1").hazards == ["police/fire caller", "line down"]


def test_created_trouble_tickets_external_system_id(crm: Crm):
    crm.create({"name": "CTA-2026/0001"}, {"name": "CTA-2026/0001"})
    found = crm.get(name="CTA-2026/0001")
    assert (found.result, len({one["mRID"] for one in found.tickets})) == ("OK", 2)


def test_created_trouble_tickets_coordinates_next_to_the_sdp_id(crm: Crm, points):
    crm.create({"name": "t1", "Location": [POINT], **AT}, {"name": "t2", "UsagePoint": {"mRID": "SDP-2"}})
    assert (stored("t1").service_point_id, stored("t1").x, stored("t1").y) == ("SDP-1", -73.95, 40.65)
    assert (stored("t2").x, stored("t1").incident) == (None, stored("t2").incident)


@pytest.mark.parametrize(("is_confirmed", "value"), [(False, "ENERGIZED"), (True, "DEENERGIZED")])
def test_created_trouble_tickets_customer_status_indication(crm: Crm, points, is_confirmed, value):
    crm.create({"name": "t1", **AT})
    if is_confirmed:
        confirmed(Incident.objects.get())
    said = crm.create({"name": "t2", **AT}, {"name": "t3"})
    assert statuses(said) == [value, "CREATED"]


def test_created_trouble_tickets_multiple_caller_contacts(crm: Crm):
    person = {
        "firstName": "Ada",
        "mName": "K.",
        "lastName": "Byron",
        "electronicAddress": {"email1": "Ada@Example.org"},
        "landlinePhone": {"localNumber": "+1 (212) 555-0100"},
        "mobilePhone": {"localNumber": "917 555 0101"},
    }
    crm.create({"name": "t1", "CustomerData": person}, {"name": "t2", "CustomerData": {"lastName": "Only"}})
    rows = CallerContact.objects.filter(ticket=stored("t1")).values_list(
        "first_name", "last_name", "media", "search"
    )
    assert list(rows) == [
        ("Ada K.", "Byron", "email", "ada@example.org"),
        ("Ada K.", "Byron", "landline", "12125550100"),
        ("Ada K.", "Byron", "mobile", "9175550101"),
    ]
    assert stored("t2").contacts.get().last_name == "Only"
