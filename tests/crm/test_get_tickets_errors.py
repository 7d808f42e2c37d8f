"""GetTroubleTickets: every row of table 6.1 that has an error code, named after its reason (wire-facts 1.5)."""

from collections.abc import Callable

import pytest

from crm.models import ReceivedMessage, TroubleTicket
from crm.operations import get_trouble_tickets
from tests.crm.conftest import Crm, Said
from tests.crm.rows import a_ticket, again, an_incident
from tests.crm.wording import TRANSPORTS, error, fault_reply, over, send_raw

OPERATION = "GetTroubleTickets"


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


@pytest.fixture
def known(db: None) -> TroubleTicket:
    """A ticket that no message may change."""
    return a_ticket(name="EXT-1", comment="as it was")


def refused(said: Said, entry: dict) -> None:
    """FAILED with this one error, no ticket in it, and the message on record."""
    assert said.errors == [entry]
    assert (said.status, said.result, said.tickets) == (200, "FAILED", [])
    assert said.document.get("Payload") is None
    row = ReceivedMessage.objects.get()
    assert (row.operation, row.result, row.reasons) == (OPERATION, "FAILED", [entry["reason"]])


# -- the four that every operation has -------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["created", "Fetch", "' OR 1=1 --"])
def test_get_trouble_tickets_invalid_verb(crm: Crm, known, verb):
    said = crm.get(name="EXT-1", header={"Verb": verb})
    refused(said, error("2.9", "FATAL", "InvalidVerb", f"Invalid verb: {verb}."))


def test_get_trouble_tickets_invalid_noun(crm: Crm, known):
    said = crm.get(name="EXT-1", header={"Noun": "Callbacks"})
    refused(said, error("2.5", "FATAL", "InvalidNoun", "Invalid noun: Callbacks."))


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"Verb": None}, "Element 'Noun': This element is not expected. Expected is ( Verb )"),
        ({"Noun": None}, "Element 'Revision': This element is not expected. Expected is ( Noun )"),
        ({"Timestamp": None}, "Header has no Timestamp"),
        ({"MessageID": None}, "Header has no MessageID"),
        ({"MessageID": None, "CorrelationID": None}, "Header has no MessageID and no CorrelationID"),
        (
            {"Timestamp": "yesterday"},
            "Element 'Timestamp': 'yesterday' is not a valid value of the atomic type 'xs:dateTime'",
        ),
    ],
)
def test_get_trouble_tickets_invalid_message(crm: Crm, known, missing, why):
    said = crm.get(name="EXT-1", header=missing)
    details = said.error("InvalidMessage")["details"].replace("Reason: line 1: ", "Reason: ")
    assert details == f"Received message is invalid against xsd schema. Reason: {why}."
    refused(said, {**error("1.8", "FATAL", "InvalidMessage", ""), "details": said.errors[0]["details"]})


def test_get_trouble_tickets_invalid_message_without_a_request(crm: Crm):
    said = crm.call(OPERATION, {}, Context="active")
    why = "Element 'GetTroubleTickets': Missing child element(s). Expected is ( Request )"
    details = said.error("InvalidMessage")["details"].replace("Reason: line 1: ", "Reason: ")
    assert details == f"Received message is invalid against xsd schema. Reason: {why}."
    refused(said, said.errors[0])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_get_trouble_tickets_internal_server_error(make_crm, known, monkeypatch, transport):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(get_trouble_tickets, "tickets_reply", fail)
    request = {"Request": {"GetTroubleTickets": {"name": "EXT-1"}}}
    answer = send_raw(make_crm(), transport, OPERATION, request, Context="active")
    text = "The hub met something it did not foresee; give its operators the time of this call"
    assert answer.status_code == 500
    assert fault_reply(OPERATION, answer) == {
        "Result": "FAILED",
        "Error": [error("5.3", "FATAL", "InternalServerError", f"{text}.")],
    }
    assert b"a mistake of ours" not in answer.content
    assert not ReceivedMessage.objects.exists()


# -- its own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [None, "", "  "])
def test_get_trouble_tickets_context_missing(crm: Crm, known, asked):
    said = crm.get(asked, name="EXT-1")
    refused(said, error("2.7", "FATAL", "ContextMissing", "Context element not found in message."))
    assert "Context" not in said.document["Header"]


@pytest.mark.parametrize("asked", ["PRODUCTION", "actives", "active archived"])
def test_get_trouble_tickets_invalid_context(crm: Crm, known, asked):
    said = crm.get(asked, name="EXT-1")
    refused(said, error("2.7", "FATAL", "InvalidContext", f"Invalid context: {asked}."))
    assert said.document["Header"]["Context"] == asked


