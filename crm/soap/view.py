"""POST a SOAP message to a service; GET its WSDL and schemas (contract, "CRM")."""

from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from crm.config import config
from crm.operations.base import Operation
from crm.operations.problems import Problems
from crm.operations.registry import operation_named, operations_of, service_named
from crm.services.caller import expect_may_call
from crm.services.message_receive import Replayed, StandbySite, message_receive
from crm.soap.envelope import (
    CONTENT_TYPES,
    SOAP_11,
    SOAP_12,
    Envelope,
    NotSoap,
    fault_envelope,
    read_envelope,
    reply_envelope,
)
from crm.soap.wsdl import schema_bytes, wsdl_bytes
from integrations.api.auth import CHALLENGE, CallerAuthentication
from integrations.api.body import BodyStream, read_bounded
from integrations.api.errors import BadMultipart, BodyCut, TooLarge
from integrations.api.message import body_limit
from integrations.api.multipart import header_parameters
from integrations.models import Client
from lookups.errors import LookupFault

log = structlog.get_logger(__name__)
XML = "text/xml; charset=utf-8"
STANDBY = "This site is on standby; send to the active one"
UNFORESEEN = "The hub met something it did not foresee; give its operators the time of this call"
SEND = "send text/xml for SOAP 1.1, application/soap+xml for SOAP 1.2"
_XML_TYPES = ("", "text/xml", "application/xml")
_UNAUTHORIZED, _FORBIDDEN, _MEDIA_TYPE, _BUSY_SECONDS = 401, 403, 415, 5


class Refusal(Exception):
    """A fault to answer with."""

    def __init__(self, status: int, code: str, text: str) -> None:
        """`code`: of SOAP 1.1."""
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


class ServiceView(APIView):
    """One service: its WSDL to anybody, its operations to those who may call them."""

    authentication_classes: list[Any] = []  # asked for by `post` alone: the WSDL is public
    permission_classes: list[Any] = []
    schema = None
    http_method_names = ["get", "post", "head"]

    def get(self, request: Request, service: str) -> HttpResponse:
        """The WSDL, asked for by ?wsdl."""
        name = _service(service)
        if "wsdl" not in {key.lower() for key in request._request.GET}:
            text = f"{name}: POST a SOAP message here; the WSDL is at ?wsdl\n"
            return HttpResponse(text, content_type="text/plain; charset=utf-8")
        address = request._request.build_absolute_uri(request.path)
        return HttpResponse(wsdl_bytes(name, address), content_type=XML)

    def post(self, request: Request, service: str) -> HttpResponse:
        """The reply, or a fault; never anything but an envelope."""
        version = _version(request._request)
        operation: Operation | None = None
        try:
            name = _service(service)
            caller = _caller(request)
            charset = _expect_xml(request._request)
            envelope = read_envelope(_content(request._request, name), version, charset)
            version = envelope.version
            operation = _operation(name, envelope)
            expect_may_call(caller, operation.name)
            reply = message_receive(
                operation=operation, message=envelope.message, client=caller, transport="soap"
            )
            return _answer(200, reply_envelope(operation, reply.document, version), version)
        except NotSoap as error:
            return _fault(400, error.code, error.text, error.version)
        except Refusal as error:
            return _fault(error.status, error.code, error.text, version)
        except Exception as error:  # noqa: BLE001  (a caller of SOAP gets a fault whatever happens)
            return _unable(error, version, operation)


class SchemaView(APIView):
    """A schema beside the WSDL that imports it."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    schema = None
    http_method_names = ["get", "head"]

    def get(self, request: Request, name: str, service: str = "") -> HttpResponse:
        """The file of this name; they are the same for all services."""
        content = schema_bytes(name)
        if content is None:
            raise Http404
        return HttpResponse(content, content_type=XML)


def _service(name: str) -> str:
    found = service_named(name)
    if found is None:
        raise Http404
    return found


def _version(request: HttpRequest) -> str:
    """The version of the caller's content type, which a fault is answered in before the envelope was read."""
    kind = request.META.get("CONTENT_TYPE", "").lower()
    return SOAP_12 if kind.startswith("application/soap+xml") else SOAP_11


