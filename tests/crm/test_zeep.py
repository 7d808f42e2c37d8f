"""zeep, given nothing but a service's ?wsdl and a log-in, calls every operation and gets typed replies."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

from crm.models import Callback, TroubleTicket
from crm.operations.registry import OPERATIONS, SERVICES, operations_of
from crm.services.caller import caller_allow
from integrations.services.client_create import client_create
from tests.crm.conftest import crm_property
from tests.crm.transcript import SECRET, TARGET, Caller, Exchange, document, five_calls, header_of, prepare

pytestmark = pytest.mark.django_db(transaction=True)
USER = "CALLCENTER"


@pytest.fixture
def address(live_server) -> str:
    """A hub that answers over the loopback network, with a client that may call all operations."""
    made = client_create(client_id=USER, name="The call centre", flows=[], secret=SECRET, actor="test")
    caller_allow(client=made.client, actor="test")
    prepare()
    return str(live_server.url)


@pytest.fixture(params=["Port", "Port12"])
def calls(address: str, request: pytest.FixtureRequest) -> dict[str, Exchange]:
    """All five, over SOAP 1.1 and over SOAP 1.2."""
    made = five_calls(Caller(address, USER, SECRET, port=request.param))
    version = (
        "http://www.w3.org/2003/05/soap-envelope" if request.param == "Port12" else "schemas.xmlsoap.org"
    )
    assert all(version in one.sent and version in one.received for one in made)
    return {one.operation: one for one in made}


def test_all_five_operations_are_called_and_answer_in_types(calls):
    assert list(calls) == [one.name for one in OPERATIONS]
    _created(calls["CreatedTroubleTickets"].reply)
    _changed(calls["ChangedTroubleTickets"].reply)
    _got(calls["GetTroubleTickets"].reply)
    _pulled(calls["GetCallbacks"].reply)
    _recorded(calls["CreatedCallBacksResults"].reply)
    assert Callback.objects.get().state == "closed"
    assert sorted(TroubleTicket.objects.values_list("name", flat=True)) == ["EXT-1", "EXT-2"]


def _created(reply: Any) -> None:
    assert (reply.Header.Verb, reply.Header.CorrelationID) == ("reply", "call-1")
    assert isinstance(reply.Header.Timestamp, datetime)
    assert reply.Reply.Result == "PARTIAL"
    reasons = [one.reason for one in reply.Reply.Error]
    assert reasons == ["CallbackPeriodMissing", "InvalidTroubleCode"]
    first, second, third = reply.Payload.TroubleTickets.TroubleTicket
    assert (first.status.value, first.UsagePoint.mRID) == ("ENERGIZED", "SDP-1001")
    assert first.previousTroubleTicketsCount == 0
    assert {one.PositionPoint.xPosition for one in second.Location} == {"-73.91"}
    assert (third.status.value, third.mRID) == ("FAILED", None)


def _changed(reply: Any) -> None:
    assert (reply.Reply.Result, reply.Reply.Error) == ("OK", [])
    assert reply.Payload.TroubleTickets.TroubleTicket[0].status.value == "UPDATED"


def _got(reply: Any) -> None:
    (one,) = reply.Payload.TroubleTickets.TroubleTicket
    assert (one.callBack, one.languageId, one.csrId) == (True, 1033, "csr7")
    assert one.comment == "Lights out, heard a bang\nThe line lies on the street"
    assert isinstance(one.createdDateTime, datetime)
    assert not isinstance(one.languageId, Decimal)
    assert one.CustomerData.electronicAddress.email1 == "ann@example.org"
    assert one.IncidentRecord.status.value == "New"


def _pulled(reply: Any) -> None:
    (one,) = reply.Payload.CallBacks.CallBack
    assert (one.csrId, one.Reason, one.contactDetail) == ("csr7", "Restored", "mobile phone")
    assert one.IncidentRecord.OutageRecord.OutageCodes[0].subCode == "Fallen limb"
    assert one.TroubleTickets[0].CustomerData.mobilePhone.localNumber == "555-0100"


def _recorded(reply: Any) -> None:
    assert reply.Reply.Result == "PARTIAL"
    assert [one.reason for one in reply.Reply.Error] == ["EntityNotFound"]
    found = reply.Payload.CallBacksResults.CallBackResult
    assert [one.status.value for one in found] == ["UPDATED", "FAILED"]


def test_the_transcript_is_what_zeep_sends_and_gets(address):
    """Made again by `python -m tests.crm.transcript`."""
    made = document(five_calls(Caller(address, USER, SECRET)))
    assert made == TARGET.read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_zeep_reads_each_wsdl_without_a_log_in(address, service):
    client = zeep.Client(f"{address}/crm/soap/{service}Service?wsdl")
    (found,) = client.wsdl.services.values()
    assert list(found.ports) == [f"{service}_Port", f"{service}_Port12"]
    for port in found.ports.values():
        assert list(port.binding.all()) == [one.name for one in operations_of(service)]


def asked(address: str, secret: str = SECRET) -> Any:
    """GetTroubleTickets, asked for with this secret."""
    with requests.Session() as session:
        session.auth = (USER, secret)
        client = zeep.Client(
            f"{address}/crm/soap/GetTroubleTickets?wsdl", transport=Transport(session=session)
        )
        header = header_of("get", "TroubleTickets", 1, Context="active")
        return client.service.GetTroubleTickets(
            Header=header, Request={"GetTroubleTickets": {"name": "EXT-1"}}
        )


def test_a_refused_log_in_is_a_fault_that_zeep_can_read(address):
    with pytest.raises(Fault, match="The credentials are missing or not valid"):
        asked(address, "another secret")


def test_the_standbys_fault_has_the_fault_message_in_it(address):
    crm_property("site.active", "false")
    with pytest.raises(Fault, match="This site is on standby") as raised:
        asked(address)
    client = zeep.Client(f"{address}/crm/soap/GetTroubleTickets?wsdl")
    name = "{http://iec.ch/TC57/2011/TroubleTicketsMessage}TroubleTicketsFaultMessage"
    said = client.get_element(name).parse(raised.value.detail[0], client.wsdl.types)
    assert (said.Reply.Result, said.Reply.Error[0].reason) == ("FAILED", "InternalServerError")
    assert said.Reply.Error[0].code == "5.3"
