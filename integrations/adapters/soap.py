"""SOAP: operations of a WSDL, called one at a time over pooled connections, document/literal.

A message is JSON on the hub's side: an object with the members of the operation's element. Requests and answers are
checked against the WSDL's own schemas, so that what is sent is always valid and what comes back can be relied on.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from lxml import etree
from requests import Response as HttpAnswer

from integrations.adapters.contract import Caller, Endpoint, Request, Response, TestStep
from integrations.adapters.errors import BadMessage, Misconfigured, Refused
from integrations.adapters.http_session import session_for
from integrations.adapters.rest_answers import http_errors, refused
from integrations.adapters.rest_auth import NONE, auth_headers, kind_of, token_rejected
from integrations.adapters.soap_answers import ENVELOPES, bad_answer, body_of
from integrations.adapters.soap_settings import SOAP_FIELDS, settings_problems, version_of, wsdl_name
from integrations.adapters.soap_wsdl import Operation, Wsdl, wsdl_of
from integrations.adapters.steps import Steps
from integrations.adapters.web_steps import address_steps

_Result = TypeVar("_Result")
_UNAUTHORIZED, _NOT_ALLOWED, _NOT_UP = 401, (401, 403, 407), 500
_OURS = (
    "authorization", "host", "content-length", "content-type", "transfer-encoding", "connection", "soapaction",
)  # fmt: skip


class Soap(Caller):
    """Operations of a SOAP service; its address is a setting, its WSDL one that is shipped with the hub."""

    name = "soap"
    label = "SOAP"
    catalog_at_target = False
    fields = SOAP_FIELDS

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is read or connected yet."""
        super().__init__(endpoint)
        self.url = str(endpoint.settings.get("url") or "").strip()

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        return settings_problems(endpoint)

    def operations(self) -> dict[str, str]:
        """Name → SOAP action, or the name again where the WSDL gives none; Misconfigured for an unusable WSDL."""
        return {name: operation.action or name for name, operation in self._operations(self._wsdl()).items()}

    def catalog_operations(self) -> dict[str, str]:
        """SOAP action → name: the operations of the WSDL, which is this connection's catalog."""
        return {action: name for name, action in self.operations().items()}

    def invoke(self, request: Request) -> Response:
        """Call one operation; the request's and the answer's bodies are JSON objects with its element's members.

        BadMessage, with nothing sent, where the request does not fit the WSDL; Refused for a fault or a status that
        is not 2xx; BadAnswer where the answer does not fit. A token that is no longer taken is renewed once.
        """
        wsdl = self._wsdl()
        operation = self._operation(wsdl, request.operation)
        headers = self._headers(operation, request)
        content = self._envelope(wsdl, operation, request)
        return self._with_token(lambda shown: self._call(wsdl, operation, content, {**headers, **shown}))

    def test(self) -> list[TestStep]:
        """Resolve, connect, TLS, log in, read the WSDL, ask whether the service is up."""
        steps = Steps()
        with steps.until_failure():
            address_steps(self.endpoint, self.url, steps)
            if kind_of(self.endpoint) != NONE:
                with steps.step("Log in") as said:
                    auth_headers(self.endpoint)
                    said.append(kind_of(self.endpoint))
            with steps.step("Read WSDL") as said:
                said.append(f"{len(self.operations())} operations")
            with steps.step("Call") as said:
                said.append(self._with_token(self._probe))
        return steps.done

    def _wsdl(self) -> Wsdl:
        return wsdl_of(wsdl_name(self.endpoint))

    def _operations(self, wsdl: Wsdl) -> Mapping[str, Operation]:
        return wsdl.operations[version_of(self.endpoint)]

    def _operation(self, wsdl: Wsdl, name: str) -> Operation:
        known = self._operations(wsdl)
        if name not in known:
            raise Misconfigured(
                f"{self.endpoint.name} has no operation {name!r}",
                hint=f"WSDL {wsdl_name(self.endpoint)!r} has {', '.join(known) or 'none that is document/literal'}.",
            )
        return known[name]

    def _headers(self, operation: Operation, request: Request) -> dict[str, str]:
        """The request's own HTTP headers and those of the SOAP version; Misconfigured where the two would meet."""
        for name in request.headers:
            if name.lower() in _OURS:
                raise Misconfigured(f"The header {name} is set by the connection, not by a flow")
        headers = {"User-Agent": "Busbar", "Accept": "application/soap+xml, text/xml", **request.headers}
        if version_of(self.endpoint) == "1.1":
            named = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.action}"'}
        else:
            action = f'; action="{operation.action}"' if operation.action else ""
            named = {"Content-Type": f"application/soap+xml; charset=utf-8{action}"}
        return {**headers, **named}

    def _envelope(self, wsdl: Wsdl, operation: Operation, request: Request) -> bytes:
        """The request's JSON as an envelope; BadMessage where the WSDL's schemas would not have it."""
        if request.path_values or request.query or request.stream is not None:
            raise BadMessage(
                f"{operation.name} is a SOAP operation: it takes a body, no path, query or stream"
            )
        element = wsdl.translator.element(operation.request, _json_in(request, operation))
        if reason := wsdl.validator.reason(element):
            raise BadMessage(
                f"{operation.name} cannot be sent: {reason}", hint="Mend the mapping or its data."
            )
        namespace = ENVELOPES[version_of(self.endpoint)]
        envelope = etree.Element(f"{{{namespace}}}Envelope", nsmap={"soap": namespace})
        etree.SubElement(envelope, f"{{{namespace}}}Body").append(element)
        return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")

    def _with_token(self, call: Callable[[dict[str, str]], _Result]) -> _Result:
        """The call, and once more with a new token where the first was refused with 401."""
        shown = auth_headers(self.endpoint)
        try:
            return call(shown)
        except Refused as error:
            if error.status != _UNAUTHORIZED or not token_rejected(self.endpoint, shown):
                raise
        return call(auth_headers(self.endpoint))

    def _call(self, wsdl: Wsdl, operation: Operation, content: bytes, headers: Mapping[str, str]) -> Response:
        endpoint, what = self.endpoint, f"{operation.name} at {self.url}"
        with http_errors(endpoint, what), self._send("POST", headers, content) as answer:
            came, element = body_of(answer, endpoint, what)
            if said := _trouble(wsdl, operation, element):
                raise bad_answer(said, answer, endpoint, came, what)
        body = b""
        if operation.answer is not None and element is not None:
            body = orjson.dumps(wsdl.translator.json(operation.answer, element))
        return Response(answer.status_code, answer.headers, body, "POST", self.url)

    def _probe(self, shown: Mapping[str, str]) -> str:
        """GET the address: services answer with their WSDL, or that they want a POST; both are up."""
        endpoint, what = self.endpoint, f"GET {self.url}"
        with http_errors(endpoint, what), self._send("GET", shown) as answer:
            if answer.status_code in _NOT_ALLOWED or answer.status_code >= _NOT_UP:
                raise refused(answer, endpoint, what)
            return f"{what} answered {answer.status_code}: it is up"

    def _send(self, method: str, headers: Mapping[str, str], content: bytes | None = None) -> HttpAnswer:
        endpoint = self.endpoint
        return session_for(endpoint).request(
            method,
            self.url,
            data=content,
            headers=headers,
            timeout=(endpoint.connect_timeout, endpoint.read_timeout),
            allow_redirects=False,
            stream=True,
        )


def _json_in(request: Request, operation: Operation) -> Any:
    try:
        return orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"The message for {operation.name} is not JSON: {error}") from error


def _trouble(wsdl: Wsdl, operation: Operation, element: "etree._Element | None") -> str:
    """What is wrong with an answer's element, to follow `… answered 200`; "" where it is as the WSDL has it."""
    if operation.answer is None:
        return ""
    expected = str(operation.answer.qname.text)
    if element is None:
        return f"with nothing, where the WSDL has {expected}"
    if element.tag != expected:
        return f"with {element.tag}, where the WSDL has {expected}"
    reason = wsdl.validator.reason(element)
    return f"with what its schema does not allow: {reason}" if reason else ""
