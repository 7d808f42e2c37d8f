"""The five operations as zeep calls them, given nothing but the WSDLs' addresses; `python -m tests.crm.transcript`.

Run as a program it writes docs/crm-soap-transcript.md, against a hub of its own in a folder that is removed again. What
differs from run to run is written as something that does not: hosts, ids, moments.
"""

import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests
import zeep
from lxml import etree
from zeep.plugins import HistoryPlugin
from zeep.transports import Transport

TARGET = Path(__file__).parent.parent.parent / "docs" / "crm-soap-transcript.md"
SECRET = "a long secret of the call centre"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_HEAD = """# The call centre's operations over SOAP

What zeep, given nothing but each service's `?wsdl` and a log-in, sends and is answered. Made by
`python -m tests.crm.transcript`; ids and moments are replaced, the rest is as it went over the wire, indented.
"""


@dataclass
class Exchange:
    """One call: what it was for, what went out, what came back, and that as zeep has typed it."""

    operation: str
    about: str
    sent: str
    received: str
    reply: Any


@dataclass
class Caller:
    """A client of the interface that knows an address and a log-in."""

    address: str
    user: str
    secret: str
    port: str = "Port"
    made: list[Exchange] = field(default_factory=list)

    def call(self, service: str, operation: str, about: str, header: dict[str, Any], **body: Any) -> Any:
        """Fetch the WSDL, call the operation; the typed reply."""
        session = requests.Session()
        session.auth = (self.user, self.secret)
        history = HistoryPlugin()
        with session:
            transport = Transport(session=session, timeout=60, operation_timeout=60)
            address = f"{self.address}/crm/soap/{service}?wsdl"
            client = zeep.Client(address, transport=transport, plugins=[history])
            bound = client.bind(f"{service}Service", f"{service}_{self.port}")
            reply = getattr(bound, operation)(Header=header, **body)
        both: Any = (history.last_sent, history.last_received)
        sent, received = (_pretty(one["envelope"]) for one in both)
        self.made.append(Exchange(operation, about, sent, received, reply))
        return reply


def _pretty(envelope: "etree._Element") -> str:
    copied = etree.fromstring(etree.tostring(envelope), etree.XMLParser(remove_blank_text=True))
    return etree.tostring(copied, pretty_print=True, encoding="unicode")


def header_of(verb: str, noun: str, number: int, **more: str) -> dict[str, Any]:
    """A request's header, as the seed's tables have it."""
    from django.utils import timezone  # noqa: PLC0415  (as a program, this sets Django up itself)

    key = f"call-{number}"
    return {
        "Verb": verb,
        "Noun": noun,
        "Revision": "2.0",
        **more,
        "Timestamp": timezone.now(),
        "Source": "CallCenter",
        "User": {"UserID": "csr7", "Organization": "Call centre"},
        "MessageID": key,
        "CorrelationID": key,
    }


def prepare() -> None:
    """The rows behind the calls: a service delivery point, and an intersection of the landbase."""
    from crm.models import LandbaseObject, ServiceDeliveryPoint  # noqa: PLC0415  (as above)
    from crm.outage.landbase import search_key  # noqa: PLC0415  (as above)

    ServiceDeliveryPoint.objects.create(mrid="SDP-1001", customer_priority=4, transformer_id="T-17")
    corner = {"street1": "MAIN ST", "street2": "2ND AVE"}
    LandbaseObject.objects.create(
        search_type="Intersection", parameters=corner, key=search_key(corner), x=-73.91, y=40.61
    )


def restore(mrid: str) -> None:
    """What an operator does between the calls: the ticket's incident is restored, its caller is to be called back."""
    from crm.models import Callback, TroubleTicket  # noqa: PLC0415  (as above)

    ticket = TroubleTicket.objects.select_related("incident").get(pk=mrid)
    incident: Any = ticket.incident
    incident.status, incident.cause, incident.subcause = "Field Completed", "Tree", "Fallen limb"
    incident.save()
    Callback.objects.create(
        ticket=ticket, incident=incident, reason="Restored", priority=4, language_id=ticket.language_id
    )


