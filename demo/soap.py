"""SOAP messages as the call centre and the IVR send and take them, by the schemas of seed 004 (crm/wire/schemas)."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from lxml import etree

from demo.acknowledgements import Answered
from demo.hub_caller import LONGEST_BODY, Hub

SCHEMAS = Path(__file__).resolve().parent.parent / "crm" / "wire" / "schemas"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
CONTENT_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
REVISION = "2.0"
_BASE = "http://iec.ch/TC57/2011"
_COMMON = f"{_BASE}/schema/message"
_OF_COMMON = ("Header", "Reply")
_CODES_12 = {"Client": "Sender", "Server": "Receiver"}
_schemas: dict[str, etree.XMLSchema] = {}
_lock = threading.Lock()

Message = dict[str, Any]


class NotSoapError(ValueError):
    """What came is no envelope with one element in its body."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One that was read: its version's namespace and the element in its body."""

    version: str
    element: "etree._Element"

    @property
    def name(self) -> str:
        """The element's name, without its namespace."""
        return str(etree.QName(self.element).localname)


def header(verb: str, noun: str, source: str, key: str, correlation: str = "") -> Message:
    """A header with all that seed 004 prints in bold; `key`: its MessageID, `correlation`: the same where ""."""
    return {
        "Verb": verb,
        "Noun": noun,
        "Revision": REVISION,
        "Timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "Source": source,
        "MessageID": key,
        "CorrelationID": correlation or key,
    }


def element(noun: str, name: str, content: Mapping[str, Any]) -> "etree._Element":
    """The message element `name` of a noun's schema; `content`: members in the schema's order, several as a list."""
    outer = f"{_BASE}/{noun}Message"
    made = etree.Element(f"{{{outer}}}{name}", nsmap={"m": outer, "c": _COMMON, "p": f"{_BASE}/{noun}#"})
    for part, members in content.items():
        inner = _COMMON if part in _OF_COMMON else f"{_BASE}/{noun}#"
        _fill(etree.SubElement(made, f"{{{outer}}}{part}"), members, inner)
    return made


def _fill(parent: "etree._Element", value: Any, namespace: str) -> None:
    if not isinstance(value, Mapping):
        parent.text = value if isinstance(value, str) else str(value).lower()
        return
    for name, given in value.items():
        several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        for one in several:
            _fill(etree.SubElement(parent, f"{{{namespace}}}{name}"), one, namespace)


def sealed(message: "etree._Element", version: str = SOAP_11) -> bytes:
    """The message in its envelope."""
    envelope = etree.Element(f"{{{version}}}Envelope", nsmap={"soap": version})
    etree.SubElement(envelope, f"{{{version}}}Body").append(message)
    content: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return content


def fault(version: str, code: str, text: str, detail: "etree._Element | None" = None) -> bytes:
    """A SOAP fault in its envelope. `code`: Client or Server, as SOAP 1.1 calls them."""
    made = etree.Element(f"{{{version}}}Fault")
    if version == SOAP_11:
        etree.SubElement(made, "faultcode").text = f"soap:{code}"
        etree.SubElement(made, "faultstring").text = text
        inner = "detail"
    else:
        said = etree.SubElement(etree.SubElement(made, f"{{{version}}}Code"), f"{{{version}}}Value")
        said.text = f"soap:{_CODES_12[code]}"
        reason = etree.SubElement(etree.SubElement(made, f"{{{version}}}Reason"), f"{{{version}}}Text")
        reason.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        reason.text = text
        inner = f"{{{version}}}Detail"
    if detail is not None:
        etree.SubElement(made, inner).append(detail)
    return sealed(made, version)


def opened(content: bytes) -> Envelope:
    """The envelope in these bytes. NotSoapError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise NotSoapError(f"It is not XML: {error.msg}") from None
    name = etree.QName(root)
    bodies = root.findall(f"{{{name.namespace}}}Body")
    if name.localname != "Envelope" or name.namespace not in CONTENT_TYPES or len(bodies) != 1:
        raise NotSoapError(f"It is a {name.localname}, and no envelope with one body")
    if len(bodies[0]) != 1:
        raise NotSoapError(f"The body has {len(bodies[0])} elements; it takes one")
    return Envelope(str(name.namespace), bodies[0][0])


def wrong(noun: str, message: "etree._Element") -> str:
    """Why a message is not valid by its noun's schema, "" where it is."""
    with _lock:  # a schema keeps the errors of its last validation
        if noun not in _schemas:
            _schemas[noun] = etree.XMLSchema(etree.parse(str(SCHEMAS / f"{noun}Message.xsd")))
        schema = _schemas[noun]
        # Parsed anew: what an element was cut out of has namespaces that its validation would not see.
        if schema.validate(etree.fromstring(etree.tostring(message))):
            return ""
        errors: Any = schema.error_log
        return str(errors.last_error.message)


def text_at(found: "etree._Element", path: str) -> str:
    """The text at a path of names, whatever their namespaces; "" where there is none."""
    one = found.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return (one.text or "").strip() if one is not None else ""


def all_at(found: "etree._Element", path: str) -> "list[etree._Element]":
    """The elements at a path of names, whatever their namespaces."""
    return list(found.findall("/".join(f"{{*}}{name}" for name in path.split("/"))))


def post(hub: Hub, service: str, message: "etree._Element", version: str = SOAP_11) -> Answered:
    """Send a message to a service of the hub; what came back, as it came."""
    try:
        answer = requests.post(
            f"{hub.url}/crm/soap/{service}",
            data=sealed(message, version),
            headers={"Content-Type": CONTENT_TYPES[version]},
            auth=(hub.client_id, hub.secret),
            timeout=hub.timeout,
        )
    except requests.RequestException as error:
        return Answered(None, f"{type(error).__name__}: {error}")
    return Answered(answer.status_code, answer.text[:LONGEST_BODY])


def reply_in(answer: Answered) -> "etree._Element | None":
    """The message element that an answer carries, None where it is a fault or no SOAP at all."""
    try:
        found = opened(answer.body.encode())
    except NotSoapError:
        return None
    return None if found.name == "Fault" else found.element


def reasons_in(reply: "etree._Element") -> str:
    """Result and reasons of a reply, in one line."""
    told = [f"{text_at(one, 'reason')}: {text_at(one, 'details')}" for one in all_at(reply, "Reply/Error")]
    return "; ".join([text_at(reply, "Reply/Result"), *told])
