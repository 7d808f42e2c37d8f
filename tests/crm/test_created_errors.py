"""CreatedTroubleTickets: every row of table 5.1 that has an error code, named after its reason (wire-facts 1.5)."""

from collections.abc import Callable

import pytest

from crm.models import CallerContact, Incident, ReceivedMessage, TroubleTicket
from crm.operations import created_trouble_tickets
from tests.crm.conftest import Crm, at, ticket
from tests.crm.wording import (
    CLEAN,
    SENT,
    TRANSPORTS,
    error,
    fault_reply,
    names,
    nothing_written,
    over,
    send_raw,
    statuses,
    stored,
)

OPERATION = "CreatedTroubleTickets"
FULL = "x" * 500


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


# -- the four that every operation has -------------------------------------------------------------------


def test_created_trouble_tickets_invalid_verb(crm: Crm):
    said = crm.create(CLEAN, Verb="delete")
    assert said.errors == [error("2.9", "FATAL", "InvalidVerb", "Invalid verb: delete.")]
    assert (said.result, said.tickets) == ("FAILED", [])
    assert names() == []


def test_created_trouble_tickets_invalid_noun(crm: Crm):
    said = crm.create(CLEAN, Noun="TroubleTicket")
    assert said.errors == [error("2.5", "FATAL", "InvalidNoun", "Invalid noun: TroubleTicket.")]
    assert (said.result, said.tickets) == ("FAILED", [])
    assert names() == []


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"Verb": None}, "Element 'Noun': This element is not expected. Expected is ( Verb )"),
        ({"Noun": None}, "Element 'Revision': This element is not expected. Expected is ( Noun )"),
        ({"MessageID": None}, "Header has no MessageID"),
    ],
)
def test_created_trouble_tickets_invalid_message(crm: Crm, missing, why):
    said = crm.create(CLEAN, **missing)
    found = said.error("InvalidMessage")
    said_why = found["details"].replace("line 1: ", "")
    assert (found["code"], found["level"]) == ("1.8", "FATAL")
    assert said_why == f"Received message is invalid against xsd schema. Reason: {why}."
    assert (said.result, said.tickets, names()) == ("FAILED", [], [])


@pytest.mark.parametrize("transport", [*TRANSPORTS, "soap12"])
def test_created_trouble_tickets_internal_server_error(make_crm, monkeypatch, transport):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("its own words stay in the log")

    crm = make_crm()
    body = {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(**CLEAN)]}}}
    with monkeypatch.context() as patch:
        patch.setattr(created_trouble_tickets, "join_incidents", broken)
        answer = send_raw(crm, transport, OPERATION, body, MessageID="again")
    text = "The hub met something it did not foresee; give its operators the time of this call."
    assert answer.status_code == 500
    assert fault_reply(OPERATION, answer) == {
        "Result": "FAILED",
        "Error": [error("5.3", "FATAL", "InternalServerError", text)],
    }
    assert nothing_written()
    assert (send_raw(crm, transport, OPERATION, body, MessageID="again").status_code, names()) == (
        200,
        ["clean"],
    )


# -- what is mended, and the ticket created ---------------------------------------------------------------


def test_created_trouble_tickets_comment_exceeds_limit(crm: Crm):
    said = crm.create(
        {"name": "t1", "comment": f"{FULL}y"},
        {"name": "t2", "comment": FULL},
        {"name": "t3", "comment": "z" * 9000},
    )
    details = "Comment exceeds limit for trouble ticket(s): t1, t3"
    assert said.errors == [error("2.7", "WARNING", "CommentExceedsLimit", details)]
    assert (said.result, statuses(said), names()) == ("OK", ["CREATED"] * 3, ["t1", "t2", "t3"])
    assert [stored(name).comment for name in ("t1", "t2", "t3")] == [FULL, FULL, "z" * 500]