@pytest.mark.parametrize("asked", ["active", "archived", "all"])
@pytest.mark.parametrize("mrid", ["0190a1b2-0000-7000-8000-00000000beef", "TT-1", "' OR 1=1 --"])
def test_get_trouble_tickets_entity_not_found_mrid(crm: Crm, known, mrid, asked):
    said = crm.get(asked, mRID=mrid)
    refused(said, error("2.7", "FATAL", "EntityNotFound", f"Invalid entity mRID(s): {mrid}"))


def test_get_trouble_tickets_entity_not_found_mrid_of_an_archived_one(crm: Crm, known):
    """It is there, but not in the set that was asked for."""
    said = crm.get("archived", mRID=str(known.pk))
    refused(said, error("2.7", "FATAL", "EntityNotFound", f"Invalid entity mRID(s): {known.pk}"))


@pytest.mark.parametrize("mrid", ["0190a1b2-0000-7000-8000-00000000beef", "INC-9"])
def test_get_trouble_tickets_entity_not_found_incident_mrid(crm: Crm, known, mrid):
    said = crm.get(IncidentRecord={"mRID": mrid})
    refused(said, error("2.7", "FATAL", "EntityNotFound", f"Invalid entity mRID(s): {mrid}"))


@pytest.mark.parametrize("name", ["EXT-2", "ext-1", "EXT", "%", "' OR 1=1 --"])
def test_get_trouble_tickets_entity_not_found_name(crm: Crm, known, name):
    said = crm.get(name=name)
    refused(said, error("2.7", "FATAL", "EntityNotFound", f"Invalid Trouble Ticket name(s): {name}"))


def nothing_found(said: Said, criterion: str) -> None:
    """OK with what is said of nothing found, and an empty payload."""
    details = f"No trouble tickets found for provided search criteria: {criterion}"
    assert said.errors == [error("2.7", "INFORM", "EntityNotFound", details)]
    assert (said.result, said.tickets, said.document.get("Payload")) == ("OK", [], None)


@pytest.mark.parametrize("point", ["SDP-1", "SDP-404"])
def test_get_trouble_tickets_entity_not_found_no_tickets(crm: Crm, points, point):
    """A usage point that nobody called from, whether it is in the model or not."""
    nothing_found(crm.get(UsagePoint={"mRID": point}), point)


def test_get_trouble_tickets_entity_not_found_no_tickets_of_an_incident(crm: Crm):
    incident = str(an_incident().pk)
    nothing_found(crm.get(IncidentRecord={"mRID": incident}), incident)


def test_get_trouble_tickets_entity_not_found_no_tickets_in_this_context(crm: Crm):
    incident = str(a_ticket().incident_id)
    nothing_found(crm.get("archived", IncidentRecord={"mRID": incident}), incident)


@pytest.mark.parametrize(
    "criteria",
    [{}, {"mRID": ""}, {"name": "  "}, {"IncidentRecord": {}}, {"UsagePoint": {"mRID": ""}}],
    ids=["none", "empty mRID", "blank name", "incident without mRID", "empty usage point"],
)
def test_get_trouble_tickets_search_criteria_missing(crm: Crm, known, criteria):
    said = crm.get(**criteria)
    text = "Search criteria is not provided in request message."
    refused(said, error("1.2", "FATAL", "SearchCriteriaMissing", text))


@pytest.mark.parametrize(
    "criteria",
    [
        {"mRID": "a", "name": "b"},
        {"name": "EXT-1", "UsagePoint": {"mRID": "SDP-1"}},
        {"IncidentRecord": {"mRID": "i"}, "UsagePoint": {"mRID": "SDP-1"}},
        {"mRID": "a", "name": "b", "IncidentRecord": {"mRID": "i"}, "UsagePoint": {"mRID": "p"}},
    ],
    ids=["mRID and name", "name and point", "incident and point", "all four"],
)
def test_get_trouble_tickets_multiple_search_criteria_provided(crm: Crm, known, criteria):
    said = crm.get(**criteria)
    text = "Multiple search criteria provided in request message."
    refused(said, error("1.2", "FATAL", "MultipleSearchCriteriaProvided", text))


def test_the_context_is_looked_at_before_the_criteria(crm: Crm):
    assert crm.get(None).reasons == ["ContextMissing"]
    assert crm.get("all").reasons == ["SearchCriteriaMissing"]


def test_asking_changes_nothing(crm: Crm, known):
    before = TroubleTicket.objects.values().get()
    for criteria in ({"name": "EXT-1"}, {"name": "EXT-2"}, {"mRID": str(known.pk)}):
        crm.get(**criteria)
    assert TroubleTicket.objects.values().get() == before
    assert again(known).comment == "as it was"
