"""CreatedCallBacksResults: every row of table 8.1 that has an error code, named after its reason (wire-facts 1.5)."""

from collections.abc import Callable

import pytest

from crm.models import Callback, ReceivedMessage
from crm.operations import created_callbacks_results
from tests.crm.conftest import Crm, Plain, Said, crm_property
from tests.crm.rows import ADAPTER, CSR, State, a_callback, again, an_incident, archived, held
from tests.crm.wording import TRANSPORTS, error, fault_reply, over, send_raw

OPERATION = "CreatedCallBacksResults"


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


@pytest.fixture
def mine(db: None) -> Callback:
    """A callback that csr7 has."""
    return held(comment="first try")


def result(row: Callback | str | None, value: str | None = "Restored", **more: str) -> Plain:
    """A result; None leaves a member out."""
    made: Plain = {"csrId": CSR, **more}
    if row is not None:
        made["mRID"] = row if isinstance(row, str) else str(row.pk)
    if value is not None:
        made["status"] = {"value": value}
    return made


def untouched(*rows: Callback) -> bool:
    """Whether nothing was recorded of them."""
    return all(
        (again(row).state, row.result, row.result_at, row.closed_at) == (State.ASSIGNED, "", None, None)
        for row in rows
    )


def recorded(row: Callback, value: str = "Restored") -> bool:
    return (again(row).state, row.result) == (State.CLOSED, value)


def answered(said: Said) -> list[tuple[str | None, str]]:
    """mRID and status.value of each, in the reply's order."""
    return [(one.get("mRID"), one["status"]["value"]) for one in said.results]


# -- the four that every operation has -------------------------------------------------------------------


def test_created_callbacks_results_invalid_verb(crm: Crm, mine):
    said = crm.report(result(mine), Verb="get")
    assert said.errors == [error("2.9", "FATAL", "InvalidVerb", "Invalid verb: get.")]
    assert (said.result, said.results) == ("FAILED", [])
    assert untouched(mine)


def test_created_callbacks_results_invalid_noun(crm: Crm, mine):
    said = crm.report(result(mine), Noun="CallBacks")
    assert said.errors == [error("2.5", "FATAL", "InvalidNoun", "Invalid noun: CallBacks.")]
    assert (said.result, said.results) == ("FAILED", [])
    assert untouched(mine)


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"Verb": None}, "Element 'Noun': This element is not expected. Expected is ( Verb )"),
        ({"Timestamp": None}, "Header has no Timestamp"),
    ],
)
def test_created_callbacks_results_invalid_message(crm: Crm, mine, missing, why):
    said = crm.report(result(mine), **missing)
    entry = said.error("InvalidMessage")
    details = entry["details"].replace("Reason: line 1: ", "Reason: ")
    assert details == f"Received message is invalid against xsd schema. Reason: {why}."
    assert entry == error("1.8", "FATAL", "InvalidMessage", entry["details"])
    assert (said.result, said.results) == ("FAILED", [])
    assert untouched(mine)