def _caller(request: Request) -> Client:
    try:
        found = CallerAuthentication().authenticate(request)
    except exceptions.AuthenticationFailed:
        found = None
    caller = found[0] if found else None
    if not isinstance(caller, Client):
        raise Refusal(_UNAUTHORIZED, "Client", "The credentials are missing or not valid")
    return caller


def _expect_xml(request: HttpRequest) -> str:
    """The charset that the content type names; Refusal where the body is not XML, or packed."""
    packed = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if packed not in ("", "identity"):
        raise Refusal(
            _MEDIA_TYPE, "Client", f"Content-Encoding {packed[:60]} is not read here; send it unpacked"
        )
    given = request.META.get("CONTENT_TYPE", "")
    try:
        kind, parameters = header_parameters(given)
    except BadMultipart:
        kind, parameters = given, {}
    if kind not in _XML_TYPES and not kind.endswith("+xml"):
        text = f"The content type {given[:60]!r} is not read here; {SEND}"
        raise Refusal(_MEDIA_TYPE, "Client", text)
    return parameters.get("charset", "")


def _content(request: HttpRequest, service: str) -> bytes:
    try:
        return read_bounded(BodyStream(request), body_limit(service))
    except TooLarge as error:
        raise Refusal(413, "Client", f"{error.text}. {error.hint}") from None
    except BodyCut as error:
        raise Refusal(400, "Client", error.text) from None


def _operation(service: str, envelope: Envelope) -> Operation:
    operation = operation_named(envelope.name)
    if operation is None or operation.service != service:
        known = ", ".join(one.name for one in operations_of(service))
        text = f"{envelope.name[:60]} is no operation of {service}; it has {known}"
        raise NotSoap(text, version=envelope.version)
    return operation


def _unable(error: Exception, version: str, operation: Operation | None) -> HttpResponse:
    """Everything that is no message's fault: standby, replay, a database that is away, the unforeseen."""
    if isinstance(error, Http404):
        return _fault(404, "Client", "There is no such service here", version)
    if isinstance(error, Replayed):
        return _fault(_UNAUTHORIZED, "Client", f"The message was refused as a replay: {error}", version)
    if isinstance(error, exceptions.PermissionDenied):
        return _fault(_FORBIDDEN, "Client", str(error.detail), version)
    if isinstance(error, StandbySite):
        return _internal(500, STANDBY, version, operation)
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database_unavailable", error=str(error).strip())
        response = _internal(
            503, "The hub's database is not available; send it again later", version, operation
        )
        response["Retry-After"] = str(_BUSY_SECONDS)
        return response
    return _internal(500, cause_of(error), version, operation)


def cause_of(error: Exception) -> str:
    """What a caller is told of a failure that is not theirs; the log has all of it."""
    log.error("crm_message_failed", exc_info=error)
    if isinstance(error, LookupFault):  # a list or setting that an admin has to mend
        return str(error)
    return UNFORESEEN


def _internal(status: int, text: str, version: str, operation: Operation | None) -> HttpResponse:
    """The fault message InternalServerError (table 5.1, unable to process the request)."""
    reply = None
    if operation is not None:
        reply = {"Result": "FAILED", "Error": [internal_error(operation, text)]}
    return _answer(status, fault_envelope(version, "Server", text, operation, reply), version)


def internal_error(operation: Operation, text: str) -> dict[str, str]:
    """The Error entry of a fault message; as it is shipped where even the lists cannot be read."""
    try:
        problems = Problems(operation.name, config())
        problems.add("InternalServerError", value=text)
        return problems.entries()[0]
    except Exception:  # noqa: BLE001  (what failed may be what the lists are kept in)
        return {"code": "5.3", "level": "FATAL", "reason": "InternalServerError", "details": f"{text}."}


def _fault(status: int, code: str, text: str, version: str) -> HttpResponse:
    response = _answer(status, fault_envelope(version, code, text), version)
    if status == _UNAUTHORIZED:
        response["WWW-Authenticate"] = CHALLENGE
    return response


def _answer(status: int, content: bytes, version: str) -> HttpResponse:
    return HttpResponse(content, status=status, content_type=CONTENT_TYPES[version])
