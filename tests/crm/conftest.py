"""The call centre's interface as callers see it: one client, SOAP and REST over Django's test client."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.test import Client as Http
from django.utils import timezone
from lxml import etree

from crm.models import Incident, ServiceDeliveryPoint
from crm.operations.registry import operation_named
from crm.services.caller import caller_allow
from crm.wire.codec import decode, from_json
from crm.wire.types import SCHEMAS, message_element
from integrations.models import Client
from integrations.services.client_create import client_create
from tests.flows.conftest import property_set

PROPERTIES = "GRIDOPS-CRM_ConfigProps"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
Plain = dict[str, Any]


def crm_property(name: str, value: str) -> None:
    """Set a setting of the interface."""
    property_set(PROPERTIES, name, value)


def header(operation: str, **more: Any) -> Plain:
    """A header that the operation takes; `more` sets members, None takes one out."""
    known = operation_named(operation)
    key = str(uuid4())
    made = {
        "Verb": known.verb,
        "Noun": known.noun,
        "Revision": "2.0",
        "Timestamp": timezone.now().isoformat(),
        "Source": "CallCenter",
        "MessageID": key,
        "CorrelationID": key,
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


@dataclass
class Said:
    """An answer: the HTTP status and the reply's document."""

    status: int
    document: Plain
    content: bytes = b""

    @property
    def result(self) -> str:
        return self.document["Reply"]["Result"]

    @property
    def errors(self) -> list[Plain]:
        return self.document["Reply"].get("Error", [])

    @property
    def reasons(self) -> list[str]:
        return [error["reason"] for error in self.errors]

    def error(self, reason: str) -> Plain:
        found = [error for error in self.errors if error["reason"] == reason]
        assert len(found) == 1, (reason, self.errors)
        return found[0]

    @property
    def tickets(self) -> list[Plain]:
        return (self.document.get("Payload") or {}).get("TroubleTickets", {}).get("TroubleTicket", [])

    @property
    def callbacks(self) -> list[Plain]:
        return (self.document.get("Payload") or {}).get("CallBacks", {}).get("CallBack", [])

    @property
    def results(self) -> list[Plain]:
        return (self.document.get("Payload") or {}).get("CallBacksResults", {}).get("CallBackResult", [])


class Crm:
    """A client of the interface."""

    def __init__(self, client: Client, secret: str) -> None:
        self.client = client
        self.http = Http(raise_request_exception=False)
        token = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
        self.login: Plain = {"HTTP_AUTHORIZATION": f"Basic {token}"}

    # -- operations over REST, in short ------------------------------------------------------------------

    def call(self, operation: str, body: Plain, **more: Any) -> Said:
        """POST {Header, …} to an operation; `more`: members of the header."""
        return self.post(operation, {"Header": header(operation, **more), **body})

    def post(self, operation: str, document: Any) -> Said:
        answer = self.http.post(
            f"/api/crm/v1/{operation}", orjson.dumps(document), content_type="application/json", **self.login
        )
        return Said(answer.status_code, orjson.loads(answer.content), answer.content)

    def create(self, *tickets: Plain, **more: Any) -> Said:
        return self.call(
            "CreatedTroubleTickets",
            {"Payload": {"TroubleTickets": {"TroubleTicket": [ticket(**one) for one in tickets]}}},
            **more,
        )

    def change(self, *tickets: Plain, **more: Any) -> Said:
        given = [{"csrId": "csr7", **one} for one in tickets]
        given = [{name: value for name, value in one.items() if value is not None} for one in given]
        return self.call(
            "ChangedTroubleTickets", {"Payload": {"TroubleTickets": {"TroubleTicket": given}}}, **more
        )

    def get(self, context: str | None = "active", /, header: Any = None, **criteria: Any) -> Said:
        return self.call(
            "GetTroubleTickets",
            {"Request": {"GetTroubleTickets": criteria}},
            Context=context,
            **(header or {}),
        )

    def pull(self, csr: str | None = "csr7", **wanted: Any) -> Said:
        tickets = {name: wanted.pop(name) for name in ("languageId", "priority") if name in wanted}
        asked = {
            **wanted,
            **({"csrId": csr} if csr else {}),
            **({"TroubleTickets": tickets} if tickets else {}),
        }
        return self.call("GetCallbacks", {"Request": {"GetCallbacks": asked}})

    def report(self, *results: Plain, **more: Any) -> Said:
        return self.call(
            "CreatedCallBacksResults",
            {"Payload": {"CallBacksResults": {"CallBackResult": list(results)}}},
            **more,
        )

    # -- SOAP --------------------------------------------------------------------------------------------

    def soap(self, service: str, content: bytes, *, version: str = SOAP_11, login: bool = True) -> Any:
        """POST bytes to a service; Django's response."""
        kind = "text/xml; charset=utf-8" if version == SOAP_11 else "application/soap+xml; charset=utf-8"
        return self.http.post(
            f"/crm/soap/{service}", content, content_type=kind, **(self.login if login else {})
        )

    def soap_call(self, operation: str, body: Plain, *, version: str = SOAP_11, **more: Any) -> Said:
        """The same as `call`, over SOAP; the reply is checked against its schema."""
        content = envelope(operation, {"Header": header(operation, **more), **body}, version=version)
        answer = self.soap(operation_named(operation).service, content, version=version)
        return read(operation, answer.status_code, answer.content, version=version)