@pytest.mark.parametrize(
    "payload", [{}, {"CallBacksResults": {}}, {"CallBacksResults": {"CallBackResult": []}}]
)
def test_created_callbacks_results_invalid_message_without_results(crm: Crm, payload):
    said = crm.call(OPERATION, {"Payload": payload})
    text = "Received message is invalid against xsd schema. Reason: Payload.CallBacksResults has no CallBackResult."
    assert said.errors == [error("1.8", "FATAL", "InvalidMessage", text)]
    assert said.result == "FAILED"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_created_callbacks_results_internal_server_error(make_crm, mine, monkeypatch, transport):
    """What was recorded before it failed is not."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(created_callbacks_results, "close_finished", fail)
    payload = {"Payload": {"CallBacksResults": {"CallBackResult": [result(mine)]}}}
    answer = send_raw(make_crm(), transport, OPERATION, payload)
    text = "The hub met something it did not foresee; give its operators the time of this call"
    assert answer.status_code == 500
    assert fault_reply(OPERATION, answer) == {
        "Result": "FAILED",
        "Error": [error("5.3", "FATAL", "InternalServerError", f"{text}.")],
    }
    assert untouched(mine)
    assert not ReceivedMessage.objects.exists()


# -- its own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", ["0190a1b2-0000-7000-8000-00000000beef", "CB-1", "' OR 1=1 --"])
def test_created_callbacks_results_entity_not_found(crm: Crm, mine, unknown):
    said = crm.report(result(unknown), result(mine))
    details = f"Invalid callback(s) mRID(s): {unknown}"
    assert said.errors == [error("2.7", "FATAL", "EntityNotFound", details)]
    assert said.result == "PARTIAL"
    assert answered(said) == [(unknown, "FAILED"), (str(mine.pk), "UPDATED")]
    assert recorded(mine)


def test_created_callbacks_results_entity_not_found_of_all(crm: Crm, mine):
    said = crm.report(result("CB-1"), result("CB-2"))
    assert said.error("EntityNotFound")["details"] == "Invalid callback(s) mRID(s): CB-1, CB-2"
    assert (said.result, answered(said)) == ("FAILED", [("CB-1", "FAILED"), ("CB-2", "FAILED")])
    assert untouched(mine)


def test_created_callbacks_results_entity_not_found_of_an_archived_incident(crm: Crm, mine):
    archived(mine.incident)
    said = crm.report(result(mine))
    assert (said.reasons, said.result) == (["EntityNotFound"], "FAILED")
    assert untouched(mine)


@pytest.mark.parametrize("value", ["Fixed", "restored!", "<script>"])
def test_created_callbacks_results_invalid_call_back_result(crm: Crm, mine, value):
    other = held()
    said = crm.report(result(mine, value), result(other))
    details = f"Invalid callback result: {value} for callback(s): {mine.pk}"
    assert said.errors == [error("2.7", "FATAL", "InvalidCallBackResult", details)]
    assert (said.result, answered(said)) == (
        "PARTIAL",
        [(str(mine.pk), "FAILED"), (str(other.pk), "UPDATED")],
    )
    assert untouched(mine)
    assert recorded(other)


def test_created_callbacks_results_invalid_call_back_result_of_all(crm: Crm, mine):
    other = held()
    said = crm.report(result(mine, "Fixed"), result(other, "Mended"))
    details = f"Invalid callback result: Fixed, Mended for callback(s): {mine.pk}, {other.pk}"
    assert (said.error("InvalidCallBackResult")["details"], said.result) == (details, "FAILED")
    assert untouched(mine, other)


def test_created_callbacks_results_comment_exceeds_limit(crm: Crm, mine):
    """With the separator it would be one character too long; the result is recorded without it."""
    room = 500 - len(mine.comment)
    said = crm.report(result(mine, "No Answer", comment="x" * room))
    details = f"Comment exceeds limit for callback(s): {mine.pk}"
    assert said.errors == [error("2.7", "WARNING", "CommentExceedsLimit", details)]
    assert (said.result, answered(said)) == ("OK", [(str(mine.pk), "UPDATED")])
    assert (again(mine).result, mine.comment) == ("No Answer", "first try")


def test_created_callbacks_results_comment_exceeds_limit_as_configured(crm: Crm, mine):
    crm_property("comment.limit", "14")
    assert crm.report(result(mine, "Busy", comment="four")).errors == []
    assert again(mine).comment == "first try\nfour"
    assert crm.report(result(mine, comment="5")).reasons == ["CommentExceedsLimit"]
    assert (again(mine).comment, mine.result) == ("first try\nfour", "Restored")


def test_created_callbacks_results_different_csr_id(crm: Crm, mine):
    other = held("csr8")
    said = crm.report(result(mine), result(other))
    details = f"Callback result cannot be updated if: {CSR} or adapter is not assigned to that callback."
    assert said.errors == [error("2.7", "FATAL", "DifferentCsrId", details)]
    assert (said.result, answered(said)) == (
        "PARTIAL",
        [(str(mine.pk), "UPDATED"), (str(other.pk), "FAILED")],
    )
    assert recorded(mine)
    assert untouched(other)


@pytest.mark.parametrize("csr", ["", "CSR7", "csr77", ADAPTER])
def test_created_callbacks_results_different_csr_id_of_all(crm: Crm, mine, csr):
    said = crm.report(result(mine, csrId=csr))
    assert (said.reasons, said.result) == (["DifferentCsrId"], "FAILED")
    named = csr or "(none)"
    details = f"Callback result cannot be updated if: {named} or adapter is not assigned to that callback."
    assert said.errors[0]["details"] == details
    assert untouched(mine)


def test_created_callbacks_results_different_csr_id_where_nobody_has_it(crm: Crm):
    queued = a_callback()
    said = crm.report(result(queued))
    assert (said.reasons, said.result) == (["DifferentCsrId"], "FAILED")
    assert (again(queued).state, queued.result) == (State.QUEUED, "")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_created_callbacks_results_callback_result_missing(crm: Crm, mine, value):
    other = held()
    said = crm.report(result(mine, value), result(other))
    details = f"Callback result element not found in message for callback(s): {mine.pk}."
    assert said.errors == [error("2.7", "FATAL", "CallbackResultMissing", details)]
    assert (said.result, answered(said)) == (
        "PARTIAL",
        [(str(mine.pk), "FAILED"), (str(other.pk), "UPDATED")],
    )
    assert untouched(mine)
    assert recorded(other)


def test_created_callbacks_results_callback_result_missing_in_all(crm: Crm, mine):
    said = crm.report(result(mine, None))
    assert (said.reasons, said.result) == (["CallbackResultMissing"], "FAILED")
    assert untouched(mine)


@pytest.mark.parametrize("spelled", [str, lambda key: str(key).upper(), lambda key: f"{{{key}}}"])
def test_created_callbacks_results_duplicate_mrids(crm: Crm, mine, spelled):
    """Which of the two is meant nobody can tell, in whatever spelling; the others are recorded."""
    other = held()
    said = crm.report(result(mine), result(other), result(spelled(mine.pk), "Busy"))
    named = ", ".join(dict.fromkeys([str(mine.pk), spelled(mine.pk)]))
    details = f"Duplicate mRID {named} in the message."
    assert said.errors == [error("2.7", "FATAL", "DuplicateMRIDs", details)]
    assert said.result == "PARTIAL"
    assert answered(said) == [
        (str(mine.pk), "FAILED"),
        (str(other.pk), "UPDATED"),
        (spelled(mine.pk), "FAILED"),
    ]
    assert untouched(mine)
    assert recorded(other)


def test_created_callbacks_results_duplicate_mrids_alone(crm: Crm, mine):
    said = crm.report(result(mine), result(mine))
    assert (said.reasons, said.result) == (["DuplicateMRIDs"], "FAILED")
    assert untouched(mine)


@pytest.mark.parametrize("mrid", [None, "", " "])
def test_created_callbacks_results_missing_mrids(crm: Crm, mine, mrid):
    said = crm.report(result(mrid), result(mine))
    assert said.errors == [error("2.7", "FATAL", "MissingMRIDs", "Callback mrid is not provided.")]
    assert (said.result, answered(said)) == ("PARTIAL", [(None, "FAILED"), (str(mine.pk), "UPDATED")])
    assert recorded(mine)


def test_created_callbacks_results_missing_mrids_in_all(crm: Crm, mine):
    said = crm.report(result(None), result(None))
    assert (said.reasons, said.result) == (["MissingMRIDs"], "FAILED")
    assert answered(said) == [(None, "FAILED")] * 2
    assert untouched(mine)


def test_several_conditions_give_one_entry_each(crm: Crm, mine):
    """In the order they are found; the reply keeps the order of the request."""
    alien, closing = held("csr8"), held(incident=an_incident(), comment="y" * 499)
    said = crm.report(
        result(None),
        result(mine, "Fixed"),
        result(alien),
        result("CB-1"),
        result(closing, comment="zz"),
        result("CB-2", None),
    )
    assert said.result == "PARTIAL"
    assert said.reasons == [
        "MissingMRIDs",
        "InvalidCallBackResult",
        "CallbackResultMissing",
        "DifferentCsrId",
        "EntityNotFound",
        "CommentExceedsLimit",
    ]
    assert said.error("EntityNotFound")["details"].endswith("CB-1, CB-2")
    assert [value for _, value in answered(said)] == ["FAILED"] * 4 + ["UPDATED", "FAILED"]
    assert recorded(closing)
    assert untouched(mine, alien)
