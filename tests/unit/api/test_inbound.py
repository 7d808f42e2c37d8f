"""A call to a flow: who may, what is taken, what is answered."""

import json
from dataclasses import replace

import pytest
from django.db import OperationalError

from integrations.api.message import body_limit
from integrations.engine.faults import BusinessFault, Conflict, Inactive, InvalidMessage, RemoteFault
from integrations.engine.registry import spec_for
from integrations.models import AuditEntry, Flow, Instance, Payload
from integrations.storage import payload_bytes
from tests.unit.api.conftest import (
    ACK,
    ACK_URL,
    OTHER,
    OTHER_URL,
    SECRET,
    TRANSFER,
    TRANSFER_URL,
    basic,
    fault_of,
)

V2 = "/ic/api/integration/v2/flows/oracleutilities/project/ANY"
BOUNDARY = "frontier"
PARTS = f"multipart/form-data; boundary={BOUNDARY}"


def part(name, content, file_name=None, kind="application/json"):
    more = f'; filename="{file_name}"' if file_name else ""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\nContent-Type: {kind}\r\n\r\n'
    )
    return head.encode() + content + b"\r\n"


def multipart(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


REQUEST = part("request", b'{"fileName":"a.csv"}')
FILE = part("file", b"1\t2\r\n", "a.csv", "text/csv")


def test_a_synchronous_flow_answers_200_with_its_answer(call, services):
    services.answer = {"status": "SUCCESS"}
    answer = call({"syncRequestId": "7"})
    assert (answer.status_code, answer.json()) == (200, {"status": "SUCCESS"})
    assert Instance.objects.filter(pk=answer["X-Busbar-Instance"]).exists()
    assert "X-Busbar-Repeated" not in answer


def test_the_service_is_given_the_message_as_it_came(call, services, dacs):
    call(b'\xef\xbb\xbf{ "b": 1, "a": 1.0 }')
    given = services.given
    assert given["message"] == b'{ "b": 1, "a": 1.0 }'
    assert (given["identifier"], given["resource"], given["version"]) == (ACK, "sendCustomerSyncAck", "1.0")
    assert (given["client"], given["message_id"], given["attachment"]) == (dacs.client, None, None)


@pytest.mark.parametrize(
    "url",
    [
        ACK_URL.replace("oracleutilities", "rest"),
        ACK_URL + "/",
        f"{V2}/{ACK}/1.0/sendCustomerSyncAck",
        f"{V2.replace('oracleutilities', 'rest')}/{ACK}/1.0/sendCustomerSyncAck",
        ACK_URL.replace(ACK, ACK.lower()),
    ],
)
def test_every_form_of_the_address_reaches_the_flow(call, services, url):
    assert call(url=url).status_code == 200
    assert services.given["identifier"] == ACK


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head", "trace"])
def test_other_methods_are_405_and_told_which(client, db, method):
    answer = getattr(client, method)(ACK_URL)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    if method != "head":
        assert "not allowed" in fault_of(answer, 405, "HUB-METHOD")["detail"]


def test_an_unknown_flow_is_named_with_the_nearest_one(call, services):
    body = fault_of(call(url=ACK_URL.replace("CUST_SYNC_ACK", "CUST_SYNC_AKC")), 404, "HUB-UNKNOWN-FLOW")
    assert f"Did you mean {ACK}?" in body["detail"]
    assert "CUST_SYNC_AKC" in body["detail"]


def test_an_unknown_flow_is_not_told_to_strangers(client, db):
    fault_of(client.post(ACK_URL.replace(ACK, "NO")), 401, "HUB-AUTH")


def test_a_flow_of_others_is_forbidden_and_on_record(call, services):
    services.fault = Inactive("must not be told")
    body = fault_of(call(url=OTHER_URL), 403, "HUB-FORBIDDEN")
    assert OTHER in body["detail"]
    entry = AuditEntry.objects.get(action="call_refused")
    assert (entry.actor, entry.subject, entry.address) == ("dacs", f"flow:{OTHER}", "127.0.0.1")


def test_a_forbidden_body_is_not_even_read(client, headers):
    answer = client.post(OTHER_URL, b"not json", "text/plain", headers=headers)
    fault_of(answer, 403, "HUB-FORBIDDEN")


def test_a_flow_that_calls_do_not_start_is_not_found(call, services, dacs):
    dacs.client.flows.set(Flow.objects.all())
    for identifier, resource in (
        ("OUTL-BA-CCS_DACS_ERR_HNDLR", "receiveMessage"),
        ("OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "run"),
    ):
        url = f"/ic/api/integration/v1/flows/rest/{identifier}/1.0/{resource}"
        assert "not started by a call" in fault_of(call(url=url), 404, "HUB-UNKNOWN-FLOW")["detail"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Inactive("It is not active"), 503, "HUB-INACTIVE"),
        (InvalidMessage("x", details=[{"title": "no id", "o:errorPath": "/a"}]), 400, "HUB-INVALID"),
        (Conflict("Other content"), 409, "HUB-CONFLICT"),
    ],
)
def test_a_refused_message_is_answered_with_its_fault(call, services, fault, status, code):
    services.fault = fault
    answer = call()
    body = fault_of(answer, status, code)
    assert body["instance"] == ""
    assert "X-Busbar-Instance" not in answer


