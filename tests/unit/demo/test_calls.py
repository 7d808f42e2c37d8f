"""The call centre's day: real calls made into trouble tickets of all kinds, and their set-up (seed 004 chapter 5)."""

import csv
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from django.conf import settings

from crm.models import Callback, CrmCaller, Incident, LandbaseObject, ServiceDeliveryPoint, TroubleTicket
from demo import soap
from demo.calls import (
    BOSTON,
    CUSTOMER,
    DATA,
    LANDBASE,
    LOCATION,
    NYC,
    NYC_PROJECTION,
    UNLOCATED,
    calls,
    landbase_rows,
    placed,
    search_of,
    service_point_rows,
    ticket,
)
from demo.calls_plan import MOST_TICKETS, TRANSFORMER, CallsPlan
from demo.operating import crm_set, operations_allow, restore_incident
from demo.reach import PEOPLE
from demo.stage import CannotStartError
from demo.world_crm import OPERATIONS
from integrations.services.client_create import client_create
from lookups.models import Row
from tests.crm.conftest import Crm
from tests.factories import UserFactory

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def plan():
    return CallsPlan("20260701120000", NOW)


def test_every_row_of_both_files_is_a_call():
    rows = {}
    for name in ("nyc311-100.csv", "boston311-100.csv"):
        with (DATA / name).open() as file:
            rows[name] = list(csv.DictReader(file))
    assert Counter(one.city for one in calls()) == {NYC: 100, BOSTON: 100}
    assert [one.key for one in calls()] == [
        *(row["Unique Key"] for row in rows["nyc311-100.csv"]),
        *(row["case_enquiry_id"] for row in rows["boston311-100.csv"]),
    ]


def test_the_data_comes_with_its_licence():
    text = (DATA / "README.md").read_text()
    for one in ("nyc311-100.csv", "boston311-100.csv", "MIT", "PDDL", "NYC Open Data", "1534b623"):
        assert one in text


def test_an_intersection_and_an_address_of_boston_are_read():
    found = {one.key: one for one in calls() if one.city == BOSTON}
    crossings = [one for one in found.values() if all(one.streets)]
    assert len(crossings) == 16
    assert ("Gallivan Blvd", "Washington St") in {one.streets for one in crossings}
    assert not any(one.address for one in crossings)
    one = found["101004130437"]
    assert (one.address, one.town, one.streets) == ("42 Cross St", "Boston", ("", ""))


def test_calls_become_tickets_of_all_kinds_about_a_third_of_customers():
    found = Counter(one.kind for one in placed())
    assert set(found) == {CUSTOMER, LANDBASE, LOCATION, UNLOCATED}
    assert 50 <= found[CUSTOMER] <= 80
    assert min(found.values()) >= 20
    for city in (NYC, BOSTON):
        assert {one.kind for one in placed() if one.call.city == city} == set(found)


def test_the_same_calls_become_the_same_tickets(plan):
    again = CallsPlan(plan.mark, NOW)
    assert plan.tickets == again.tickets
    placed.cache_clear()
    assert CallsPlan(plan.mark, NOW).tickets == plan.tickets


def test_no_two_days_have_a_ticket_of_one_name(plan):
    other = CallsPlan("20260702120000", NOW)
    assert len(plan.tickets) == 200
    assert not set(plan.tickets) & set(other.tickets)


def test_messages_are_of_one_city_and_up_to_fifty_tickets(plan):
    assert [(city, len(made)) for city, made in plan.messages] == [
        (NYC, MOST_TICKETS),
        (NYC, MOST_TICKETS),
        (BOSTON, MOST_TICKETS),
        (BOSTON, MOST_TICKETS),
    ]


def test_every_message_is_valid(plan):
    for city, made in plan.messages:
        head = soap.header("created", "TroubleTickets", city, "m")
        content = {"Header": head, "Payload": {"TroubleTickets": {"TroubleTicket": made}}}
        message = soap.element("TroubleTickets", "CreatedTroubleTickets", content)
        assert soap.wrong("TroubleTickets", message) == ""


