"""GetCallbacks: every row of table 7.1 that has an error code, named after its reason (wire-facts 1.5)."""

from collections.abc import Callable

import pytest

from crm.models import Callback, ReceivedMessage
from crm.operations import get_callbacks
from tests.crm.conftest import Crm, Said
from tests.crm.rows import State, a_queue, held
from tests.crm.wording import TRANSPORTS, error, fault_reply, over, row_set, send_raw

OPERATION = "GetCallbacks"
NO_LANGUAGE = "Received language id isn't valid or isn't in configuration."
NO_CSR = "Customer Service Representative ID is not provided in request message."


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


@pytest.fixture
def queue(db: None) -> list[Callback]:
    """Three callbacks that nobody has."""
    return a_queue(6, 3, 0)


def untouched() -> bool:
    """Whether nobody was given anything."""
    return not Callback.objects.exclude(state=State.QUEUED, assigned_to="", times_assigned=0).exists()


def refused(said: Said, entry: dict) -> None:
    """FAILED with this one error, and the queue as it was."""
    assert said.errors == [entry]
    assert (said.status, said.result, said.callbacks) == (200, "FAILED", [])
    assert untouched()
    row = ReceivedMessage.objects.get()
    assert (row.operation, row.result, row.reasons) == (OPERATION, "FAILED", [entry["reason"]])


# -- the four that every operation has -------------------------------------------------------------------


def call(crm: Crm, **header: str | None) -> Said:
    return crm.call(OPERATION, {"Request": {"GetCallbacks": {"csrId": "csr7"}}}, **header)


def test_get_callbacks_invalid_verb(crm: Crm, queue):
    refused(call(crm, Verb="created"), error("2.9", "FATAL", "InvalidVerb", "Invalid verb: created."))


def test_get_callbacks_invalid_noun(crm: Crm, queue):
    said = call(crm, Noun="TroubleTickets")
    refused(said, error("2.5", "FATAL", "InvalidNoun", "Invalid noun: TroubleTickets."))


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"Verb": None}, "Element 'Noun': This element is not expected. Expected is ( Verb )"),
        ({"CorrelationID": None}, "Header has no CorrelationID"),
    ],
)
def test_get_callbacks_invalid_message(crm: Crm, queue, missing, why):
    said = call(crm, **missing)
    details = said.error("InvalidMessage")["details"].replace("Reason: line 1: ", "Reason: ")
    assert details == f"Received message is invalid against xsd schema. Reason: {why}."
    refused(said, {**error("1.8", "FATAL", "InvalidMessage", ""), "details": said.errors[0]["details"]})


@pytest.mark.parametrize("count", ["many", "1.5", "", "-5"])
def test_get_callbacks_invalid_message_of_a_count_that_is_none(crm: Crm, queue, count):
    said = crm.pull(count=count)
    assert said.error("InvalidMessage")["details"].startswith(
        "Received message is invalid against xsd schema."
    )
    refused(said, said.errors[0])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_get_callbacks_internal_server_error(make_crm, queue, monkeypatch, transport):
    """What was assigned before it failed is not."""

    def fail(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(get_callbacks, "callbacks_reply", fail)
    request = {"Request": {"GetCallbacks": {"csrId": "csr7", "count": 2}}}
    answer = send_raw(make_crm(), transport, OPERATION, request)
    text = "The hub met something it did not foresee; give its operators the time of this call"
    assert answer.status_code == 500
    assert fault_reply(OPERATION, answer) == {
        "Result": "FAILED",
        "Error": [error("5.3", "FATAL", "InternalServerError", f"{text}.")],
    }
    assert untouched()
    assert not ReceivedMessage.objects.exists()


# -- its own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("csr", [None, "", "   "])
def test_get_callbacks_csr_id_missing(crm: Crm, queue, csr):
    asked = {"count": 1} if csr is None else {"count": 1, "csrId": csr}
    said = crm.call(OPERATION, {"Request": {"GetCallbacks": asked}})
    refused(said, error("1.2", "FATAL", "CsrIdMissing", NO_CSR))


@pytest.mark.parametrize(
    "priority", ["high", "6.5", "6,0", "0x6", "VI", "6 5", "\N{FULLWIDTH DIGIT SIX}", "--6"]
)
def test_get_callbacks_priority_not_number(crm: Crm, queue, priority):
    said = crm.pull(priority=priority)
    details = f"Priority {priority} is invalid numerical value."
    refused(said, error("1.2", "FATAL", "PriorityNotNumber", details))


@pytest.mark.parametrize("language", [1031, 0, -1, 10**12])
def test_get_callbacks_invalid_language_id(crm: Crm, queue, language):
    refused(crm.pull(languageId=language), error("1.2", "FATAL", "InvalidLanguageId", NO_LANGUAGE))


def test_get_callbacks_invalid_language_id_of_one_that_is_spoken_no_more(crm: Crm, queue):
    row_set("Languages", "21514", 0, "1031")
    refused(crm.pull(languageId=21514), error("1.2", "FATAL", "InvalidLanguageId", NO_LANGUAGE))


def nothing_found(said: Said) -> None:
    """OK with what is said of nothing found, and an empty payload."""
    details = "No callbacks found for provided search criteria."
    assert said.errors == [error("1.2", "INFORM", "EntityNotFound", details)]
    assert (said.result, said.callbacks, said.document.get("Payload")) == ("OK", [], None)


@pytest.mark.parametrize("wanted", [{"priority": "5"}, {"languageId": 21514}, {"priority": "-1"}])
def test_get_callbacks_entity_not_found(crm: Crm, queue, wanted):
    nothing_found(crm.pull(**wanted))
    assert untouched()


def test_get_callbacks_entity_not_found_in_an_empty_queue(crm: Crm):
    held("csr8")
    nothing_found(crm.pull())
    assert Callback.objects.get().assigned_to == "csr8"


def test_get_callbacks_entity_not_found_of_a_priority_beyond_all_numbers(crm: Crm, queue):
    nothing_found(crm.pull(priority="9" * 200))
    assert untouched()


def test_the_first_thing_that_is_wrong_is_said(crm: Crm, queue):
    assert crm.pull(None, priority="high", languageId=1).reasons == ["CsrIdMissing"]
    assert crm.pull(priority="high", languageId=1).reasons == ["PriorityNotNumber"]
    assert untouched()
