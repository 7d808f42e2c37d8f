"""Forwarding to an outage core system: by the outbox, over REST or SOAP, and what the caller is told (table 5.1)."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import etree
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from crm.config import FORWARD_TICKETS
from crm.models import LandbaseObject, TroubleTicket
from crm.outage.landbase import search_key
from crm.wire.types import SCHEMAS
from integrations.engine.leases import Keeper
from integrations.engine.runner import work_on
from integrations.models import Connection, ErrorInstance, Flow, Instance
from integrations.services.instance_resubmit import instance_resubmit
from integrations.storage.errors import StorageError
from tests.crm.conftest import SOAP_11, Crm, crm_property

IMS = "OU outage core system"
PATH = "/outage/CreatedTroubleTickets"
OK = {"Header": {"Verb": "reply", "Noun": "TroubleTickets"}, "Reply": {"Result": "OK"}}
SAID = "Call(s) creation has been forwarded to IMS, but callback is not received within 2 s interval."


def soap_reply(result: str = "OK", namespace: str = "http://iec.ch/TC57/2011/TroubleTicketsMessage") -> str:
    return (
        f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><m:TroubleTicketsResponseMessage xmlns:m="{namespace}" '
        'xmlns:c="http://iec.ch/TC57/2011/schema/message"><m:Header><c:Verb>reply</c:Verb>'
        f"<c:Noun>TroubleTickets</c:Noun></m:Header><m:Reply><c:Result>{result}</c:Result></m:Reply>"
        "</m:TroubleTicketsResponseMessage></s:Body></s:Envelope>"
    )


def ims(adapter: str, **settings: Any) -> Connection:
    """The outage core system's connection, which the property names."""
    crm_property("ims.connection", IMS)
    crm_property("ims.callback.seconds", "2")
    return Connection.objects.create(
        name=IMS, adapter=adapter, settings=settings, connect_timeout=2, read_timeout=2, retries=0
    )


@pytest.fixture
def outage(httpserver: HTTPServer) -> HTTPServer:
    """An outage core system with REST services, set up and forwarded to."""
    operations = {"CreatedTroubleTickets": {"method": "POST", "path": PATH}}
    ims("rest", url=httpserver.url_for(""), operations=operations)
    return httpserver


