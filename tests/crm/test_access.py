"""Who may call: log-in, permission by operation, and the standby site that answers nobody (contract, "CRM")."""

import base64

import pytest

from crm.models import Incident, ReceivedMessage, TroubleTicket
from crm.operations.registry import OPERATIONS
from integrations.models import AuditEntry
from integrations.services.client_disable import client_disable
from tests.crm.conftest import crm_property
from tests.crm.test_header import BODIES
from tests.crm.wording import NEWER_SOAP, TRANSPORTS, error, fault_reply, nothing_written, send_raw

ALL = [*TRANSPORTS, NEWER_SOAP]
EVERY = [one.name for one in OPERATIONS]
STANDBY = "This site is on standby; send to the active one."


@pytest.mark.parametrize("transport", ALL)
@pytest.mark.parametrize("operation", EVERY)
def test_the_standby_answers_every_operation_with_the_fault_message(make_crm, operation, transport):
    crm = make_crm()
    crm_property("site.active", "false")
    answer = send_raw(crm, transport, operation, BODIES[operation], Context="active")
    entry = error("5.3", "FATAL", "InternalServerError", STANDBY)
    assert answer.status_code == 500
    assert fault_reply(operation, answer) == {"Result": "FAILED", "Error": [entry]}
    assert nothing_written()


@pytest.mark.parametrize("transport", ALL)
def test_the_standby_does_not_even_say_what_is_wrong_with_a_message(make_crm, transport):
    crm = make_crm()
    crm_property("site.active", "false")
    answer = send_raw(crm, transport, "CreatedTroubleTickets", {}, Verb="drop")
    assert (answer.status_code, b"InternalServerError" in answer.content, nothing_written()) == (
        500,
        True,
        True,
    )


def test_the_standby_answers_json_that_is_no_message_with_the_fault_message(make_crm):
    crm = make_crm()
    crm_property("site.active", "false")
    answer = crm.http.post(
        "/api/crm/v1/GetCallbacks", '{"Hedaer": {}}', content_type="application/json", **crm.login
    )
    assert (answer.status_code, answer.json()["Reply"]["Error"][0]["details"]) == (500, STANDBY)


def test_a_standby_that_becomes_active_answers_at_once(make_crm):
    crm = make_crm()
    crm_property("site.active", "false")
    assert send_raw(crm, "rest", "CreatedTroubleTickets", BODIES["CreatedTroubleTickets"]).status_code == 500
    crm_property("site.active", "true")
    assert crm.create().reasons == ["InvalidMessage"]
    assert crm.create({}).result == "OK"


@pytest.mark.parametrize("transport", ALL)
@pytest.mark.parametrize("operation", EVERY)
def test_a_client_that_is_no_caller_is_refused_and_that_is_on_record(make_crm, operation, transport):
    crm = make_crm(allowed=False)
    answer = send_raw(crm, transport, operation, BODIES[operation])
    assert (answer.status_code, f"may not call {operation}".encode() in answer.content) == (403, True)
    found = AuditEntry.objects.get(action="call_refused")
    assert (found.actor, found.subject) == ("CALLCENTER", f"crm:{operation}")
    assert nothing_written()


@pytest.mark.parametrize("transport", ALL)
def test_an_operation_that_is_not_among_the_caller_s_is_refused(make_crm, transport):
    crm = make_crm(operations=["GetTroubleTickets", "GetCallbacks"])
    for operation in EVERY:
        allowed = operation in ("GetTroubleTickets", "GetCallbacks")
        answer = send_raw(crm, transport, operation, BODIES[operation], Context="active")
        assert answer.status_code == (200 if allowed else 403)
    assert not TroubleTicket.objects.exists()
    assert AuditEntry.objects.filter(action="call_refused").count() == 3


@pytest.mark.parametrize("transport", ALL)
@pytest.mark.parametrize("login", [{}, "wrong", "nobody"])
def test_a_wrong_password_and_none_at_all_are_refused(make_crm, transport, login):
    crm = make_crm()
    if login:
        user = "CALLCENTER" if login == "wrong" else "NOBODY"
        token = base64.b64encode(f"{user}:of another".encode()).decode()
        login = {"HTTP_AUTHORIZATION": f"Basic {token}"}
    crm.login = login
    answer = send_raw(crm, transport, "CreatedTroubleTickets", BODIES["CreatedTroubleTickets"])
    assert (answer.status_code, answer.has_header("WWW-Authenticate")) == (401, True)
    assert nothing_written()
    assert not Incident.objects.exists()


def test_a_client_that_was_disabled_is_refused(make_crm):
    crm = make_crm()
    client_disable(client=crm.client, actor="test")
    answer = send_raw(crm, "soap", "CreatedTroubleTickets", BODIES["CreatedTroubleTickets"])
    assert (answer.status_code, ReceivedMessage.objects.count()) == (401, 0)