def test_codes_sources_and_hazards_are_those_the_interface_knows(plan):
    found = json.loads((settings.BASE_DIR / "fixtures/lookups/gridops-crm.json").read_text())
    known = {
        one["name"].rpartition("_")[2]: {cell for row in one["rows"] for cell in row[:2]}
        for one in found["lookups"]
        if one["kind"] == "table"
    }
    made = [one for _, one in plan.tickets.values()]
    assert {one["troubleCode"] for one in made} <= known["TroubleCodes"]
    assert {one["source"] for one in made if "source" in one} <= known["CallSources"]
    hazards = {one["IncidentHazard"]["mRID"] for one in made if "IncidentHazard" in one}
    assert hazards
    assert hazards <= known["Hazards"]
    assert {str(one["languageId"]) for one in made} == known["Languages"] & {"1033", "21514"}
    media = {one["CallBacks"]["contactDetail"] for one in made if "CallBacks" in one}
    assert media <= known["ContactDetails"]


@pytest.mark.parametrize(
    ("channel", "source"),
    [("PHONE", "CallCenter"), ("Constituent Call", "CallCenter"), ("ONLINE", "Portal"), ("MOBILE", "IVR")],
)
def test_the_channel_of_a_call_is_its_source(plan, channel, source):
    found = {made.get("source") for one, made in plan.tickets.values() if one.call.channel == channel}
    assert found == {source}


@pytest.mark.parametrize(
    ("about", "code", "hazard"),
    [
        ("Overgrown Tree/Branches: Hitting Power/Phone Lines", "Flick Light/Partial Light", "line down"),
        ("Street Light Condition: Street Light Out", "No Power", None),
        ("ELECTRIC: POWER OUTAGE", "No Power/No Light", None),
    ],
)
def test_what_a_call_is_about_is_its_trouble_code(plan, about, code, hazard):
    (made,) = (made for one, made in plan.tickets.values() if one.call.about == about)
    assert (made["troubleCode"], made.get("IncidentHazard", {}).get("mRID")) == (code, hazard)
    assert made["comment"] == about


def test_a_street_is_no_tree(plan):
    for one, made in plan.tickets.values():
        if one.call.about.startswith("Street Condition"):
            assert "IncidentHazard" not in made


def test_persons_are_made_up(plan):
    for _, made in plan.tickets.values():
        person = made["CustomerData"]
        assert person["electronicAddress"]["email1"].endswith("@example.org")
        assert "555-01" in person["mobilePhone"]["localNumber"]


def test_times_are_those_of_a_day_that_goes_on(plan):
    begun = [made["createdDateTime"] for _, made in plan.tickets.values()]
    assert begun == sorted(begun)
    assert max(begun) < NOW.isoformat()
    periods = [made["CallBacks"]["Periods"] for _, made in plan.tickets.values() if "CallBacks" in made]
    assert all(one["start"] < one["end"] for one in periods)


def test_some_join_one_incident_and_are_called_back_by_agents_and_the_ivr(plan):
    assert len(plan.dark) == 12
    assert {one.transformer for one in plan.dark.values()} == {TRANSFORMER}
    assert plan.for_ivr < plan.asking
    assert set(plan.automatic) < plan.for_ivr
    assert len(plan.for_ivr) >= 4  # so that one does not answer at first


def test_tickets_of_all_kinds_are_asked_for_afterwards(plan):
    assert {one.kind for one in plan.asked.values()} == {CUSTOMER, LANDBASE, LOCATION, UNLOCATED}
    assert plan.dark.keys() <= plan.asked.keys()
    assert len(plan.asked) <= 60


def test_objects_that_calls_cannot_be_located_by_are_not_on_the_map():
    there = {tuple(sorted(one.items())) for one in landbase_rows()}
    assert len(there) == len(landbase_rows())
    known = {
        tuple(value.casefold() for name, value in one.items() if name not in "xy") for one in landbase_rows()
    }
    missing = [one for one in placed() if not one.on_map]
    assert missing
    for one in missing:
        kind, parameters = search_of(one.call)
        assert tuple(one.casefold() for one in (kind, *parameters.values())) not in known