@pytest.fixture(autouse=True)
def worker(db: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A worker that works whenever the caller's wait lets it; the waits it was given.

    The test's transaction is never committed, so another thread would see nothing.
    """
    Flow.objects.filter(package="GRIDOPS-CRM").update(active=True)
    monkeypatch.setattr(Keeper, "_renew", lambda keeper, held: None)
    waits: list[float] = []

    def work(seconds: float) -> None:
        waits.append(seconds)
        for row in Instance.objects.filter(status__in=["ready", "waiting"]):
            work_on(row.pk)

    monkeypatch.setattr("crm.operations.ticket_forwarding.sleep", work)
    return waits


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works, and the time is over at once."""
    clock = iter(range(1000))
    monkeypatch.setattr("crm.operations.ticket_forwarding.sleep", lambda seconds: None)
    monkeypatch.setattr("crm.operations.ticket_forwarding.monotonic", lambda: next(clock))


def answers(server: HTTPServer, answer: Any = OK, status: int = 200) -> list[Any]:
    """The server answers with this; the messages it gets."""
    seen: list[Any] = []

    def take(request: Request) -> Response:
        seen.append(orjson.loads(request.get_data()))
        return Response(orjson.dumps(answer), status, content_type="application/json")

    server.expect_request(PATH, method="POST").respond_with_handler(take)
    return seen


def forwarding() -> Instance:
    return Instance.objects.get(flow__identifier=FORWARD_TICKETS)


def test_off_nothing_is_forwarded_nor_asked(crm: Crm, worker: list[float], outage: HTTPServer):
    seen = answers(outage)
    crm_property("ims.connection", "")
    with CaptureQueriesContext(connection) as asked:
        assert crm.create({"name": "A"}).reasons == []
    assert not [one for one in asked if "integrations_instance" in one["sql"]]
    assert (seen, worker, Instance.objects.exists()) == ([], [], False)


def test_tickets_are_forwarded_with_their_mrids(crm: Crm, outage: HTTPServer):
    seen = answers(outage)
    said = crm.create({"name": "A", "troubleCode": "no power"}, {"name": "B"}, CorrelationID="corr-1")
    assert (said.result, said.reasons) == ("OK", [])
    ((message),) = seen
    header = message["Header"]
    assert (header["Verb"], header["Noun"], header["CorrelationID"]) == (
        "created",
        "TroubleTickets",
        "corr-1",
    )
    told = message["Payload"]["TroubleTickets"]["TroubleTicket"]
    assert [one["mRID"] for one in told] == [one["mRID"] for one in said.tickets]
    assert [(one["name"], one["troubleCode"]) for one in told] == [
        ("A", "No Power/No Light"),
        ("B", "No Power/No Light"),
    ]
    assert forwarding().status == "succeeded"
    assert forwarding().primary_key_value == header["MessageID"]


def test_what_is_not_created_is_not_forwarded(crm: Crm, outage: HTTPServer):
    seen = answers(outage)
    crm.create({"name": "A"}, {"name": "B", "troubleCode": "nonsense"})
    assert [one["name"] for one in seen[0]["Payload"]["TroubleTickets"]["TroubleTicket"]] == ["A"]
    crm.create({"name": "C", "troubleCode": "nonsense"})
    assert len(seen) == 1


def test_a_ticket_is_forwarded_as_the_hub_has_understood_it(crm: Crm, outage: HTTPServer):
    seen = answers(outage)
    LandbaseObject.objects.create(
        search_type="Pole", key=search_key({"poleId": "P-7"}), parameters={"poleId": "P-7"}, x=-73.5, y=40.5
    )
    crm_property("comment.limit", "5")
    crm.create(
        {
            "name": "A",
            "comment": "longer than that",
            "languageId": 99,
            "source": "nobody",
            "callBack": True,
            "IncidentHazard": [{"mRID": "LINE_DOWN"}, {"mRID": "dragon"}],
            "Location": [{"type": "Pole", "description": "poleId", "name": "p-7"}],
        },
        {"name": "B", "Location": [{"PositionPoint": {"xPosition": "-71.0587", "yPosition": "42.3594"}}]},
    )
    first, second = seen[0]["Payload"]["TroubleTickets"]["TroubleTicket"]
    assert (first["comment"], first["languageId"], first["source"]) == ("longe", 1033, "Unknown")
    assert first["callBack"] is True
    assert first["IncidentHazard"] == [{"mRID": "line down"}]
    assert first["Location"][0]["PositionPoint"] == {"xPosition": "-73.5", "yPosition": "40.5"}
    assert second["Location"][0]["PositionPoint"] == {"xPosition": "-71.0587", "yPosition": "42.3594"}


def test_coordinates_are_forwarded_in_the_outage_model_s_projection(crm: Crm, outage: HTTPServer):
    seen = answers(outage)
    crm_property("model.projection", "EPSG:3857")
    at = {"xPosition": "-71.0587", "yPosition": "42.3594"}
    crm.create({"Location": [{"PositionPoint": at}]})
    (told,) = seen[0]["Payload"]["TroubleTickets"]["TroubleTicket"]
    assert float(told["Location"][0]["PositionPoint"]["xPosition"]) == pytest.approx(-7_910_218, abs=5)


def test_forwarded_over_soap_it_is_valid(crm: Crm, httpserver: HTTPServer):
    seen: list[bytes] = []

    def take(request: Request) -> Response:
        seen.append(request.get_data())
        return Response(soap_reply(), content_type="text/xml")

    httpserver.expect_request(PATH, method="POST").respond_with_handler(take)
    ims("soap", url=httpserver.url_for(PATH), wsdl="crm/ReceiveTroubleTickets.wsdl")
    said = crm.create({"name": "A", "callBack": False, "languageId": 21514}, {"name": "B"})
    assert (said.result, said.reasons) == ("OK", [])
    ((message,),) = etree.fromstring(seen[0])
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "TroubleTicketsMessage.xsd")))
    schema.assertValid(etree.fromstring(etree.tostring(message)))
    mrids = message.findall(".//{*}TroubleTicket/{*}mRID")
    assert [one.text for one in mrids] == [one["mRID"] for one in said.tickets]


# -- no answer in time -----------------------------------------------------------------------------------


