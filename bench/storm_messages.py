"""The messages of a storm: trouble tickets as a call centre's system groups them, over SOAP and REST."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
from lxml import etree

POINTS, A_TRANSFORMER = 20_000, 5
SOAP, REST = "SOAP", "REST"
PATHS = {SOAP: "/crm/soap/ReceiveTroubleTickets", REST: "/api/crm/v1/CreatedTroubleTickets"}
TYPES = {SOAP: "text/xml; charset=utf-8", REST: "application/json"}
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_CODES = ("No Power/No Light", "Flick Light/Partial Light", "Voltage Problem")


def point(number: int) -> str:
    """A service delivery point's id."""
    return f"SDP-{number:06d}"


def storm_message(tickets: int, seed: int) -> dict[str, Any]:
    """CreatedTroubleTickets with so many tickets: customers', nearly half of them to be called back."""
    chance, key = random.Random(seed), str(uuid4())
    now = datetime.now(UTC)
    return {
        "Header": {
            "Verb": "created",
            "Noun": "TroubleTickets",
            "Timestamp": now.isoformat(),
            "Source": "IVR",
            "MessageID": key,
            "CorrelationID": key,
        },
        "Payload": {
            "TroubleTickets": {"TroubleTicket": [_ticket(chance, now, f"{seed}-{n}") for n in range(tickets)]}
        },
    }


def _ticket(chance: random.Random, now: datetime, name: str) -> dict[str, Any]:
    began = now - timedelta(seconds=chance.randrange(3600))
    calling = chance.random() < 0.45
    made: dict[str, Any] = {
        "callBack": calling,
        "comment": f"Lights out since {began:%H:%M}, heard a bang",
        "createdDateTime": began.isoformat(),
        "csrId": f"csr{chance.randrange(40)}",
        "firstCallDateTime": (began + timedelta(seconds=90)).isoformat(),
        "languageId": 1033,
        "name": f"STORM-{name}",
        "source": "IVR",
        "troubleCode": chance.choice(_CODES),
        "CustomerData": {
            "firstName": "Ann",
            "lastName": f"Example {chance.randrange(5000)}",
            "electronicAddress": {"email1": f"ann{chance.randrange(10**6)}@example.org"},
            "mobilePhone": {"localNumber": f"555-{chance.randrange(10**7):07d}"},
        },
        "UsagePoint": {"mRID": point(chance.randrange(POINTS))},
    }
    if calling:
        start = now + timedelta(hours=chance.randrange(1, 6))
        period = {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
        made["CallBacks"] = [{"contactDetail": "SMS", "Periods": [period]}]
    return made


def content_of(message: dict[str, Any], transport: str) -> bytes:
    """The message as it goes over the wire."""
    if transport == REST:
        return orjson.dumps(message)
    from crm.wire.codec import from_json  # noqa: PLC0415  (settings have to be there)
    from crm.wire.types import message_element  # noqa: PLC0415  (as above)

    root = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap={"s": _ENVELOPE})
    body = etree.SubElement(root, f"{{{_ENVELOPE}}}Body")
    body.append(from_json(message, message_element("TroubleTickets", "CreatedTroubleTickets")))
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return made
