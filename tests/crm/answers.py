"""What came back, whatever was sent: a reply, or a fault that says what is wrong; anything else is an error here."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.test.client import ClientHandler
from lxml import etree

from crm.operations.registry import operation_named
from tests.crm.conftest import SOAP_11, SOAP_12, Crm, Plain, Said, header, read, ticket

CREATED = "CreatedTroubleTickets"
RECEIVE = "ReceiveTroubleTickets"
TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
MIB = 1024 * 1024


def reply(operation: str, answer: Any) -> Said:
    """The reply in it, valid against our schema."""
    version = SOAP_12 if answer["Content-Type"] == TYPES[SOAP_12] else SOAP_11
    return read(operation, answer.status_code, answer.content, version=version)


def fault_text(answer: Any, status: int = 400) -> str:
    """The text of the SOAP fault, or of the hub's own one, that it has to be, with this status."""
    _expect_no_page(answer.content)
    assert answer.status_code == status, answer.content[:500]
    if answer["Content-Type"] == "application/json":
        return str(orjson.loads(answer.content)["detail"])
    assert answer["Content-Type"] in TYPES.values()
    root = etree.fromstring(answer.content)
    found = root.find(".//faultstring")
    if found is None:
        found = root.find(f".//{{{SOAP_12}}}Text")
    assert found.text
    return str(found.text)


def verdict(operation: str, answer: Any) -> str:
    """How it was answered: the Result, or `fault` for a fault that is the caller's; nothing else may come."""
    _expect_no_page(answer.content)
    if answer.status_code != 200:
        assert 400 <= answer.status_code < 500, answer.content[:500]
        assert fault_text(answer, answer.status_code)
        return "fault"
    if answer["Content-Type"] == "application/json":
        said = Said(200, orjson.loads(answer.content))
        assert said.document["Header"]["Noun"] == operation_named(operation).replies
    else:
        said = reply(operation, answer)
    assert said.result in ("OK", "PARTIAL", "FAILED")
    assert said.errors or said.result == "OK"
    return said.result


def _expect_no_page(content: bytes) -> None:
    assert not content.lstrip().lower().startswith((b"<!doctype", b"<html"))
    assert b"Traceback" not in content


def rest(crm: Crm, operation: str, content: Any, **more: Any) -> Any:
    """POST bytes or a document as JSON; Django's response."""
    given = content if isinstance(content, bytes) else orjson.dumps(content)
    path = f"/api/crm/v1/{operation}"
    return crm.http.post(path, given, content_type="application/json", **crm.login, **more)


class Stream:
    """A request's body that is made as it is read, and counts what was taken of it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """`pieces`: the body."""
        self._pieces, self._rest, self.taken = pieces, b"", 0

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes, as a web server gives them."""
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        found, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(found)
        return found

    def readline(self, size: int = -1) -> bytes:
        """Nobody reads a body by lines: it may have none."""
        raise AssertionError(size)


def streamed(crm: Crm, path: str, body: Stream, kind: str, **environ: Any) -> Any:
    """POST a body that nobody holds, to the hub's own handler of requests."""
    return ClientHandler()(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "CONTENT_TYPE": kind,
            **crm.login,
            **environ,
        }
    )


def tickets(*given: Plain) -> Plain:
    """A payload with these tickets."""
    return {"Payload": {"TroubleTickets": {"TroubleTicket": list(given)}}}


def created(**more: Any) -> Plain:
    """A message with one ticket."""
    payload = {"TroubleTickets": {"TroubleTicket": [ticket(name="EXT-1")]}}
    return {"Header": header(CREATED, **more), "Payload": payload}


def wrapped(*messages: Any, version: str = SOAP_11, head: str = "") -> bytes:
    """An envelope around elements or text."""
    inner = "".join(one if isinstance(one, str) else etree.tostring(one).decode() for one in messages)
    return f'<s:Envelope xmlns:s="{version}">{head}<s:Body>{inner}</s:Body></s:Envelope>'.encode()


def soap_fault(answer: Any, status: int, code: str, version: str = SOAP_11) -> str:
    """The fault's text, in the version and content type it has to come in."""
    assert (answer.status_code, answer["Content-Type"]) == (status, TYPES[version]), answer.content
    root: Any = etree.fromstring(answer.content)
    assert root.tag == f"{{{version}}}Envelope"
    (found,) = root.find(f"{{{version}}}Body")
    assert found.tag == f"{{{version}}}Fault"
    if version == SOAP_11:
        prefix, _, local = found.findtext("faultcode").partition(":")
        text: str = found.findtext("faultstring")
    else:
        value = found.findtext(f"{{{version}}}Code/{{{version}}}Value")
        prefix, _, local = value.partition(":")
        text = found.findtext(f"{{{version}}}Reason/{{{version}}}Text")
    assert (found.nsmap[prefix], local) == (version, code)
    return text
