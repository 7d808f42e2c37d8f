"""The same operations over REST: addresses, JSON's shapes, and what is said of those that are not right."""

from typing import Any

import pytest

from crm.models import TroubleTicket
from tests.crm.answers import CREATED, created
from tests.crm.conftest import Crm, header, ticket

# -- REST ------------------------------------------------------------------------------------------------


def rest(
    crm: Crm, content: Any, operation: str = CREATED, kind: str = "application/json", **more: Any
) -> Any:
    answer = crm.http.post(f"/api/crm/v1/{operation}", content, content_type=kind, **crm.login, **more)
    assert answer["Content-Type"] == "application/json"
    return answer


def test_rest_an_unknown_operation_is_answered_with_the_list(crm: Crm):
    answer = rest(crm, created(), "DeletedTroubleTickets")
    assert (answer.status_code, answer.json()["o:errorCode"]) == (404, "HUB-NOT-FOUND")
    assert answer.json()["detail"] == (
        "There is no operation 'DeletedTroubleTickets'. There are CreatedTroubleTickets, ChangedTroubleTickets, "
        "GetTroubleTickets, GetCallbacks, CreatedCallBacksResults."
    )


@pytest.mark.parametrize("operation", [f"{CREATED}/", CREATED.lower()])
def test_rest_an_operation_is_found_in_any_casing(crm: Crm, operation):
    assert rest(crm, created(), operation).json()["Reply"]["Result"] == "OK"


def test_rest_needs_a_log_in(crm: Crm):
    answer = crm.http.post(f"/api/crm/v1/{CREATED}", created(), content_type="application/json")
    assert (answer.status_code, answer.json()["o:errorCode"]) == (401, "HUB-AUTH")
    assert answer["WWW-Authenticate"].startswith("Basic realm=")


def test_rest_a_list_of_one_may_come_without_its_brackets(crm: Crm):
    one = ticket(name="EXT-1", Location={"PositionPoint": {"xPosition": -73.9, "yPosition": 40.6}})
    document = {"Header": header(CREATED), "Payload": {"TroubleTickets": {"TroubleTicket": one}}}
    assert rest(crm, document).json()["Reply"]["Result"] == "OK"
    row = TroubleTicket.objects.get()
    assert (row.x, row.y, row.kind) == (-73.9, 40.6, "location")


def test_rest_a_list_may_stand_for_what_holds_but_a_list(crm: Crm):
    document = {
        "Header": header(CREATED),
        "Payload": {"TroubleTickets": [ticket(name="1"), ticket(name="2")]},
    }
    assert rest(crm, document).json()["Reply"]["Result"] == "OK"
    assert TroubleTicket.objects.count() == 2


def test_rest_answers_lists_always_as_lists(crm: Crm):
    said = rest(crm, created()).json()
    assert isinstance(said["Payload"]["TroubleTickets"]["TroubleTicket"], list)
    assert said["Reply"] == {"Result": "OK", "Error": []}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Body": {}}, "CreatedTroubleTickets has no member 'Body'; it has Header, Payload"),
        (
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(), ticket(trubleCode="x")]}}},
            "CreatedTroubleTickets.Payload.TroubleTickets.TroubleTicket[1] has no member 'trubleCode'; it has mRID, ",
        ),
        ({"Payload": {"TroubleTickets": {"TroubleTicket": ["x"]}}}, "TroubleTicket[0] has to be an object"),
        ({"Payload": "x"}, "CreatedTroubleTickets.Payload has to be an object"),
        ({"Payload": [[]]}, "CreatedTroubleTickets.Payload has to be an object"),
        (
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(comment=["a", "b"])]}}},
            "TroubleTicket[0].comment comes once, not as a list",
        ),
        (
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(comment={"a": "b"})]}}},
            "TroubleTicket[0].comment has to be a text, a number or true or false",
        ),
        (
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(callBack="maybe")]}}},
            "Element 'callBack': 'maybe' is not a valid value of the atomic type 'xs:boolean'",
        ),
        (
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(languageId=10.5)]}}},
            "Element 'languageId': '10.5' is not a valid value of the atomic type 'xs:integer'",
        ),
        (
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(createdDateTime=20260115)]}}},
            "Element 'createdDateTime': '20260115' is not a valid value of the atomic type 'xs:dateTime'",
        ),
        ({"Payload": None}, "Payload.TroubleTickets has no TroubleTicket"),
    ],
    ids=lambda one: str(one)[:40] if isinstance(one, str) else "",
)
def test_rest_what_is_wrong_is_named(crm: Crm, change, why):
    answer = rest(crm, {**created(CorrelationID="c-1"), **change})
    said = answer.json()
    assert (answer.status_code, said["Reply"]["Result"]) == (200, "FAILED")
    (entry,) = said["Reply"]["Error"]
    assert (entry["code"], entry["reason"]) == ("1.8", "InvalidMessage")
    assert why in entry["details"]
    assert said["Header"]["CorrelationID"] == "c-1"
    assert not TroubleTicket.objects.exists()


@pytest.mark.parametrize("content", [b"[]", b"[{}]", b"{}"])
def test_rest_what_is_no_message_at_all(crm: Crm, content):
    said = rest(crm, content).json()
    assert (said["Reply"]["Result"], said["Reply"]["Error"][0]["reason"]) == ("FAILED", "InvalidMessage")
    assert "CorrelationID" not in said["Header"]


def test_rest_a_header_that_cannot_be_read_is_named(crm: Crm):
    said = rest(crm, {**created(), "Header": {"Verb": ["created"], "Noise": 1}}).json()
    assert "Header has no member 'Noise'" in said["Reply"]["Error"][0]["details"]


@pytest.mark.parametrize(
    "kind", ["text/xml", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x"]
)
def test_rest_takes_json_alone(crm: Crm, kind):
    answer = rest(crm, b"{}", kind=kind)
    assert (answer.status_code, answer.json()["o:errorCode"]) == (415, "HUB-MEDIA-TYPE")
