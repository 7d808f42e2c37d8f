"""The header (seed 004 section 10.1.1): what it must have, what replies say, and what is recorded of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import ReceivedMessage
from crm.operations.registry import OPERATIONS
from tests.crm.conftest import Crm, Plain, crm_property
from tests.crm.wording import CLEAN, NEWER_SOAP, TRANSPORTS, error, names, over

BODIES: dict[str, Plain] = {
    "CreatedTroubleTickets": {
        "Payload": {"TroubleTickets": {"TroubleTicket": [{"troubleCode": "No Power"}]}}
    },
    "ChangedTroubleTickets": {
        "Payload": {"TroubleTickets": {"TroubleTicket": [{"name": "t9", "csrId": "csr7", "comment": "c"}]}}
    },
    "GetTroubleTickets": {"Request": {"GetTroubleTickets": {"name": "t9"}}},
    "GetCallbacks": {"Request": {"GetCallbacks": {"csrId": "csr7"}}},
    "CreatedCallBacksResults": {
        "Payload": {"CallBacksResults": {"CallBackResult": [{"mRID": "x", "status": {"value": "Busy"}}]}}
    },
}
VERBS = {"InvalidVerb", "InvalidNoun", "InvalidMessage"}
STRICT = ["Timestamp", "MessageID", "CorrelationID"]


@pytest.fixture(params=[*TRANSPORTS, NEWER_SOAP])
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over each SOAP whose replies are validated."""
    return over(make_crm(), request.param)


def reason(field: str) -> str:
    return f"Received message is invalid against xsd schema. Reason: Header has no {field}."


# -- verb, noun, revision ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("spelled", [str.upper, str.lower, str.title])
def test_verbs_and_nouns_come_in_any_case(crm: Crm, operation, spelled):
    said = crm.call(
        operation.name, BODIES[operation.name], Verb=spelled(operation.verb), Noun=spelled(operation.noun)
    )
    assert not VERBS & set(said.reasons)


@pytest.mark.parametrize("verb", ["update", "updated", "Updated"])
def test_update_and_updated_mean_change_and_changed(crm: Crm, verb):
    found = crm.call("ChangedTroubleTickets", BODIES["ChangedTroubleTickets"], Verb=verb).reasons
    assert found == (["InvalidVerb"] if verb == "update" else ["EntityNotFound"])
    assert crm.create(CLEAN, Verb=verb).error("InvalidVerb")["details"] == f"Invalid verb: {verb}."


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("verb", ["get", "created", "changed", "cancel", "reply", "drop table"])
def test_a_verb_of_another_operation_is_refused(crm: Crm, operation, verb):
    said = crm.call(operation.name, BODIES[operation.name], Verb=verb, Context="active")
    assert ("InvalidVerb" in said.reasons) == (verb != operation.verb)


@pytest.mark.parametrize("revision", ["1", "2.0", "17-beta", None])
def test_any_revision_is_taken_and_2_0_answered(crm: Crm, revision):
    said = crm.create(CLEAN, Revision=revision)
    assert (said.result, said.document["Header"]["Revision"]) == ("OK", "2.0")


# -- the strict header ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", STRICT)
def test_a_strict_header_has_timestamp_message_id_and_correlation_id(crm: Crm, field):
    said = crm.create(CLEAN, **{field: None})
    assert said.errors == [error("1.8", "FATAL", "InvalidMessage", reason(field))]
    assert (said.result, names()) == ("FAILED", [])