def five_calls(caller: Caller) -> list[Exchange]:
    """All five operations, as one evening of the call centre; `prepare` comes before."""
    created = caller.call(
        "ReceiveTroubleTickets",
        "CreatedTroubleTickets",
        "Three calls: a customer, an intersection, and one with a trouble code that is none.",
        header_of("created", "TroubleTickets", 1),
        Payload={"TroubleTickets": {"TroubleTicket": _tickets()}},
    )
    mrid = created.Payload.TroubleTickets.TroubleTicket[0].mRID
    caller.call(
        "ReceiveTroubleTickets",
        "ChangedTroubleTickets",
        "More comment, and one more way to reach the customer.",
        header_of("changed", "TroubleTickets", 2),
        Payload={"TroubleTickets": {"TroubleTicket": [_change(mrid)]}},
    )
    caller.call(
        "GetTroubleTickets",
        "GetTroubleTickets",
        "What the hub knows of it, by the external id.",
        header_of("get", "TroubleTickets", 3, Context="active"),
        Request={"GetTroubleTickets": {"name": "EXT-1"}},
    )
    restore(mrid)
    pulled = caller.call(
        "GetCallbacks",
        "GetCallbacks",
        "The incident is restored: an agent pulls the next callback.",
        header_of("get", "Callbacks", 4),
        Request={
            "GetCallbacks": {
                "count": 5,
                "csrId": "csr7",
                "TroubleTickets": {"languageId": 1033, "priority": "4"},
            }
        },
    )
    caller.call(
        "ReceiveCallBacksResults",
        "CreatedCallBacksResults",
        "What came of it, and a result for a callback that there is not.",
        header_of("created", "CallBacksResults", 5),
        Payload={"CallBacksResults": {"CallBackResult": _results(pulled)}},
    )
    return caller.made


def _tickets() -> list[dict[str, Any]]:
    corner = [("street1", "MAIN ST"), ("street2", "2ND AVE")]
    return [
        {
            "callBack": True,
            "comment": "Lights out, heard a bang",
            "csrId": "csr7",
            "languageId": 1033,
            "name": "EXT-1",
            "source": "CallCenter",
            "troubleCode": "No Power/No Light",
            "CallBacks": [{"contactDetail": "mobile phone"}],
            "CustomerData": {
                "firstName": "Ann",
                "lastName": "Example",
                "mobilePhone": {"localNumber": "555-0100"},
            },
            "IncidentHazard": [{"mRID": "line down"}],
            "UsagePoint": {"mRID": "SDP-1001"},
        },
        {
            "name": "EXT-2",
            "troubleCode": "No Power/No Light",
            "Location": [
                {"description": name, "name": value, "type": "Intersection"} for name, value in corner
            ],
        },
        {"name": "EXT-3", "troubleCode": "Loud neighbours"},
    ]


def _change(mrid: str) -> dict[str, Any]:
    address = {"email1": "ann@example.org"}
    person = {"firstName": "Ann", "lastName": "Example", "electronicAddress": address}
    return {"mRID": mrid, "comment": "The line lies on the street", "csrId": "csr7", "CustomerData": person}


def _results(pulled: Any) -> list[dict[str, Any]]:
    mrid = pulled.Payload.CallBacks.CallBack[0].mRID
    return [
        {"mRID": mrid, "comment": "Ann is glad", "csrId": "csr7", "status": {"value": "Restored"}},
        {"mRID": "CB-1", "csrId": "csr7", "status": {"value": "No Answer"}},
    ]


def document(made: list[Exchange]) -> str:
    """The transcript, the same for every run."""
    parts = [_HEAD]
    for one in made:
        parts.append(f"\n## {one.operation}\n\n{one.about}\n")
        for name, text in (("Request", one.sent), ("Reply", one.received)):
            parts.append(f"\n{name}:\n\n```xml\n{text}```\n")
    return normalised("".join(parts))


def normalised(text: str) -> str:
    """Ids numbered as they appear, moments all alike, the host an example's."""
    known: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"00000000-0000-0000-0000-{len(known) + 1:012}")

    text = _MOMENT.sub("2026-01-15T12:34:56+00:00", _ID.sub(numbered, text))
    return re.sub(r"http://(?:localhost|127\.0\.0\.1):\d+", "https://hub.example.org", text)


class _Quiet(WSGIRequestHandler):
    """No line for each request."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def _against_a_hub_of_its_own(work: Callable[[str], list[Exchange]]) -> list[Exchange]:
    import django  # noqa: PLC0415  (its environment is set up before)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  (needs Django set up)

    from crm.services.caller import caller_allow  # noqa: PLC0415  (as above)
    from hub.wsgi import application  # noqa: PLC0415  (as above)
    from integrations.services.client_create import client_create  # noqa: PLC0415  (as above)

    call_command("migrate", interactive=False, verbosity=0)
    made = client_create(
        client_id="CALLCENTER", name="The call centre", flows=[], secret=SECRET, actor="docs"
    )
    caller_allow(client=made.client, actor="docs")
    prepare()
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            return work(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()


def main() -> None:
    """Write the transcript."""
    with TemporaryDirectory() as folder:
        os.environ.update(HUB_VAR=folder, DATABASE_URL="", HUB_LOG_LEVEL="WARNING")
        os.environ["DJANGO_SETTINGS_MODULE"] = "hub.settings"
        made = _against_a_hub_of_its_own(lambda url: five_calls(Caller(url, "CALLCENTER", SECRET)))
        TARGET.write_text(document(made))
    sys.stdout.write(f"{TARGET}: {len(made)} calls\n")


if __name__ == "__main__":
    main()
