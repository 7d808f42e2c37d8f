"""SOAP envelopes: reading one without trusting it, and writing replies and faults in the caller's version."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from crm.operations.base import Operation
from crm.soap.document import NotXml, parse
from crm.wire.types import MESSAGE, message_element
from crm.wire.writer import Names, escaped, write

if TYPE_CHECKING:
    from lxml import etree

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
VERSIONS = (SOAP_11, SOAP_12)
CONTENT_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
Plain = dict[str, Any]


class NotSoap(Exception):
    """What came is no envelope that can be read. `code`: the SOAP 1.1 fault code; `version`: the caller's, if known."""

    def __init__(self, text: str, *, code: str = "Client", version: str = SOAP_11) -> None:
        """`text`: for the caller."""
        super().__init__(text)
        self.text, self.code, self.version = text, code, version


@dataclass(frozen=True, slots=True)
class Envelope:
    """A read one: its version and the one element of its Body."""

    version: str
    message: "etree._Element"

    @property
    def name(self) -> str:
        """The message element's local name."""
        return str(self.message.tag).rpartition("}")[2]


def read_envelope(content: bytes, version: str = SOAP_11, charset: str = "") -> Envelope:
    """The envelope in these bytes; `version` and `charset`: what the content type says. NotSoap."""
    try:
        root = parse(content, charset)
    except NotXml as error:
        raise NotSoap(str(error), version=version) from None
    namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
    if name != "Envelope":
        raise NotSoap(f"The message is no SOAP envelope: its root is {name[:60]}", version=version)
    if namespace not in VERSIONS:
        raise NotSoap(
            "The envelope is of no SOAP version known here", code="VersionMismatch", version=version
        )
    _expect_understood(root, namespace)
    bodies = [one for one in root if one.tag == f"{{{namespace}}}Body"]
    if len(bodies) != 1 or _others(root, namespace):
        raise NotSoap(
            f"The envelope has {len(bodies)} Body elements, or others that do not belong there",
            version=namespace,
        )
    messages = list(bodies[0])
    if len(messages) != 1:
        raise NotSoap(f"The Body has {len(messages)} elements; it takes one message", version=namespace)
    # Left where it is: to take it out, lxml would look through its namespaces, which may be one an element.
    return Envelope(namespace, messages[0])


def _expect_understood(root: "etree._Element", namespace: str) -> None:
    """No header block is understood here, so none may insist on it."""
    for header in root.iterfind(f"{{{namespace}}}Header"):
        for block in header:
            insists = block.get(f"{{{namespace}}}mustUnderstand", "").strip() in ("1", "true")
            if insists and _is_for_us(block, namespace):
                name = str(block.tag).rpartition("}")[2][:60]
                raise NotSoap(
                    f"The header {name} must be understood, and is not",
                    code="MustUnderstand",
                    version=namespace,
                )


def _is_for_us(block: "etree._Element", namespace: str) -> bool:
    """Whether it is meant for whoever answers; others it may name stand between."""
    name = "actor" if namespace == SOAP_11 else "role"
    whom = block.get(f"{{{namespace}}}{name}", "").strip()
    return not whom or whom.endswith(("/next", "/ultimateReceiver"))


def _others(root: "etree._Element", namespace: str) -> bool:
    allowed = {f"{{{namespace}}}Header", f"{{{namespace}}}Body"}
    return any(one.tag not in allowed for one in root)


def reply_envelope(operation: Operation, document: Plain, version: str) -> bytes:
    """The reply's envelope."""
    return _envelope(version, _message(operation.answers_in, operation.answer_element, document))


def fault_envelope(
    version: str, code: str, text: str, operation: Operation | None = None, reply: Plain | None = None
) -> bytes:
    """A SOAP fault; with a Reply, its detail has the operation's fault message."""
    detail = ""
    if operation is not None and reply is not None:
        detail = _message(operation.answers_in, operation.fault_element, {"Reply": reply})
    return _envelope(version, (_fault_11 if version == SOAP_11 else _fault_12)(code, text, detail))


def _envelope(version: str, body: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{version}">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def _message(noun: str, name: str, document: Plain) -> str:
    member = message_element(noun, name)
    names, declared = _names(noun, name)
    out = [f"<m:{name}{declared}>"]
    if member.type is not None:
        write(document, member.type, names, out)
    out.append(f"</m:{name}>")
    return "".join(out)


@cache
def _names(noun: str, name: str) -> tuple[Names, str]:
    """The prefixes of a message element, and how it declares them."""
    member = message_element(noun, name)
    namespaces = {"m": member.tag[1:].partition("}")[0], "msg": MESSAGE}
    payload = member.type.by_name.get("Payload") if member.type else None
    if payload is not None and payload.type is not None:
        namespaces["p"] = payload.type.members[0].tag[1:].partition("}")[0]
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in namespaces.items())
    return Names(namespaces), declared


def _fault_11(code: str, text: str, detail: str) -> str:
    said = f"<faultcode>soap:{code}</faultcode><faultstring>{_clean(text)}</faultstring>"
    return f"<soap:Fault>{said}{f'<detail>{detail}</detail>' if detail else ''}</soap:Fault>"


_CODES_12 = {"Client": "Sender", "Server": "Receiver"}


def _fault_12(code: str, text: str, detail: str) -> str:
    said = (
        f"<soap:Code><soap:Value>soap:{_CODES_12.get(code, code)}</soap:Value></soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{_clean(text)}</soap:Text></soap:Reason>'
    )
    return f"<soap:Fault>{said}{f'<soap:Detail>{detail}</soap:Detail>' if detail else ''}</soap:Fault>"


def _clean(text: str) -> str:
    return escaped("".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text))