def test_a_strict_header_names_all_that_is_missing(crm: Crm):
    said = crm.create(CLEAN, Timestamp=None, MessageID=" ", CorrelationID="")
    assert said.error("InvalidMessage")["details"] == reason(
        "Timestamp and no MessageID and no CorrelationID"
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_a_strict_header_is_expected_by_every_operation(crm: Crm, operation):
    said = crm.call(operation.name, BODIES[operation.name], MessageID=None)
    assert said.errors == [error("1.8", "FATAL", "InvalidMessage", reason("MessageID"))]


@pytest.mark.parametrize("field", STRICT)
def test_a_lenient_header_needs_verb_and_noun_alone(crm: Crm, field):
    crm_property("header.strict", "false")
    assert crm.create(CLEAN, **{field: None}).result == "OK"
    assert crm.create(CLEAN, **dict.fromkeys(STRICT)).result == "OK"
    assert crm.create(CLEAN, Noun=None).reasons == ["InvalidMessage"]
    assert names() == ["clean", "clean"]


def test_a_message_without_message_id_is_done_as_often_as_it_comes(crm: Crm):
    crm_property("header.strict", "false")
    for _ in range(2):
        assert crm.create(CLEAN, MessageID=None).result == "OK"
    assert names() == ["clean", "clean"]


# -- the reply's header ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("correlation", "message", "expected"),
    [
        ("corr", "msg", "corr"),
        (None, "msg", "msg"),
        (" ", "msg", "msg"),
        ("corr", None, "corr"),
        (None, None, None),
    ],
)
def test_the_reply_is_correlated_by_correlation_id_else_by_message_id(
    crm: Crm, correlation, message, expected
):
    crm_property("header.strict", "false")
    said = crm.create(CLEAN, CorrelationID=correlation, MessageID=message)
    assert said.document["Header"].get("CorrelationID") == expected
    assert said.document["Header"]["MessageID"] not in ("corr", "msg")


@pytest.mark.parametrize(
    "wrong", [{"Verb": "drop"}, {"Noun": "Cats"}, {"Timestamp": "yesterday"}, {"Timestamp": None}]
)
def test_a_refusal_is_correlated_as_well(crm: Crm, wrong):
    said = crm.create(CLEAN, CorrelationID="corr", **wrong)
    assert (said.result, said.document["Header"]["CorrelationID"]) == ("FAILED", "corr")


@pytest.mark.parametrize(
    ("operation", "noun"),
    [
        ("CreatedTroubleTickets", "TroubleTickets"),
        ("ChangedTroubleTickets", "TroubleTickets"),
        ("GetTroubleTickets", "TroubleTickets"),
        ("GetCallbacks", "CallBacks"),
        ("CreatedCallBacksResults", "CallbacksResults"),
    ],
)
def test_the_reply_names_verb_noun_source_and_time(crm: Crm, operation, noun):
    found = crm.call(operation, BODIES[operation], Context="active").document["Header"]
    assert (found["Verb"], found["Noun"], found["Source"]) == ("reply", noun, "Busbar")
    assert abs(datetime.fromisoformat(found["Timestamp"]) - timezone.now()) < timedelta(minutes=1)
    assert found.get("Context") == ("active" if operation == "GetTroubleTickets" else None)


def test_the_reply_s_source_is_a_setting(crm: Crm):
    crm_property("reply.source", "Our outage desk")
    assert crm.create(CLEAN).document["Header"]["Source"] == "Our outage desk"


# -- what is recorded ------------------------------------------------------------------------------------------


def test_source_user_and_flags_are_recorded(crm: Crm):
    crm.create(
        CLEAN,
        MessageID="m1",
        CorrelationID="c1",
        Source="Portal",
        User={"UserID": "olga", "Organization": "Call centre"},
        AsyncReplyFlag=True,
        ReplyAddress="https://call.example.org/replies",
        AckRequired=True,
        Comment="a test",
        Property=[{"Name": "shift", "Value": "night"}],
    )
    row = ReceivedMessage.objects.get()
    assert (row.message_id, row.correlation_id, row.source) == ("m1", "c1", "Portal")
    assert (row.user_id, row.organization, row.client) == ("olga", "Call centre", crm.client)
    assert (row.async_reply, row.reply_address, row.ack_required) == (
        True,
        "https://call.example.org/replies",
        True,
    )
    assert (row.header["Comment"], row.header["Property"]) == (
        "a test",
        [{"Name": "shift", "Value": "night"}],
    )
    assert (row.operation, row.result, row.items) == ("CreatedTroubleTickets", "OK", 1)


def test_flags_that_are_not_given_are_recorded_as_such(crm: Crm):
    crm.create(CLEAN, Source=None, AsyncReplyFlag=False)
    row = ReceivedMessage.objects.get()
    assert (row.source, row.user_id, row.async_reply, row.ack_required) == ("", "", False, False)


def test_what_was_refused_is_recorded_with_its_reason(crm: Crm):
    crm.create(CLEAN, Verb="drop", MessageID="m1")
    row = ReceivedMessage.objects.get()
    assert (row.result, row.reasons, row.repeatable) == ("FAILED", ["InvalidVerb"], False)


def test_tickets_know_the_message_they_came_with(crm: Crm):
    crm.create(CLEAN, CLEAN)
    assert ReceivedMessage.objects.get().tickets.count() == 2