def element(operation: str, document: Plain) -> "etree._Element":
    """A message element."""
    known = operation_named(operation)
    return from_json(document, message_element(known.asks_in, known.name))


def envelope(operation: str, document: Plain, *, version: str = SOAP_11) -> bytes:
    """A message in its envelope."""
    root = etree.Element(f"{{{version}}}Envelope", nsmap={"s": version})
    etree.SubElement(root, f"{{{version}}}Body").append(element(operation, document))
    return etree.tostring(root)


def read(operation: str, status: int, content: bytes, *, version: str = SOAP_11) -> Said:
    """A reply's envelope, valid against our own schemas."""
    known = operation_named(operation)
    root = etree.fromstring(content)
    assert root.tag == f"{{{version}}}Envelope"
    (body,) = root
    (message,) = body
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / f"{known.answers_in}Message.xsd")))
    schema.assertValid(etree.fromstring(etree.tostring(message)))
    kind: Any = message_element(known.answers_in, known.answer_element).type
    return Said(status, decode(message, kind), content)


def ticket(**given: Any) -> Plain:
    """A ticket that can be created; None takes a member out."""
    made = {"troubleCode": "No Power/No Light", "source": "CallCenter", **given}
    return {name: value for name, value in made.items() if value is not None}


def at(**shift: float) -> str:
    """A date-time so far from now."""
    return (timezone.now() + timedelta(**shift)).isoformat()


@pytest.fixture
def make_crm(db: None) -> Callable[..., Crm]:
    """Make a client that may call the interface."""

    def make(
        client_id: str = "CALLCENTER", operations: list[str] | None = None, *, allowed: bool = True
    ) -> Crm:
        made = client_create(client_id=client_id, name="The call centre", flows=[], actor="test")
        if allowed:
            caller_allow(client=made.client, operations=operations, actor="test")
        return Crm(made.client, made.secret)

    return make


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    """A client that may call all operations."""
    return make_crm()


@pytest.fixture
def points(db: None) -> list[ServiceDeliveryPoint]:
    """Three service delivery points; the first two hang on one transformer."""
    rows = [
        ServiceDeliveryPoint(mrid="SDP-1", customer_priority=3, transformer_id="T-1", x=-73.9, y=40.6),
        ServiceDeliveryPoint(mrid="SDP-2", customer_priority=6, transformer_id="T-1", x=-73.91, y=40.61),
        ServiceDeliveryPoint(mrid="SDP-3", customer_priority=0),
    ]
    return ServiceDeliveryPoint.objects.bulk_create(rows)


def confirmed(incident: Incident) -> Incident:
    """The incident, confirmed a minute ago."""
    incident.confirmed_at = timezone.now() - timedelta(minutes=1)
    incident.save()
    return incident
