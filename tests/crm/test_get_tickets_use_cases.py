"""GetTroubleTickets: the rows of table 6.1 without an error code, and what tables 10.9 to 10.15 list of the reply."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.models import TroubleTicket
from tests.crm.conftest import Crm, Plain, Said, crm_property
from tests.crm.rows import a_contact, a_ticket, an_incident, archived, same_moment, statements
from tests.crm.wording import TRANSPORTS, over, row_set

SHORT = {"mRID", "callBack", "comment", "createdDateTime", "source", "troubleCode", "Location", "UsagePoint"}
ARCHIVED_WHOLE = SHORT | {"csrId", "firstCallDateTime", "CustomerData", "IncidentHazard", "IncidentRecord"}
ACTIVE_WHOLE = ARCHIVED_WHOLE | {"languageId"}
ADDRESS = [
    {"description": "street1", "name": "MAIN ST", "type": "Intersection"},
    {"description": "street2", "name": "2ND AVE", "type": "Intersection"},
]


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


def full(name: str = "EXT-1", **given: Any) -> TroubleTicket:
    """A ticket of which everything is known that a message can say of one."""
    incident = an_incident(
        "Line 1",
        "Line 2",
        status="Dispatched",
        comment="Tree on the line",
        cause="Tree",
        subcause="Fallen limb",
        estimated_restoration_at=timezone.now() + timedelta(hours=3),
    )
    defaults = {
        "comment": "Heard a bang",
        "source": "Portal",
        "csr_id": "csr7",
        "language_id": 21514,
        "call_back": True,
        "callback_media": ["SMS"],
        "hazards": ["line down", "fire"],
        "location": ADDRESS,
        "last_update_user": "csr8",
    }
    made = a_ticket(incident, "SDP-1", name=name, **{**defaults, **given})
    a_contact(made, "email", "ann@example.org")
    return made


def mrids(said: Said) -> list[str]:
    return [one["mRID"] for one in said.tickets]


def keys(*rows: TroubleTicket) -> list[str]:
    return [str(row.pk) for row in rows]


def truth(value: Any) -> bool:
    """A boolean as JSON has it, or as the schema spells it."""
    return value in (True, "true")


# -- one criterion each (table 6.1) ----------------------------------------------------------------------


def test_a_valid_mrid_finds_the_ticket(crm: Crm):
    wanted, _ = full("EXT-1"), full("EXT-2")
    said = crm.get(mRID=str(wanted.pk))
    assert (said.result, said.errors, mrids(said)) == ("OK", [], keys(wanted))


def test_a_valid_name_finds_the_ticket(crm: Crm):
    wanted, _ = full("EXT-1"), full("EXT-2")
    said = crm.get(name="EXT-1")
    assert (said.result, said.errors, mrids(said)) == ("OK", [], keys(wanted))


def test_two_tickets_of_one_name_are_both_returned(crm: Crm):
    """External ids are not checked for being unique (chapter 2)."""
    first, second = full("EXT-1"), full("EXT-1")
    assert mrids(crm.get(name="EXT-1")) == keys(first, second)


def test_a_valid_incident_finds_all_of_its_tickets(crm: Crm):
    incident = an_incident()
    wanted = [a_ticket(incident), a_ticket(incident, "SDP-1")]
    a_ticket()
    said = crm.get(IncidentRecord={"mRID": str(incident.pk)})
    assert (said.result, said.errors, mrids(said)) == ("OK", [], keys(*wanted))


def test_a_valid_usage_point_finds_all_of_its_tickets(crm: Crm):
    wanted = [a_ticket(point="SDP-1"), a_ticket(point="SDP-1")]
    a_ticket(point="SDP-2")
    said = crm.get(UsagePoint={"mRID": "SDP-1"})
    assert (said.result, said.errors, mrids(said)) == ("OK", [], keys(*wanted))


def test_a_mrid_is_found_in_any_spelling(crm: Crm):
    wanted = full()
    assert mrids(crm.get(mRID=str(wanted.pk).upper())) == keys(wanted)


@pytest.mark.parametrize("asked", ["active", "Active", " ACTIVE "])
def test_the_context_may_come_in_any_case(crm: Crm, asked):
    wanted = full()
    said = crm.get(asked, name="EXT-1")
    assert (said.result, mrids(said)) == ("OK", keys(wanted))


# -- active, archived, all (chapter 15.1, extended data filtering) ---------------------------------------


CRITERIA: list[Callable[[TroubleTicket], Plain]] = [
    lambda one: {"name": one.name},
    lambda one: {"UsagePoint": {"mRID": "SDP-1"}},
]


@pytest.mark.parametrize("criteria", CRITERIA, ids=["name", "usage point"])
def test_active_and_archived_tickets_are_pulled_in_one_call(crm: Crm, criteria):
    """Regardless of the search criterion; the active ones first, of each the oldest first."""
    old, older = full(), full()
    archived(old.incident)
    archived(older.incident)
    one, two = full(), full()
    assert mrids(crm.get("active", **criteria(one))) == keys(one, two)
    assert mrids(crm.get("archived", **criteria(one))) == keys(old, older)
    said = crm.get("all", **criteria(one))
    assert (said.result, said.errors, mrids(said)) == ("OK", [], keys(one, two, old, older))


def test_one_archived_ticket_is_found_by_its_mrid_and_by_its_incident(crm: Crm):
    wanted = full()
    archived(wanted.incident)
    for context in ("archived", "all"):
        assert mrids(crm.get(context, mRID=str(wanted.pk))) == keys(wanted)
        assert mrids(crm.get(context, IncidentRecord={"mRID": str(wanted.incident_id)})) == keys(wanted)
    assert crm.get("active", mRID=str(wanted.pk)).result == "FAILED"


# -- what is said of each ticket (tables 10.9 to 10.15) --------------------------------------------------


@pytest.mark.parametrize("by", ["mRID", "name"])
def test_an_active_ticket_by_its_id_has_the_members_of_table_10_10(crm: Crm, by):
    row = full()
    (said,) = crm.get(**{by: str(row.pk) if by == "mRID" else row.name}).tickets
    assert set(said) == ACTIVE_WHOLE
    assert (said["mRID"], said["comment"], said["csrId"]) == (str(row.pk), "Heard a bang", "csr7")
    assert (said["source"], said["troubleCode"]) == ("Portal", "No Power/No Light")
    assert truth(said["callBack"])
    assert int(said["languageId"]) == 21514
    assert same_moment(said["createdDateTime"], row.event_at)
    assert same_moment(said["firstCallDateTime"], row.received_at)
    assert said["IncidentHazard"] == [{"mRID": "line down"}, {"mRID": "fire"}]
    assert said["Location"] == ADDRESS
    assert said["UsagePoint"] == {"mRID": "SDP-1"}
    assert said["CustomerData"] == {
        "firstName": "Ann",
        "lastName": "Example",
        "electronicAddress": {"email1": "ann@example.org"},
    }


def test_its_incident_record_has_the_members_of_table_10_5(crm: Crm):
    row = full()
    said = crm.get(name="EXT-1").tickets[0]["IncidentRecord"]
    incident: Any = row.incident
    assert same_moment(said.pop("createdDateTime"), incident.created_at)
    assert same_moment(said.pop("estimatedRestorationTime"), incident.estimated_restoration_at)
    assert said == {
        "mRID": str(incident.pk),
        "comment": "Tree on the line",
        "Crews": [{"mRID": "crew-Line 1", "name": "Line 1"}, {"mRID": "crew-Line 2", "name": "Line 2"}],
        "OutageRecord": {"OutageCodes": [{"name": "Tree", "subCode": "Fallen limb"}]},
        "status": {"value": "Dispatched"},
    }


@pytest.mark.parametrize("by", ["IncidentRecord", "UsagePoint"])
def test_active_tickets_in_a_list_have_the_members_of_table_10_9(crm: Crm, by):
    row = full()
    wanted = str(row.incident_id) if by == "IncidentRecord" else "SDP-1"
    (said,) = crm.get(**{by: {"mRID": wanted}}).tickets
    assert set(said) == SHORT
    assert (said["source"], said["comment"], said["Location"]) == ("Portal", "Heard a bang", ADDRESS)


@pytest.mark.parametrize("asked", ["archived", "all"])
@pytest.mark.parametrize("by", ["mRID", "name"])
def test_an_archived_ticket_by_its_id_has_the_members_of_table_10_12(crm: Crm, by, asked):
    """No languageId; sources as the Operations database spells them; the incident of table 10.15."""
    row = full()
    archived(row.incident)
    (said,) = crm.get(asked, **{by: str(row.pk) if by == "mRID" else row.name}).tickets
    assert set(said) == ARCHIVED_WHOLE
    assert said["source"] == "OutagePortal"
    assert said["Location"] == ADDRESS
    assert said["CustomerData"]["lastName"] == "Example"
    assert said["IncidentRecord"]["status"] == {"value": "Archived"}
    assert set(said["IncidentRecord"]) == {
        "mRID",
        "comment",
        "createdDateTime",
        "estimatedRestorationTime",
        "Crews",
        "OutageRecord",
        "status",
    }


@pytest.mark.parametrize("by", ["IncidentRecord", "UsagePoint"])
def test_archived_tickets_in_a_list_have_the_members_of_table_10_11(crm: Crm, by):
    row = full()
    archived(row.incident)
    wanted = str(row.incident_id) if by == "IncidentRecord" else "SDP-1"
    (said,) = crm.get("archived", **{by: {"mRID": wanted}}).tickets
    assert set(said) == SHORT
    assert said["source"] == "OutagePortal"


@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("CallCenter", "CC"),
        ("IVR", "IVR"),
        ("Portal", "OutagePortal"),
        ("Operator", "Operator"),
        ("Unknown", "Unknown"),
    ],
)
def test_archived_sources_are_spelled_as_table_10_11_has_them(crm: Crm, source, spelled):
    row = full(source=source)
    assert crm.get(name="EXT-1").tickets[0]["source"] == source
    archived(row.incident)
    assert crm.get("archived", name="EXT-1").tickets[0]["source"] == spelled


def test_how_archived_sources_are_spelled_is_configured(crm: Crm):
    row_set("CallSources", "Portal", 2, "WEB")
    archived(full().incident)
    assert crm.get("archived", name="EXT-1").tickets[0]["source"] == "WEB"


def test_what_is_not_known_of_a_ticket_is_left_out(crm: Crm):
    """An unlocated call has no usage point (table 10.9); nobody's name makes no CustomerData."""
    row = a_ticket(name="EXT-1", usage_point="SDP-404")
    (said,) = crm.get(name="EXT-1").tickets
    assert set(said) == {
        "mRID",
        "callBack",
        "createdDateTime",
        "firstCallDateTime",
        "languageId",
        "source",
        "troubleCode",
        "IncidentRecord",
    }
    assert not truth(said["callBack"])
    assert set(said["IncidentRecord"]) == {"mRID", "createdDateTime", "status"}
    row.incident = None
    row.save()
    assert "IncidentRecord" not in crm.get(name="EXT-1").tickets[0]