def not_received(crm: Crm, *tickets: dict[str, Any]) -> None:
    """The ticket is created, and its caller told that the outage core system has not answered."""
    said = crm.create(*(tickets or ({"name": "A"},)))
    assert said.result == "OK"
    error = said.error("ImsCallbackNotReceived")
    assert (error["code"], error["level"], error["details"]) == ("5.3", "WARNING", SAID)
    assert TroubleTicket.objects.filter(name="A").exists()
    assert said.tickets[0]["mRID"]


@pytest.mark.usefixtures("short")
def test_created_trouble_tickets_ims_callback_not_received(crm: Crm, outage: HTTPServer):
    not_received(crm)
    assert forwarding().status == "ready"  # and goes on without the caller


@pytest.mark.usefixtures("short", "outage")
def test_the_reply_that_is_kept_for_a_repeat_says_so_too(crm: Crm):
    body = {"Payload": {"TroubleTickets": {"TroubleTicket": [{"troubleCode": "No Power"}]}}}
    key = {"MessageID": "m-1", "CorrelationID": "m-1"}
    first = crm.call("CreatedTroubleTickets", body, **key)
    again = crm.call("CreatedTroubleTickets", body, **key)
    assert first.reasons == again.reasons == ["ImsCallbackNotReceived"]
    assert Instance.objects.count() == 1


def test_a_refusal_is_an_error_instance_and_not_received(crm: Crm, outage: HTTPServer):
    no = {
        **OK,
        "Reply": {"Result": "FAILED", "Error": [{"code": "2.7", "reason": "NoModel", "details": "gone"}]},
    }
    answers(outage, no)
    not_received(crm)
    fault = ErrorInstance.objects.get().instance.fault_text
    assert fault == f"{IMS} answered FAILED: 2.7 NoModel gone"


def test_an_outage_core_system_that_is_down_is_not_received_and_can_be_resubmitted(
    crm: Crm, outage: HTTPServer
):
    answers(outage, {"detail": "no"}, 500)
    not_received(crm)
    failed = forwarding()
    assert failed.status == "failed"
    outage.clear()
    seen = answers(outage)
    work_on(instance_resubmit(instance=failed, actor="olga").pk)
    assert forwarding().status == "succeeded"
    assert len(seen) == 1


def test_a_partial_answer_is_noted_and_no_error(crm: Crm, outage: HTTPServer):
    answers(outage, {**OK, "Reply": {"Result": "PARTIAL", "Error": [{"code": "2.7", "reason": "X"}]}})
    assert crm.create({"name": "A"}).reasons == []
    assert forwarding().activities.filter(level="warning", text__contains="answered PARTIAL: 2.7 X").exists()


def test_a_service_without_a_reply_has_taken_it_with_any_2xx(crm: Crm, outage: HTTPServer):
    answers(outage, None, 202)
    assert crm.create({"name": "A"}).reasons == []


@pytest.mark.usefixtures("outage")
def test_with_the_flow_inactive_tickets_are_created_and_it_is_logged(crm: Crm, worker: list[float]):
    Flow.objects.filter(identifier=FORWARD_TICKETS).update(active=False)
    with capture_logs() as logs:
        not_received(crm)
    assert worker == []  # nothing to wait for
    (line,) = [one for one in logs if one["event"] == "tickets_not_forwarded"]
    assert line["log_level"] == "error"
    assert "is not active" in line["error"]


def test_with_a_connection_that_is_not_there_tickets_are_created_and_it_is_an_error(crm: Crm):
    crm_property("ims.connection", "Nowhere")
    crm_property("ims.callback.seconds", "2")
    not_received(crm)
    assert "There is no connection 'Nowhere'" in ErrorInstance.objects.get().instance.fault_text


def test_with_a_payload_store_that_fails_tickets_are_created_and_it_is_logged(
    crm: Crm, outage: HTTPServer, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: Any, **__: Any) -> Callable[[], Any]:
        raise StorageError("the disk is full")

    monkeypatch.setattr("integrations.services.instance_submit.payload_keep", fails)
    with capture_logs() as logs:
        not_received(crm)
    assert "the disk is full" in str(logs)


@pytest.mark.usefixtures("short", "outage")
def test_switched_off_again_what_waits_is_skipped(crm: Crm):
    not_received(crm)
    crm_property("ims.connection", "")
    work_on(forwarding().pk)
    assert forwarding().status == "skipped"
