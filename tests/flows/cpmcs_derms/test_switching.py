"""Switching the project's flows on and off, its error handler, and its messages by URL (seed 002; contract)."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client as Browser

from integrations.engine.faults import Inactive
from integrations.models import Client, Connection, Flow, Instance
from integrations.services.client_create import client_create
from integrations.services.flow_switch import FlowNotReady, flow_activate
from tests.flows.conftest import mails, property_set, send
from tests.flows.cpmcs_derms.conftest import CONFIG, PACKAGE, Sides, fault_of_call, read, run_once, told
from tests.flows.cpmcs_derms.test_malformed import FLOWS

OPT_OUT = ("OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD", "X1-EPOPTOMSG")
RESERVE = "/ic/api/integration/v1/flows/rest/OUTL_BA_DRMS_DACS_EVT_DVCRESV/1.0/reserveDevice"
BOUNDARY = "frontier"
SECRET = "a-secret-of-24-characters"


@pytest.fixture
def headers(door: Client) -> dict[str, str]:
    """DERMS's log-in at the hub."""
    client_create(client_id="derms", secret=SECRET, flows=list(Flow.objects.all()))
    return {"Authorization": "Basic " + base64.b64encode(f"derms:{SECRET}".encode()).decode()}


def test_the_project_has_its_twenty_flows(door: Client):
    assert Flow.objects.filter(package=PACKAGE, present=True).count() == 20


def test_every_flow_can_be_switched_on_once_its_sides_are_set_up(sides: Sides):
    Flow.objects.filter(package=PACKAGE).update(active=False)
    for flow in Flow.objects.filter(package=PACKAGE):
        flow_activate(flow=flow, actor="op")
    assert Flow.objects.filter(package=PACKAGE, active=True).count() == 20


def test_a_connection_that_is_not_set_up_keeps_a_flow_off_and_is_named(sides: Sides):
    Connection.objects.filter(name="OU FTP CPMCS for CPMCS-DERMS").update(host_key="")
    with pytest.raises(FlowNotReady) as raised:
        flow_activate(flow=Flow.objects.get(identifier="OUTL-BA-DRMS_DACS_SEND_DVCSCORE"), actor="op")
    assert any("OU FTP CPMCS for CPMCS-DERMS" in one for one in raised.value.problems)


@pytest.mark.parametrize("name", FLOWS)
def test_an_inactive_flow_takes_nothing(door: Client, name: str):
    identifier, resource = FLOWS[name]
    Flow.objects.filter(identifier=identifier).update(active=False)
    with pytest.raises(Inactive, match="is not active") as raised:
        send(door, identifier, resource, told(name))
    assert (raised.value.status, raised.value.code) == (503, "HUB-INACTIVE")
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    ("error_flag", "kind", "told_by_mail"),
    [
        ("true", "email", True),
        ("true", "true", True),
        ("false", "email", False),
        ("true", "false", False),
    ],
)
def test_an_error_is_mailed_where_both_flags_say_so(
    sides: Sides, error_flag: str, kind: str, told_by_mail: bool
):  # Common Error Handler, step 2; contract: "counts as on for `email` or `true`"
    property_set(CONFIG, "notification.email.error.flag", error_flag)
    property_set(CONFIG, "notification.type.email", kind)
    sides.derms.fail("500", 1)
    fault_of_call(sides, *OPT_OUT, told("opt_out"))
    assert len(mails("error")) == told_by_mail
    handler = Instance.objects.get(flow__identifier="OUTL-BA-DACS_DRMS_ERROR")
    assert handler.status == ("succeeded" if told_by_mail else "skipped")
    assert handler.parent == Instance.objects.get(flow__identifier=OPT_OUT[0])


def test_the_error_mail_says_what_went_wrong_where(sides: Sides):
    sides.derms.fail("500", 1)
    fault_of_call(sides, *OPT_OUT, told("opt_out"))
    (mail,) = mails("error")
    for said in (OPT_OUT[0], "OU CPMCS DERMS Customer Event Opt-Out Update", "remote", "500"):
        assert said in mail.body


# -- by URL ----------------------------------------------------------------------------------------------


def part(name: str, content: bytes, more: str = "", file_name: str = "") -> bytes:
    named = f'; filename="{file_name}"' if file_name else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'
    return head.encode() + content + b"\r\n"


def post(headers: dict[str, str], *parts: bytes) -> Any:
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return Browser().post(
        RESERVE, body, content_type=f"multipart/form-data; boundary={BOUNDARY}", headers=headers
    )


MESSAGE = part("request", json.dumps(told("device_reservation")).encode())
FILE = part("file", read("device_reservation.csv"), "Content-Type: text/csv\r\n", "devices.csv")


def test_a_reservation_by_url_is_accepted_and_carried(sides: Sides, headers: dict[str, str]):
    answer = post(headers, MESSAGE, FILE)
    assert answer.status_code == 202
    instance = run_once(Instance.objects.get(pk=answer["X-Busbar-Instance"]))
    assert (instance.status, instance.attachment_name) == ("succeeded", "devices.csv")
    assert sides.cpmcs.records.reservations.count("EVT-1") == 2


