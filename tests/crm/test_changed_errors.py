"""ChangedTroubleTickets: every row of table 5.2 that has an error code, named after its reason (wire-facts 1.5)."""

from collections.abc import Callable

import pytest

from crm.models import CallerContact, ReceivedMessage, TroubleTicket
from crm.operations import changed_trouble_tickets
from tests.crm.conftest import Crm
from tests.crm.wording import TRANSPORTS, error, fault_reply, over, send_raw, statuses, stored

OPERATION = "ChangedTroubleTickets"
MORE = {"comment": "more"}
UNKNOWN = "0190a5c4-0000-7000-8000-000000000000"


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated; two tickets are there."""
    crm = over(make_crm(), request.param)
    crm.create({"name": "t1", "comment": "first"}, {"name": "t2", "comment": "x" * 498})
    return crm


def unchanged() -> bool:
    """Whether both tickets are as they were."""
    rows = TroubleTicket.objects.order_by("pk").values_list("comment", "last_update_user")
    return list(rows) == [("first", ""), ("x" * 498, "")] and not CallerContact.objects.exists()


# -- the four that every operation has -------------------------------------------------------------------


def test_changed_trouble_tickets_invalid_verb(crm: Crm):
    said = crm.change({"name": "t1", **MORE}, Verb="created")
    assert said.errors == [error("2.9", "FATAL", "InvalidVerb", "Invalid verb: created.")]
    assert (said.result, said.tickets) == ("FAILED", [])
    assert unchanged()


def test_changed_trouble_tickets_invalid_noun(crm: Crm):
    said = crm.change({"name": "t1", **MORE}, Noun="Callbacks")
    assert said.errors == [error("2.5", "FATAL", "InvalidNoun", "Invalid noun: Callbacks.")]
    assert (said.result, said.tickets) == ("FAILED", [])
    assert unchanged()


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"Verb": None}, "Element 'Noun': This element is not expected. Expected is ( Verb )"),
        ({"Timestamp": None}, "Header has no Timestamp"),
    ],
)
def test_changed_trouble_tickets_invalid_message(crm: Crm, missing, why):
    said = crm.change({"name": "t1", **MORE}, **missing)
    (found,) = said.errors
    found["details"] = found["details"].replace("line 1: ", "")
    details = f"Received message is invalid against xsd schema. Reason: {why}."
    assert found == error("1.8", "FATAL", "InvalidMessage", details)
    assert (said.result, said.tickets) == ("FAILED", [])
    assert unchanged()


@pytest.mark.parametrize("transport", [*TRANSPORTS, "soap12"])
def test_changed_trouble_tickets_internal_server_error(make_crm, monkeypatch, transport):
    def broken(*_: object) -> None:
        raise RuntimeError("its own words stay in the log")

    crm = make_crm()
    crm.create({"name": "t1", "comment": "first"})
    body = {"Payload": {"TroubleTickets": {"TroubleTicket": [{"name": "t1", "csrId": "csr7", **MORE}]}}}
    monkeypatch.setattr(changed_trouble_tickets, "_add_contacts", broken)
    answer = send_raw(crm, transport, OPERATION, body)
    text = "The hub met something it did not foresee; give its operators the time of this call."
    entry = error("5.3", "FATAL", "InternalServerError", text)
    assert answer.status_code == 500
    assert fault_reply(OPERATION, answer) == {"Result": "FAILED", "Error": [entry]}
    assert (stored("t1").comment, ReceivedMessage.objects.count()) == ("first", 1)


# -- of single tickets ------------------------------------------------------------------------------------


def test_changed_trouble_tickets_update_data_missing(crm: Crm):
    said = crm.change({"name": "t1"}, {"name": "t2", "comment": "z"}, {"mRID": UNKNOWN, "CustomerData": {}})
    details = "Comment and Customer data are not provided for trouble tickets(s): t1, 3."
    assert said.errors == [error("1.2", "FATAL", "UpdateDataMissing", details)]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "UPDATED", "FAILED"])
    assert (stored("t1").last_update_user, stored("t2").comment[498:]) == ("", "\nz")


def test_changed_trouble_tickets_update_data_missing_of_every_ticket(crm: Crm):
    said = crm.change({"name": "t1", "comment": "  "}, {"name": "t2"})
    details = "Comment and Customer data are not provided for trouble tickets(s): t1, t2."
    assert said.errors == [error("1.2", "FATAL", "UpdateDataMissing", details)]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED", "FAILED"])
    assert unchanged()


def test_changed_trouble_tickets_duplicate_mrids(crm: Crm):
    one, other = str(stored("t1").pk), stored("t2")
    said = crm.change(
        {"mRID": one, **MORE}, {"mRID": str(other.pk), "comment": "z"}, {"mRID": one.upper(), **MORE}
    )
    assert said.errors == [error("2.7", "FATAL", "DuplicateMRIDs", f"Duplicate mRID {one} in the message.")]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "UPDATED", "FAILED"])
    assert (stored("t1").comment, stored("t2").comment[498:]) == ("first", "\nz")


def test_changed_trouble_tickets_duplicate_mrids_of_every_ticket(crm: Crm):
    key = str(stored("t1").pk)
    said = crm.change({"mRID": key, **MORE}, {"mRID": key, "comment": "and more"})
    assert said.errors == [error("2.7", "FATAL", "DuplicateMRIDs", f"Duplicate mRID {key} in the message.")]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED", "FAILED"])
    assert unchanged()


def test_changed_trouble_tickets_comment_exceeds_limit(crm: Crm):
    said = crm.change({"name": "t2", "comment": "zz"}, {"name": "t1", "comment": "more"})
    details = "Comment exceeds limit for trouble ticket(s): t2"
    assert said.errors == [error("2.7", "WARNING", "CommentExceedsLimit", details)]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "UPDATED"])
    assert (stored("t2").comment, stored("t2").last_update_user) == ("x" * 498, "")
    assert stored("t1").comment == "first\nmore"


def test_changed_trouble_tickets_comment_exceeds_limit_of_every_ticket(crm: Crm):
    person = {"lastName": "Late", "mobilePhone": {"localNumber": "555"}}
    said = crm.change({"mRID": str(stored("t2").pk), "comment": "zz", "CustomerData": person})
    details = "Comment exceeds limit for trouble ticket(s): 1"
    assert said.errors == [error("2.7", "WARNING", "CommentExceedsLimit", details)]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED"])
    assert unchanged()


def test_changed_trouble_tickets_mr_id_missing(crm: Crm):
    said = crm.change(MORE, {"name": "t1", **MORE}, {"mRID": " ", "name": "", **MORE})
    details = "MrID is not specified for trouble ticket(s)."
    assert said.errors == [error("1.2", "FATAL", "MrIDMissing", details)]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "UPDATED", "FAILED"])
    assert stored("t1").comment == "first\nmore"


def test_changed_trouble_tickets_mr_id_missing_of_every_ticket(crm: Crm):
    said = crm.change(MORE)
    assert said.reasons == ["MrIDMissing"]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED"])
    assert unchanged()


def test_changed_trouble_tickets_entity_not_found(crm: Crm):
    said = crm.change(
        {"mRID": UNKNOWN, **MORE}, {"name": "t1", **MORE}, {"name": "t9", **MORE}, {"mRID": "x", **MORE}
    )
    details = f"Trouble ticket {UNKNOWN}, t9, x not found in ADMS."
    assert said.errors == [error("2.7", "FATAL", "EntityNotFound", details)]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "UPDATED", "FAILED", "FAILED"])
    assert [one.get("mRID") for one in said.tickets] == [UNKNOWN, str(stored("t1").pk), None, "x"]


def test_changed_trouble_tickets_entity_not_found_of_every_ticket(crm: Crm):
    said = crm.change({"name": "t9", **MORE})
    assert said.errors == [error("2.7", "FATAL", "EntityNotFound", "Trouble ticket t9 not found in ADMS.")]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED"])
    assert unchanged()


def test_changed_trouble_tickets_csr_id_missing(crm: Crm):
    said = crm.change({"name": "t1", **MORE}, {"name": "t2", "comment": "z", "csrId": None})
    assert said.errors == [error("1.8", "FATAL", "CsrIDMissing", "CsrID is not provided.")]
    assert (said.result, said.tickets) == ("FAILED", [])
    assert unchanged()
