"""Messages that come again: by their MessageID, and by what guards against replay (contract, "CRM")."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.models import Nonce, ReceivedMessage, TroubleTicket
from crm.services.caller import caller_allow
from tests.crm.conftest import Crm, Plain, ticket
from tests.crm.wording import CLEAN, REST, SOAP, TRANSPORTS, error, names, over, send_raw, stored

OPERATION = "CreatedTroubleTickets"
ONCE = {"MessageID": "m1", "CorrelationID": "c1"}


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


# -- the same MessageID ----------------------------------------------------------------------------------------


def test_a_repeated_message_gets_the_first_reply_and_nothing_is_done_twice(crm: Crm):
    first = crm.create(CLEAN, {"troubleCode": "Aliens"}, **ONCE)
    again = crm.create(CLEAN, {"troubleCode": "Aliens"}, **ONCE)
    assert (first.result, again.document) == ("PARTIAL", first.document)
    assert (names(), ReceivedMessage.objects.get().repeats) == (["clean"], 1)


def test_a_repeated_change_is_not_appended_twice(crm: Crm):
    crm.create(CLEAN)
    for _ in range(3):
        assert crm.change({"name": "clean", "comment": "once"}, **ONCE).result == "OK"
    assert stored("clean").comment == "once"


@pytest.mark.parametrize(("first", "second"), [(REST, SOAP), (SOAP, REST)])
def test_a_message_is_the_same_over_both_transports(make_crm, first, second):
    crm = make_crm()
    keys = [over(crm, way).create(CLEAN, **ONCE).tickets[0]["mRID"] for way in (first, second)]
    assert (keys[0], names()) == (keys[1], ["clean"])


def test_another_payload_under_the_message_id_is_refused_and_nothing_is_lost(crm: Crm):
    first = crm.create(CLEAN, **ONCE)
    said = crm.create({"name": "other"}, **ONCE)
    why = "MessageID m1 was used for another message before"
    details = f"Received message is invalid against xsd schema. Reason: {why}."
    assert (said.result, said.errors) == ("FAILED", [error("1.8", "FATAL", "InvalidMessage", details)])
    assert (names(), crm.create(CLEAN, **ONCE).document) == (["clean"], first.document)


def test_another_header_under_the_message_id_is_the_same_message(crm: Crm):
    first = crm.create(CLEAN, **ONCE)
    later = crm.create(CLEAN, MessageID="m1", CorrelationID="c2", Comment="sent again")
    assert (later.document, names()) == (first.document, ["clean"])


@pytest.mark.parametrize("wrong", [{"troubleCode": "Aliens"}, {"troubleCode": None}])
def test_a_failed_message_may_come_again_put_right(crm: Crm, wrong):
    assert crm.create({"name": "clean", **wrong}, **ONCE).result == "FAILED"
    assert crm.create(CLEAN, **ONCE).result == "OK"
    assert crm.create({"name": "clean", **wrong}, **ONCE).reasons == ["InvalidMessage"]
    assert names() == ["clean"]


@pytest.mark.parametrize("wrong", [{"Verb": "drop"}, {"Noun": "Cats"}, {"Timestamp": None}])
def test_a_refused_message_may_come_again_put_right(crm: Crm, wrong):
    assert crm.create(CLEAN, **ONCE, **wrong).result == "FAILED"
    assert crm.create(CLEAN, **ONCE).result == "OK"
    assert names() == ["clean"]


def test_message_ids_are_each_client_s_own(make_crm):
    for client in ("CALLCENTER", "IVR"):
        assert make_crm(client).create({"name": client}, **ONCE).result == "OK"
    assert names() == ["CALLCENTER", "IVR"]


def test_message_ids_are_each_operation_s_own(crm: Crm):
    crm.create(CLEAN, **ONCE)
    assert crm.change({"name": "clean", "comment": "c"}, **ONCE).result == "OK"


# -- replay ----------------------------------------------------------------------------------------------------


def guard(nonce: str = "n1", **shift: float) -> Plain:
    """ReplayDetection, made so far from now."""
    return {"Nonce": nonce, "Created": (timezone.now() + timedelta(**shift)).isoformat()}


def body(name: str = "clean") -> Plain:
    return {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(name=name)]}}}


@pytest.fixture(params=[*TRANSPORTS, "soap12"])
def sent(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Callable[..., int]:
    """Send a ticket with a ReplayDetection; the HTTP status."""
    crm = make_crm()

    def send(detection: Plain, name: str = "clean", **more: str) -> int:
        answer = send_raw(crm, request.param, OPERATION, body(name), ReplayDetection=detection, **more)
        assert (answer.status_code == 401) == answer.has_header("WWW-Authenticate")
        return answer.status_code

    return send


def test_a_nonce_comes_once(sent):
    assert (sent(guard()), sent(guard(), "other"), sent(guard("n2"), "third")) == (200, 401, 200)
    assert names() == ["clean", "third"]


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (6, 401), (-4, 200), (4, 200)])
def test_a_message_is_made_at_most_five_minutes_from_now(sent, minutes, status):
    assert sent(guard(minutes=minutes)) == status
    assert TroubleTicket.objects.count() == (status == 200)


def test_a_legitimate_retry_has_a_new_nonce_and_gets_the_first_reply(crm: Crm):
    first = crm.create(CLEAN, ReplayDetection=guard("n1"), **ONCE)
    again = crm.create(CLEAN, ReplayDetection=guard("n2"), **ONCE)
    assert (again.document, names()) == (first.document, ["clean"])


def test_a_replayed_message_does_not_even_get_its_reply(sent):
    assert (sent(guard(), **ONCE), sent(guard(), **ONCE)) == (200, 401)
    assert ReceivedMessage.objects.get().repeats == 0


def test_nonces_may_come_again_after_a_day(sent):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert sent(guard()) == 200
        clock.shift(timedelta(hours=23, minutes=59))
        assert sent(guard()) == 401
        clock.shift(timedelta(minutes=2))
        assert sent(guard(), "next day") == 200
    assert (names(), Nonce.objects.count()) == (["clean", "next day"], 1)


def test_nonces_are_each_client_s_own(make_crm):
    for client in ("CALLCENTER", "IVR"):
        assert make_crm(client).create({"name": client}, ReplayDetection=guard()).result == "OK"


def test_the_refusal_says_what_was_wrong(make_crm):
    crm = make_crm()
    answer = send_raw(crm, SOAP, OPERATION, body(), ReplayDetection=guard(minutes=9))
    assert (
        b"refused as a replay: The message was created more than five minutes away from now" in answer.content
    )


def test_a_replay_is_refused_before_permission_to_another_operation_matters(make_crm):
    crm = make_crm()
    caller_allow(client=crm.client, operations=["GetTroubleTickets"], actor="test")
    assert send_raw(crm, REST, OPERATION, body(), ReplayDetection=guard(minutes=9)).status_code == 403
