"""Calls through the real services and engine, with no target there to reach."""

import pytest

from integrations.models import Flow, Instance
from tests.unit.api.conftest import ACK, MONITORING, SECRET, TRANSFER, TRANSFER_URL, basic, fault_of
from tests.unit.api.test_inbound import FILE, PARTS, multipart, part

MESSAGE = {"sendDetails": {"syncRequestId": "12345678901234", "ackStatus": "ACCEPTED"}}


@pytest.fixture
def active(flow):
    Flow.objects.filter(identifier__in=[ACK, TRANSFER]).update(active=True)


def test_an_inactive_flow_takes_nothing(call, flow):
    Flow.objects.filter(pk=flow.pk).update(active=False)
    assert "not active" in fault_of(call(MESSAGE), 503, "HUB-INACTIVE")["detail"]
    assert not Instance.objects.exists()


def test_another_resource_is_named_with_the_right_one(call, active):
    body = fault_of(call(MESSAGE, url=TRANSFER_URL.replace("/transfer", "/move")), 404, "HUB-UNKNOWN-FLOW")
    assert "1.0/transfer" in body["detail"]


def test_a_message_that_does_not_fit_the_flow_names_the_place(call, active):
    body = fault_of(call({"wrong": 1}), 400, "HUB-INVALID")
    assert body["o:errorDetails"][0]["o:errorPath"].startswith("/")
    assert not Instance.objects.exists()


def test_a_failed_call_leaves_an_instance_that_the_same_message_goes_on_with(call, active):
    first = call(MESSAGE, **{"Idempotency-Key": "k1"})
    assert first.status_code >= 400
    second = call(MESSAGE, **{"Idempotency-Key": "k1"})
    assert first["X-Busbar-Instance"] == second["X-Busbar-Instance"] == first.json()["instance"]
    assert Instance.objects.get(parent=None).round == 2


def test_other_content_under_the_same_id_is_a_conflict(call, active):
    call(MESSAGE, **{"Idempotency-Key": "k1"})
    other = {"sendDetails": {**MESSAGE["sendDetails"], "ackStatus": "REJECTED"}}
    fault_of(call(other, **{"Idempotency-Key": "k1"}), 409, "HUB-CONFLICT")
    assert Instance.objects.filter(parent=None).count() == 1


def test_the_same_parts_with_another_boundary_are_the_same_message(call, active):
    body = multipart(part("request", b'{"fileName":"a.csv","directory":"in"}'), FILE)
    first = call(body, url=TRANSFER_URL, content_type=PARTS, **{"Idempotency-Key": "k1"})
    again = body.replace(b"frontier", b"limes")
    second = call(
        again, url=TRANSFER_URL, content_type=PARTS.replace("frontier", "limes"), **{"Idempotency-Key": "k1"}
    )
    assert first["X-Busbar-Instance"] == second["X-Busbar-Instance"]


def test_what_a_failed_call_did_is_in_its_activity_stream(call, active, client):
    answer = call(MESSAGE)
    url = f"{MONITORING}/instances/{answer['X-Busbar-Instance']}/activityStream"
    lines = client.get(url, headers={"Authorization": basic("dacs", SECRET)}).json()["items"]
    assert lines[0]["kind"] == "received"
    assert ("fault", "error") in [(line["kind"], line["level"]) for line in lines]