def test_each_place_of_an_invalid_message_is_named(call, services):
    services.fault = InvalidMessage(
        "x", details=[{"title": "no id", "o:errorPath": "/a"}, {"title": "b", "o:errorPath": "/b"}]
    )
    details = fault_of(call(), 400, "HUB-INVALID")["o:errorDetails"]
    assert [(one["title"], one["o:errorPath"]) for one in details] == [("no id", "/a"), ("b", "/b")]


def test_an_inactive_flow_says_when_to_come_back(call, services):
    services.fault = Inactive("It is not active")
    assert int(call()["Retry-After"]) > 0


def test_a_targets_fault_goes_back_with_the_instance(call, services):
    services.run_fault = BusinessFault(
        "CCS said no", connection="OU REST CCS for CCS-DACS", target_status=404
    )
    answer = call()
    body = fault_of(answer, 502, "HUB-TARGET-REFUSED")
    assert body["instance"] == answer["X-Busbar-Instance"] != ""
    assert body["o:errorDetails"][0]["targetStatus"] == 404
    assert body["o:errorDetails"][0]["connection"] == "OU REST CCS for CCS-DACS"


def test_an_open_breaker_says_when_to_come_back(call, services):
    services.run_fault = RemoteFault("left alone", code="HUB-BREAKER-OPEN", status=503, retry_after=12.2)
    answer = call()
    fault_of(answer, 503, "HUB-BREAKER-OPEN")
    assert answer["Retry-After"] == "13"


def test_what_nobody_foresaw_is_500_and_tells_nothing(call, services, caplog):
    services.run_fault = RuntimeError("password=hunter2hunter2")
    answer = call()
    body = fault_of(answer, 500, "HUB-BUG")
    assert body["instance"] == answer["X-Busbar-Instance"]
    assert b"hunter2" not in answer.content
    assert b"RuntimeError" not in answer.content
    assert "call_failed_unforeseen" in caplog.text


def test_a_database_that_is_down_or_locked_is_503(call, services):
    services.fault = OperationalError("database is locked at /var/lib/x.sqlite3")
    answer = call()
    body = fault_of(answer, 503, "HUB-BUSY")
    assert "sqlite" not in body["detail"]
    assert answer["Retry-After"] == "5"


def test_a_database_that_is_down_while_logging_in_is_503(call, services, monkeypatch):
    def down(*_):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("integrations.api.auth.client_by_secret", down)
    fault_of(call(), 503, "HUB-BUSY")


def test_a_repeated_message_gets_the_stored_answer_and_nothing_is_run(call, services):
    services.repeated, services.stored, services.status = True, {"ok": "stored"}, "succeeded"
    answer = call()
    assert (answer.status_code, answer.json()) == (200, {"ok": "stored"})
    assert answer["X-Busbar-Repeated"] == "true"
    assert services.runs == 0


def test_a_repeated_message_that_is_under_way_names_the_instance(call, services):
    services.repeated = True
    answer = call()
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert answer["X-Busbar-Repeated"] == "true"
    assert services.runs == 0


def test_an_asynchronous_flow_answers_202_and_where_to_follow(call, services, monkeypatch, client, headers):
    make_asynchronous(monkeypatch)
    services.status = "ready"
    answer = call()
    body = answer.json()
    assert (answer.status_code, body["status"]) == (202, "ready")
    assert body["instanceId"] == answer["X-Busbar-Instance"]
    assert answer["Location"] == body["links"]["self"]
    assert client.get(body["links"]["self"], headers=headers).json()["id"] == body["instanceId"]
    assert client.get(body["links"]["activityStream"], headers=headers).json()["items"] == []


def make_asynchronous(monkeypatch):
    spec = replace(spec_for(ACK), pattern="async")
    monkeypatch.setattr("integrations.api.inbound.spec_at", lambda *_: spec)


def test_the_idempotency_key_is_the_messages_id(call, services):
    call(**{"Idempotency-Key": " order-7 "})
    assert services.given["message_id"] == "order-7"


@pytest.mark.parametrize("key", ["x" * 201, "a\tb", "\x7f"])
def test_an_idempotency_key_that_cannot_be_kept_is_refused(call, services, key):
    assert "Idempotency-Key" in fault_of(call(**{"Idempotency-Key": key}), 400, "HUB-INVALID")["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b'{"a":', "line 1"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b"3", "bare value"),
    ],
)
def test_a_body_that_is_no_json_is_400_and_no_instance(call, services, body, said):
    assert said in fault_of(call(body), 400, "HUB-BAD-JSON")["detail"]
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        PARTS,
    ],
)
def test_another_content_type_is_415_naming_what_is_read(call, services, content_type):
    assert (
        "application/json in UTF-8."
        in fault_of(call(content_type=content_type), 415, "HUB-MEDIA-TYPE")["detail"]
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "application/vnd.oracle+json",
        "Application/JSON",
    ],
)
def test_json_is_read_under_its_names(call, services, content_type):
    assert call(content_type=content_type).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense"])
