"""Callers, people, and a stand-in for the services behind the inbound view."""

import base64
import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from integrations.api.passwords import forget_passwords
from integrations.models import ErrorFamily, ErrorInstance, Flow, Instance
from integrations.services.client_create import client_create
from integrations.services.instance_execute import Answer
from integrations.services.instance_submit import Submission

ACK = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
TRANSFER = "OUTL-BA-CCS_DACS_FTP_TRANSFER"
OTHER = "OUTL-BA-CCS_DACS_OS_TRANSFER"
ACK_URL = f"/ic/api/integration/v1/flows/oracleutilities/{ACK}/1.0/sendCustomerSyncAck"
TRANSFER_URL = f"/ic/api/integration/v1/flows/rest/{TRANSFER}/1.0/transfer"
OTHER_URL = f"/ic/api/integration/v1/flows/rest/{OTHER}/1.0/transfer"
MONITORING = "/ic/api/integration/v1/monitoring"
DESIGN = "/ic/api/integration/v1"
SECRET = "a-secret-of-24-characters"
PASSWORD = "a person's password"


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.fixture
def dacs(db):
    """A client that may call two flows, which are switched on, with an API key."""
    Flow.objects.update(active=True)
    return client_create(client_id="dacs", flows=[ACK, TRANSFER], secret=SECRET, api_key=True)


@pytest.fixture
def headers(dacs):
    return {"Authorization": basic("dacs", SECRET)}


@pytest.fixture
def person(db):
    """Make a user with permissions, e.g. person("view_instance"); its Basic header is `.headers`."""
    forget_passwords()

    def make(*codenames, name="olivia", **fields):
        user = User.objects.create_user(name, password=PASSWORD, **fields)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        user.headers = {"Authorization": basic(name, PASSWORD)}  # type: ignore[attr-defined]  # for the tests
        return user

    return make


@pytest.fixture
def flow(db):
    return Flow.objects.get(identifier=ACK)


@pytest.fixture
def make_instance(flow):
    def make(**fields):
        given = {"flow": flow, "flow_version": flow.version, "cause": Instance.Cause.INBOUND, **fields}
        return Instance.objects.create(**given)

    return make


@pytest.fixture
def make_error(make_instance, flow):
    def make(**fields):
        now = timezone.now()
        instance = make_instance(
            status=Instance.Status.FAILED, fault_code="HUB-TARGET-DOWN", ended_at=now, **fields
        )
        family, _ = ErrorFamily.objects.get_or_create(
            signature="s", flow=flow, fault_class="remote", fault_code="HUB-TARGET-DOWN", message="CCS is down",
            defaults={"first_seen": now, "last_seen": now},
        )  # fmt: skip
        return ErrorInstance.objects.create(
            instance=instance, family=family, fault_class="remote", fault_code="HUB-TARGET-DOWN",
            text="CCS did not answer", first_failed_at=now, last_failed_at=now,
        )  # fmt: skip

    return make


@pytest.fixture
def services(monkeypatch, make_instance):
    """The services behind the inbound view: what they were given, and what they shall answer or raise."""
    seen = SimpleNamespace(
        given={},
        repeated=False,
        stored=None,
        fault=None,
        run_fault=None,
        status="running",
        answer={"ok": 1},
        runs=0,
    )

    def submit(**given):
        if seen.fault:
            raise seen.fault
        seen.given = given
        instance = make_instance(client=given["client"], status=seen.status)
        return Submission(instance, repeated=seen.repeated, answer=seen.stored)

    def execute(*, instance):
        seen.runs += 1
        if seen.run_fault:
            raise seen.run_fault
        return Answer(200, seen.answer)

    monkeypatch.setattr("integrations.api.inbound.instance_submit", submit)
    monkeypatch.setattr("integrations.api.inbound.instance_execute", execute)
    return seen


@pytest.fixture
def call(client, headers):
    """POST to a flow; JSON by default."""

    def post(body=b"{}", *, url=ACK_URL, content_type="application/json", **more):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(url, data=sent, content_type=content_type, headers=headers | more)

    return post


def fault_of(response, status, code):
    """The checked fault body of an answer."""
    body = response.json()
    assert (response.status_code, body["o:errorCode"]) == (status, code), body
    assert response["Content-Type"] == "application/json"
    assert body["status"] == str(status)
    assert set(body) == {"type", "title", "status", "detail", "instance", "o:errorCode", "o:errorDetails"}
    assert body["type"].startswith("http")
    assert body["o:errorDetails"]
    assert all(
        {"type", "instance", "title", "o:errorPath", "o:errorCode"} <= set(one)
        for one in body["o:errorDetails"]
    )
    return body