def test_created_trouble_tickets_invalid_hazard_type(crm: Crm):
    given = [{"mRID": "gas leak"}, {"mRID": "meteor"}]
    said = crm.create({"name": "t1", "IncidentHazard": given}, CLEAN, {"IncidentHazard": [{"mRID": "flood"}]})
    details = "Invalid hazard type(s): meteor, flood for trouble ticket(s): t1, 3"
    assert said.errors == [error("2.7", "WARNING", "InvalidHazardType", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 3)
    assert (stored("t1").hazards, stored("").hazards) == (["gas leak"], [])


def test_created_trouble_tickets_invalid_language_id(crm: Crm):
    said = crm.create(
        {"name": "t1", "languageId": 1031},
        {"name": "t2", "languageId": 21514},
        {"name": "t3", "languageId": 7},
    )
    details = "Invalid language ID(s): 1031, 7 for trouble ticket(s): t1, t3"
    assert said.errors == [error("2.7", "WARNING", "InvalidLanguageId", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 3)
    assert [stored(name).language_id for name in ("t1", "t2", "t3")] == [1033, 21514, 1033]


def test_created_trouble_tickets_invalid_call_source(crm: Crm):
    said = crm.create({"name": "t1", "source": "Pigeon"}, {"name": "t2", "source": "IVR"})
    details = "Invalid call source(s): Pigeon for trouble ticket(s): t1"
    assert said.errors == [error("2.7", "WARNING", "InvalidCallSource", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert [stored(name).source for name in ("t1", "t2")] == ["Unknown", "IVR"]


def test_created_trouble_tickets_callback_period_end_date_time_in_past(crm: Crm):
    over_ones = {"Periods": [{"start": at(hours=-2), "end": at(hours=-1)}]}
    coming = {"Periods": [{"start": at(hours=1), "end": at(hours=2)}]}
    said = crm.create(
        {"name": "t1", "callBack": True, "CallBacks": [over_ones, coming]},
        {"name": "t2", "callBack": True, "CallBacks": [over_ones]},
    )
    details = "Callback period end date time is in past for trouble ticket(s): t1, t2."
    assert said.errors == [error("2.7", "WARNING", "CallbackPeriodEndDateTimeInPast", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert (len(stored("t1").callback_periods), stored("t2").callback_periods) == (1, [])
    assert stored("t2").call_back


def test_created_trouble_tickets_invalid_period(crm: Crm):
    wrong = {"start": "2099-05-02T12:00:00Z", "end": "2099-05-02T10:00:00Z"}
    said = crm.create({"name": "t1", "callBack": True, "CallBacks": [{"Periods": [wrong]}]}, CLEAN)
    (found,) = said.errors
    assert (found["code"], found["level"], found["reason"]) == ("2.7", "WARNING", "InvalidPeriod")
    period = "2099-05-02T12:00:00+00:00 - 2099-05-02T10:00:00+00:00"
    assert found["details"] == f"Period: {period} is invalid. End date time is less than start date time."
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert (stored("t1").callback_periods, stored("t1").call_back) == ([], True)


def test_created_trouble_tickets_callback_period_missing(crm: Crm):
    asked = {"callBack": True, "CallBacks": [{"contactDetail": "SMS"}]}
    said = crm.create(
        {"name": "t1", **asked}, {"name": "t2", "callBack": False}, {"name": "t3", "callBack": True}
    )
    details = "Callback period element not found in message for trouble ticket(s): t1, t3."
    assert said.errors == [error("2.7", "INFORM", "CallbackPeriodMissing", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 3)
    assert (stored("t1").call_back, stored("t1").callback_periods) == (True, [])


def test_created_trouble_tickets_location_type_not_supported(crm: Crm):
    said = crm.create(
        {"name": "t1", "Location": [{"type": "Moon", "description": "crater", "name": "Tycho"}]}, CLEAN
    )
    details = "Landbase search type Moon is not supported by landbase search configuration"
    assert said.errors == [error("2.7", "INFORM", "LocationTypeNotSupported", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert (stored("t1").kind, stored("t1").x) == ("unlocated", None)


@pytest.mark.parametrize(
    "parts",
    [
        [("Intersection", "street1", "MAIN ST")],
        [("Pole", "colour", "brown")],
        [("Pole", "poleId", "")],
        [("Intersection", "street1", "MAIN ST"), ("Pole", "poleId", "7")],
        [("Intersection", "street1", "MAIN ST"), ("Intersection", "street1", "OAK ST")],
    ],
)
def test_created_trouble_tickets_invalid_search_type_params_names(crm: Crm, parts):
    places = [{"type": kind, "description": name, "name": value} for kind, name, value in parts]
    said = crm.create({"name": "t1", "Location": places}, CLEAN)
    details = "Landbase search type parameters are not valid for defined search type."
    assert said.errors == [error("2.7", "WARNING", "InvalidSearchTypeParamsNames", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert (stored("t1").kind, stored("t1").x) == ("unlocated", None)


@pytest.mark.parametrize(
    ("x", "y", "axes"),
    [("east", "40.6", "X"), ("-73.9", "91", "Y"), ("NaN", "", "X, Y"), ("inf", "-inf", "X, Y")],
)
def test_created_trouble_tickets_invalid_position_point(crm: Crm, x, y, axes):
    point = {"PositionPoint": {"xPosition": x, "yPosition": y}}
    said = crm.create({"name": "t1", "Location": [point]}, CLEAN)
    details = f"{axes} coordinate of the position point ({x}, {y}) is not valid."
    assert said.errors == [error("2.5", "WARNING", "InvalidPositionPoint", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert (stored("t1").kind, stored("t1").x) == ("unlocated", None)


def test_created_trouble_tickets_invalid_created_date_time(crm: Crm):
    said = crm.create(
        {"name": "t1", "createdDateTime": at(hours=1)}, {"name": "t2", "createdDateTime": at(hours=-1)}
    )
    details = "Created date time is in future for trouble ticket: t1."
    assert said.errors == [error("2.5", "WARNING", "InvalidCreatedDateTime", details)]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert stored("t1").event_at == ReceivedMessage.objects.get().received_at
    assert stored("t2").event_at < stored("t1").event_at


def test_created_trouble_tickets_unlocatable_landbase_trouble_ticket(crm: Crm):
    nowhere = {"type": "Pole", "description": "poleId", "name": "P-404"}
    said = crm.create({"name": "t1", "Location": [nowhere]}, CLEAN)
    assert said.errors == [
        error("2.7", "INFORM", "UnlocatableLandbaseTroubleTicket", "Could not locate call.")
    ]
    assert (said.result, statuses(said)) == ("OK", ["CREATED"] * 2)
    assert (stored("t1").kind, stored("t1").x, stored("t1").location) == ("unlocated", None, [nowhere])


# -- what costs the message its OK ------------------------------------------------------------------------


def test_created_trouble_tickets_invalid_trouble_code(crm: Crm):
    said = crm.create({"name": "t1", "troubleCode": "Aliens"}, CLEAN, {"troubleCode": "Ghosts"})
    details = "Invalid trouble code: Aliens, Ghosts for trouble ticket(s): t1, 3."
    assert said.errors == [error("2.7", "FATAL", "InvalidTroubleCode", details)]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "CREATED", "FAILED"])
    assert (names(), stored("clean").trouble_code, Incident.objects.count()) == (["clean"], SENT, 1)


def test_created_trouble_tickets_invalid_trouble_code_of_every_ticket(crm: Crm):
    said = crm.create({"name": "t1", "troubleCode": "Aliens"}, {"name": "t2", "troubleCode": "Aliens"})
    details = "Invalid trouble code: Aliens for trouble ticket(s): t1, t2."
    assert said.errors == [error("2.7", "FATAL", "InvalidTroubleCode", details)]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED", "FAILED"])
    assert (names(), Incident.objects.count(), CallerContact.objects.count()) == ([], 0, 0)


def test_created_trouble_tickets_missing_trouble_code(crm: Crm):
    said = crm.create({"name": "t1", "troubleCode": None}, CLEAN, {"troubleCode": "  "})
    details = "Trouble code missing for trouble ticket(s): t1, 3."
    assert said.errors == [error("2.7", "FATAL", "MissingTroubleCode", details)]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED", "CREATED", "FAILED"])
    assert names() == ["clean"]


def test_created_trouble_tickets_missing_trouble_code_of_every_ticket(crm: Crm):
    said = crm.create({"troubleCode": None})
    details = "Trouble code missing for trouble ticket(s): 1."
    assert said.errors == [error("2.7", "FATAL", "MissingTroubleCode", details)]
    assert (said.result, statuses(said)) == ("FAILED", ["FAILED"])
    assert not TroubleTicket.objects.exists()


def test_created_trouble_tickets_invalid_contact_detail(crm: Crm):
    period = [{"start": at(hours=1), "end": at(hours=2)}]
    asked = [{"contactDetail": "drum", "Periods": period}, {"contactDetail": "SMS"}]
    said = crm.create({"name": "t1", "callBack": True, "CallBacks": asked}, CLEAN)
    details = "Invalid contact detail drum for trouble ticket(s): t1."
    assert said.errors == [error("1.2", "FATAL", "InvalidContactDetail", details)]
    assert (said.result, statuses(said), names()) == ("PARTIAL", ["CREATED"] * 2, ["t1", "clean"])
    assert (stored("t1").callback_media, len(stored("t1").callback_periods)) == (["SMS"], 1)