def test_a_landbase_tickets_location_has_the_point_that_was_found(crm: Crm):
    full(kind=TroubleTicket.Kind.LANDBASE, x=-73.5, y=40.25)
    for one in crm.get(name="EXT-1").tickets[0]["Location"]:
        assert one["PositionPoint"] == {"xPosition": "-73.5", "yPosition": "40.25"}
        assert one["type"] == "Intersection"


# -- callers (table 6.1, several contacts; chapter 15.2) -------------------------------------------------


def customer(crm: Crm, context: str = "active") -> Plain:
    found: Plain = crm.get(context, name="EXT-1").tickets[0]["CustomerData"]
    return found


def called(row: TroubleTicket) -> None:
    """A second caller, with another address, and a second address of the first."""
    a_contact(row, "mobile", "555-0102", first_name="Bob", last_name="Other")
    a_contact(row, "email", "bob@example.org", first_name="Bob", last_name="Other")
    a_contact(row, "email", "ann.two@example.org")


def test_of_several_contacts_the_first_callers_first_ones_are_given(crm: Crm):
    called(full())
    assert customer(crm) == {
        "firstName": "Ann",
        "lastName": "Example",
        "electronicAddress": {"email1": "ann@example.org"},
        "mobilePhone": {"localNumber": "555-0102"},
    }