def test_the_answer_is_json_whatever_is_accepted(call, services, accept):
    assert call(Accept=accept)["Content-Type"] == "application/json"


def test_a_body_over_the_limit_is_413_naming_it(call, services, settings):
    settings.HUB_MAX_BODY = 1000
    body = b'{"a":"' + b"x" * 1000 + b'"}'
    assert "1000 bytes" in fault_of(call(body), 413, "HUB-TOO-LARGE")["detail"]
    assert not Instance.objects.exists()


def test_a_flow_may_have_a_limit_of_its_own(call, services, settings):
    settings.HUB_MAX_BODY_BY_FLOW = {ACK: 10}
    fault_of(call(b'{"a":"1234567890"}'), 413, "HUB-TOO-LARGE")
    assert body_limit(TRANSFER) == settings.HUB_MAX_BODY


def test_a_file_goes_to_the_store_as_it_came(call, services):
    call(multipart(REQUEST, FILE), url=TRANSFER_URL, content_type=PARTS)
    given = services.given
    assert json.loads(given["message"]) == {"fileName": "a.csv"}
    assert payload_bytes(given["attachment"]) == b"1\t2\r\n"
    assert given["attachment"].content_type == "text/csv"
    assert given["attachment_name"] == "a.csv"


def test_parts_are_taken_in_any_order_and_unknown_ones_ignored(call, services):
    body = multipart(part("x", b"?"), FILE, part("", b""), REQUEST, part("file2", b"!"))
    assert call(body, url=TRANSFER_URL, content_type=PARTS).status_code == 200
    assert payload_bytes(services.given["attachment"]) == b"1\t2\r\n"


def test_a_parts_file_name_is_made_harmless(call, services):
    body = multipart(REQUEST, part("file", b"x", "../../etc/pass\x1bwd"))
    call(body, url=TRANSFER_URL, content_type=PARTS)
    assert services.given["attachment_name"] == "passwd"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (multipart(FILE), "The part `request` is missing"),
        (multipart(REQUEST, REQUEST), "two parts `request`"),
        (multipart(FILE, REQUEST, FILE), "two parts `file`"),
        (multipart(REQUEST, FILE)[:-12], "closing boundary"),
        (multipart(REQUEST, FILE).replace(b"frontier", b"other"), "closing boundary"),
    ],
)
def test_broken_parts_are_400_and_no_instance(call, services, body, said):
    answer = call(body, url=TRANSFER_URL, content_type=PARTS)
    assert said in fault_of(answer, 400, "HUB-BAD-MULTIPART")["detail"]
    assert not Instance.objects.exists()


def test_a_multipart_without_boundary_is_400(call, services):
    answer = call(multipart(REQUEST), url=TRANSFER_URL, content_type="multipart/form-data")
    assert "no valid boundary" in fault_of(answer, 400, "HUB-BAD-MULTIPART")["detail"]


def test_the_json_part_has_the_json_rules_and_limit(call, services, settings):
    broken = call(multipart(part("request", b"{}{}")), url=TRANSFER_URL, content_type=PARTS)
    fault_of(broken, 400, "HUB-BAD-JSON")
    settings.HUB_MAX_BODY = 5
    large = call(multipart(FILE, REQUEST), url=TRANSFER_URL, content_type=PARTS)
    assert "The part `request` is larger than 5 bytes" in fault_of(large, 413, "HUB-TOO-LARGE")["detail"]


def test_a_file_has_no_limit_and_no_temporary_copy(call, services, settings, tmp_path, monkeypatch):
    settings.HUB_MAX_BODY = 1000
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    body = multipart(REQUEST, part("file", b"x" * 3_000_000, "big.csv"))
    assert call(body, url=TRANSFER_URL, content_type=PARTS).status_code == 200
    assert services.given["attachment"].size == 3_000_000


def test_a_caller_that_goes_away_leaves_no_instance(call, services):
    body = multipart(REQUEST, FILE)
    answer = call(body[:-40], url=TRANSFER_URL, content_type=PARTS)
    fault_of(answer, 400, "HUB-BAD-MULTIPART")
    assert not Instance.objects.exists()
    assert not Payload.objects.exists()


def test_addresses_with_nothing_behind_them_are_faults_too(client, db):
    body = fault_of(client.get("/ic/api/integration/v1/flows/soap/X/1.0/y"), 404, "HUB-NOT-FOUND")
    assert "/v1/flows/{rest|oracleutilities}/" in body["detail"]
    fault_of(client.delete("/ic/api/integration/v9/nothing"), 404, "HUB-NOT-FOUND")


def test_neither_payload_nor_credentials_reach_the_log(call, services, caplog):
    caplog.set_level("DEBUG")
    call({"note": "canary-in-payload"})
    assert "canary-in-payload" not in caplog.text
    assert SECRET not in caplog.text
    assert basic("dacs", SECRET) not in caplog.text