def test_a_ticket_without_a_place_says_nothing_of_one():
    one = next(one for one in placed() if one.kind == UNLOCATED and one.on_map)
    made = ticket(one, 0, name="x", now=NOW)
    assert "Location" not in made
    assert "UsagePoint" not in made


# -- inside the hub --------------------------------------------------------------------------------------


@pytest.fixture
def _people(db):
    for name in PEOPLE:
        UserFactory(username=name)


@pytest.fixture
def _own_connection(monkeypatch):
    """A test's database ends with its connection."""
    monkeypatch.setattr("demo.operating.connections.close_all", lambda: None)


@pytest.fixture
def centre(_people, _own_connection):
    made = client_create(client_id="CALLCENTER", name="The call centre", flows=[], actor="test")
    operations_allow(made.client, OPERATIONS["CALLCENTER"], "test")
    return Crm(made.client, made.secret)


def send(centre, plan):
    for city, made in plan.messages:
        body = {"Payload": {"TroubleTickets": {"TroubleTicket": made}}}
        said = centre.soap_call("CreatedTroubleTickets", body, Source=city)
        assert said.result == "OK"


@pytest.mark.usefixtures("_people")
def test_the_set_up_is_made_once():
    for _ in range(2):
        crm_set()
    assert ServiceDeliveryPoint.objects.count() == len(service_point_rows())
    assert LandbaseObject.objects.count() == len(landbase_rows())
    rows = Row.objects.filter(lookup__name="GRIDOPS-CRM_Projections", cells__0=NYC)
    assert [row.cells for row in rows] == [[NYC, NYC_PROJECTION]]
    assert rows.get().history.first().history_user.username == "business.admin"


@pytest.mark.usefixtures("_people")
def test_a_row_that_is_not_taken_is_named(monkeypatch):
    monkeypatch.setattr("demo.operating.service_point_rows", lambda: [{"servicePointId": "S", "x": "1"}])
    with pytest.raises(CannotStartError, match="x without y"):
        crm_set()


@pytest.mark.django_db
def test_a_client_may_call_the_operations_that_are_named_and_no_flow_is_one():
    made = client_create(client_id="IVR", name="IVR", flows=[], actor="test")
    operations_allow(made.client, ["OUTL-BA-X", "CreatedCallBacksResults"], "test")
    assert CrmCaller.objects.get().operations == ["CreatedCallBacksResults"]
    other = client_create(client_id="DACS", name="DACS", flows=[], actor="test")
    operations_allow(other.client, ["OUTL-BA-X"], "test")
    assert not CrmCaller.objects.filter(client=other.client).exists()


def test_the_hub_places_every_ticket_as_planned(centre, plan):
    crm_set()
    send(centre, plan)
    found = dict(TroubleTicket.objects.values_list("name", "kind"))
    assert found == {name: one.kind for name, (one, _) in plan.tickets.items()}
    # New York's feet and Boston's degrees are the same map's: one call's two pairs of coordinates are one place.
    for row in TroubleTicket.objects.filter(kind=LOCATION):
        call = plan.tickets[row.name][0].call
        if not call.longitude:  # some have the feet alone
            continue
        assert (row.x, row.y) == pytest.approx((float(call.longitude), float(call.latitude)), abs=2e-5)


def test_the_transformer_s_tickets_are_one_incident_that_an_operator_restores(centre, plan):
    crm_set()
    send(centre, plan)
    (incident,) = set(TroubleTicket.objects.filter(name__in=plan.dark).values_list("incident", flat=True))
    assert restore_incident(str(incident), plan.automatic) == plan.asking
    assert Incident.objects.get(pk=incident).stage == "restored"
    marked = Callback.objects.filter(automatic=True).values_list("ticket__service_point", flat=True)
    assert sorted(marked) == sorted(plan.automatic)