@pytest.mark.parametrize("asked", ["active", "archived"])
def test_of_several_contacts_the_preferred_one_is_given(crm: Crm, asked):
    """And its caller's name with it (tables 10.10 and 10.17)."""
    row = full()
    called(row)
    row.contacts.filter(value="bob@example.org").update(preferred=True)
    if asked == "archived":
        archived(row.incident)
    assert customer(crm, asked) == {
        "firstName": "Bob",
        "lastName": "Other",
        "electronicAddress": {"email1": "bob@example.org"},
        "mobilePhone": {"localNumber": "555-0102"},
    }


def test_a_preferred_one_counts_for_its_kind_alone(crm: Crm):
    row = full()
    called(row)
    row.contacts.filter(value="ann.two@example.org").update(preferred=True)
    assert customer(crm)["electronicAddress"] == {"email1": "ann.two@example.org"}
    assert customer(crm)["mobilePhone"] == {"localNumber": "555-0102"}


def test_a_middle_name_goes_with_the_first_one_as_far_as_the_schema_lets_it(crm: Crm):
    row = full()
    row.contacts.update(first_name="A" * 255 + " " + "M" * 255)
    assert customer(crm)["firstName"] == "A" * 255


# -- the reply's header (tables 10.9 to 10.12) -----------------------------------------------------------