def test_the_parts_may_come_in_any_order_beside_others(sides: Sides, headers: dict[str, str]):
    answer = post(headers, part("hello", b"x" * 100_000), FILE, MESSAGE)
    assert answer.status_code == 202
    assert run_once(Instance.objects.get()).status == "succeeded"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([FILE], "HUB-BAD-MULTIPART"),
        ([], "HUB-BAD-MULTIPART"),
        ([part("request", b"{broken"), FILE], "HUB-BAD-JSON"),
        ([part("request", b"[" * 10_000 + b"]" * 10_000), FILE], "HUB-BAD-JSON"),
        ([part("request", b'{"messageId": "\xff"}'), FILE], "HUB-BAD-JSON"),
    ],
    ids=["no JSON part", "no part", "broken JSON", "10,000 levels", "no UTF-8"],
)
def test_a_body_without_a_usable_message_is_refused_and_nothing_is_kept(
    headers: dict[str, str], parts: list[bytes], code: str
):
    answer = post(headers, *parts)
    assert (answer.status_code, answer.json()["o:errorCode"]) == (400, code)
    assert not Instance.objects.exists()


def test_10_000_levels_inside_a_message_are_refused(headers: dict[str, str]):
    deep = json.dumps(told("device_reservation"))[:-1] + ', "x": ' + "[" * 10_000 + "]" * 10_000 + "}"
    answer = post(headers, part("request", deep.encode()), FILE)
    assert answer.status_code == 400
    assert not Instance.objects.exists()


def test_a_message_without_its_file_part_is_accepted_and_told_to_derms(sides: Sides, headers: dict[str, str]):
    # Event Device Reservation, step 5: "For any errors encountered in this process"
    assert post(headers, MESSAGE).status_code == 202
    assert run_once(Instance.objects.get()).fault_code == "HUB-INVALID"
    assert [call["body"]["ackType"] for call in sides.derms.received()] == ["FAILURE"]
    assert sides.cpmcs.records.reservations.events() == []


@pytest.mark.parametrize("length", [0, 3, 10**12])
def test_a_part_that_lies_about_its_size_is_taken_as_it_is(
    sides: Sides, headers: dict[str, str], length: int
):  # its boundary says where it ends, and nothing else does
    lying = part("file", read("device_reservation.csv"), f"Content-Length: {length}\r\n", "devices.csv")
    assert post(headers, MESSAGE, lying).status_code == 202
    assert run_once(Instance.objects.get()).status == "succeeded"
    assert sides.cpmcs.records.reservations.count("EVT-1") == 2


def test_a_negative_answer_goes_over_http_with_200(sides: Sides, headers: dict[str, str]):
    url = "/ic/api/integration/v1/flows/rest/OUTL-BA-DRMS_DACS_DEV_STAT_ACK/1.0/status-check-ack-to-dacs"
    sides.cpmcs.fail("500", 1)
    answer = Browser().post(url, told("device_status_ack"), content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["ackType"]) == (200, "FAILURE")
    assert Instance.objects.get(pk=answer["X-Busbar-Instance"]).status == "failed"
    again = Browser().post(url, told("device_status_ack"), content_type="application/json", headers=headers)
    assert (again.status_code, again.json()["ackType"]) == (200, "SUCCESS")


@pytest.mark.parametrize("child", ["OUTL-BA-DACS_FTP_TRANSFER", "OUTL-BA-DACS_OS_TRANSFER"])
def test_a_child_by_url_needs_its_file(sides: Sides, headers: dict[str, str], child: str):
    # Common Child File Transfer OIC Flows: "multipart … a json request message with a file attachment"
    name = "ftp_transfer" if "FTP" in child else "os_transfer"
    body = part("request", json.dumps(told(name)).encode()) + f"--{BOUNDARY}--\r\n".encode()
    answer = Browser().post(
        f"/ic/api/integration/v1/flows/rest/{child}/1.0/transfer",
        body,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        headers=headers,
    )
    assert answer.status_code == 400
    assert "file" in answer.json()["detail"]


def test_the_ftp_child_by_url_writes_its_file_and_answers_its_size_and_sum(
    sides: Sides, headers: dict[str, str]
):  # contract, "Inbound REST": 200 {"status", "size", "sha256"}
    request = part("request", json.dumps({"fileName": "a.csv", "directory": "/network"}).encode())
    content = read("network_location.csv")
    answer = Browser().post(
        "/ic/api/integration/v1/flows/rest/OUTL-BA-DACS_FTP_TRANSFER/1.0/transfer",
        request + part("file", content, file_name="a.csv") + f"--{BOUNDARY}--\r\n".encode(),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        headers=headers,
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "SUCCESS",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
    }
    assert (sides.networks / "a.csv").read_bytes() == content
