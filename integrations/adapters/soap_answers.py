"""What comes back from a SOAP target: the envelope opened, faults put into words, anything else a BadAnswer."""

from dataclasses import dataclass
from typing import Any

import requests
from lxml import etree

from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import BadAnswer, Refused
from integrations.adapters.rest_answers import REFUSAL_KEPT, SHOWN, read_body, refused
from integrations.adapters.rest_settings import largest_answer
from integrations.adapters.scrub import scrub, scrub_bytes

ENVELOPES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
# Codes that say the message was at fault: the same one sent again is refused again.
_OURS = ("Client", "Sender", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown")
_THEIRS = ("Server", "Receiver")
_TRY_LATER = (408, 425, 429)


class NoSoap(ValueError):
    """What came is not SOAP; the text says why."""


@dataclass(frozen=True, slots=True)
class SoapFault:
    """A fault of either version: its code, what it says, the texts of its detail."""

    code: str
    reason: str
    detail: str


def body_of(
    answer: requests.Response, endpoint: Endpoint, what: str
) -> "tuple[bytes, etree._Element | None]":
    """The answer as it came and the element in its body, None where there is none.

    Refused for a fault or any status that is not 2xx, BadAnswer for what is no SOAP.
    """
    if not 200 <= answer.status_code < 300:  # noqa: PLR2004  (the class of successes)
        error = refused(answer, endpoint, what)
        raise _with_fault(error, _fault_in(error.body), endpoint, what)
    content = read_body(answer, endpoint, largest_answer(endpoint), what)
    try:
        element = opened(content) if content.strip() else None
    except NoSoap as error:
        raise bad_answer(f"with what is no SOAP: {error}", answer, endpoint, content, what) from error
    if element is not None and (fault := _fault(element)):
        kept = scrub_bytes(content[:REFUSAL_KEPT], endpoint)
        raise _with_fault(Refused(what, status=answer.status_code, body=kept), fault, endpoint, what)
    return content, element


def bad_answer(
    said: str, answer: requests.Response, endpoint: Endpoint, content: bytes, what: str
) -> BadAnswer:
    """The error for an answer that cannot be used; `said` goes on after `… answered 200`."""
    return BadAnswer(
        scrub(f"{what} answered {answer.status_code} {said}", endpoint)[: 2 * SHOWN],
        status=answer.status_code,
        body=scrub_bytes(content[:REFUSAL_KEPT], endpoint),
        hint="Whether the target did what it was asked is not known: look there before you send it again.",
    )


def opened(content: bytes) -> "etree._Element | None":
    """The element in the envelope's body, None in an empty one; NoSoap. Nothing it refers to is looked up."""
    parser: Any = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise NoSoap(f"it is not XML ({error.msg})") from error
    if root.getroottree().docinfo.doctype:
        raise NoSoap("it has a DOCTYPE, which is not read")
    name = etree.QName(root)
    if name.localname != "Envelope" or name.namespace not in ENVELOPES.values():
        raise NoSoap(f"it is a {name.text}, not an envelope")
    body = root.find(f"{{{name.namespace}}}Body")
    if body is None:
        raise NoSoap("its envelope has no body")
    return body[0] if len(body) else None


def _fault_in(content: bytes) -> SoapFault | None:
    """The fault in a refusal's body; None where that is something else, an HTML page for example."""
    try:
        element = opened(content) if content.strip() else None
    except NoSoap:
        return None
    return _fault(element) if element is not None else None


def _fault(element: "etree._Element") -> SoapFault | None:
    name = etree.QName(element)
    if name.localname != "Fault" or name.namespace not in ENVELOPES.values():
        return None
    if name.namespace == ENVELOPES["1.2"]:
        code, reason, detail = "{*}Code/{*}Value", "{*}Reason/{*}Text", "{*}Detail"
    else:
        code, reason, detail = "{*}faultcode", "{*}faultstring", "{*}detail"
    return SoapFault(
        _words(element.find(code)) or "without a code",
        _words(element.find(reason)) or "it does not say why",
        _words(element.find(detail)),
    )


def _words(element: "etree._Element | None") -> str:
    """All texts in the element, in one line."""
    if element is None:
        return ""
    texts = (" ".join(str(text).split()) for text in element.itertext())
    return "; ".join(text for text in texts if text)


def _with_fault(error: Refused, fault: SoapFault | None, endpoint: Endpoint, what: str) -> Refused:
    """The refusal in the fault's words; the fault's code says whether another try may help."""
    if fault is None:
        return error
    reason, detail = (scrub(text, endpoint)[:SHOWN] for text in (fault.reason, fault.detail))
    text = f"{what} answered {error.status} with the fault {fault.code[:SHOWN]}: {reason}"
    made = Refused(
        f"{text} ({detail})" if detail else text,
        status=error.status,
        body=error.body,
        retry_after=error.retry_after,
        hint=error.hint,
    )
    code = fault.code.rpartition(":")[2].partition(".")[0]
    if code in _OURS and error.status not in _TRY_LATER:
        made.passing = False
    elif code in _THEIRS:
        made.passing = True
    return made