@pytest.mark.parametrize("asked", ["active", "archived", "all"])
def test_the_replys_header(crm: Crm, asked):
    crm_property("reply.source", "EcoStruxure GridOps")
    archived(full().incident)
    full()
    said = crm.get(asked, name="EXT-1", header={"MessageID": "m-1", "CorrelationID": "c-1"})
    header = dict(said.document["Header"])
    assert header.pop("MessageID") not in ("", "m-1")
    assert header.pop("Timestamp")
    assert header == {
        "Verb": "reply",
        "Noun": "TroubleTickets",
        "Revision": "2.0",
        "Context": asked,
        "Source": "EcoStruxure GridOps",
        "CorrelationID": "c-1",
    }


def test_the_same_question_again_is_answered_with_what_holds_then(crm: Crm):
    """A repeated MessageID gets the first reply only where something was done."""
    row = full()
    assert crm.get(name="EXT-1", header={"MessageID": "m-1"}).tickets[0]["comment"] == "Heard a bang"
    TroubleTicket.objects.filter(pk=row.pk).update(comment="Another bang")
    assert crm.get(name="EXT-1", header={"MessageID": "m-1"}).tickets[0]["comment"] == "Another bang"


@pytest.mark.parametrize("by", ["IncidentRecord", "name"])
def test_many_tickets_take_no_statement_more_than_one(crm: Crm, by):
    def ask(count: int) -> int:
        incident = an_incident("Line 1")
        for _ in range(count):
            a_contact(a_ticket(incident, "SDP-1", name=f"EXT-{count}"), "email", "ann@example.org")
        wanted: Any = {"mRID": str(incident.pk)} if by == "IncidentRecord" else f"EXT-{count}"
        return statements(lambda: crm.get(**{by: wanted}))

    assert ask(30) == ask(1)
