"""Faults as callers see them: one body for all, in the form the field's own systems answer with.

The form is that of Oracle's REST errors (`type`, `title`, `status` as a string, `detail`, `o:errorCode`,
`o:errorDetails`); docs/faults.md lists the codes.
"""

import math
from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from integrations.api.errors import (
    BadJson,
    BadRequest,
    Forbidden,
    NotFound,
    Unauthenticated,
    WrongMediaType,
    WrongMethod,
)
from integrations.engine.faults import Busy, Fault, fault_of

log = structlog.get_logger(__name__)
INSTANCE_HEADER = "X-Busbar-Instance"
# Seconds after which a caller may try again, where the fault itself does not say.
_WAITS = {"HUB-BUSY": 5, "HUB-STORE": 30, "HUB-INACTIVE": 300}
_RFC2616 = "http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10"
_NEWER = {
    422: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.21",
    429: "https://www.rfc-editor.org/rfc/rfc6585#section-4",
}
_CREDENTIALS = "The credentials are missing or not valid"


def fault_body(fault: Fault, instance: str = "") -> dict[str, Any]:
    """The JSON body of a fault; `instance` is the instance's id, "" where none came to be.

    An unforeseen fault's own words stay in the log: nobody has looked whether they may be shown.
    """
    text, hint = fault.text, fault.hint
    if fault.code == "HUB-BUG":
        text = "The hub met something it did not foresee"
        hint = "Give the instance, or the time of this call, to the hub's operators: the log has it."
    kind = _kind(fault.status)
    return {
        "type": kind,
        "title": fault.title,
        "status": str(fault.status),
        "detail": _sentences(text, hint),
        "instance": instance,
        "o:errorCode": fault.code,
        "o:errorDetails": _details(fault, kind, instance, text),
    }


def _sentences(text: str, hint: str) -> str:
    if not hint:
        return text
    return f"{text} {hint}" if text.endswith((".", "?", "!")) else f"{text}. {hint}"


def _details(fault: Fault, kind: str, instance: str, text: str) -> list[dict[str, Any]]:
    common = {"type": kind, "instance": instance, "o:errorPath": fault.step, "o:errorCode": fault.code}
    first: dict[str, Any] = {**common, "title": text}
    if fault.connection and fault.code != "HUB-BUG":
        first["connection"] = fault.connection
    if fault.target_status:
        first["targetStatus"] = fault.target_status
    return [common | {"title": text} | detail for detail in fault.details] or [first]


def _kind(status: int) -> str:
    """Where the status is explained; the field's systems name RFC 2616's sections."""
    return _NEWER.get(status) or f"{_RFC2616}.{status // 100}.{status % 100 + 1}"


def fault_response(fault: Fault, instance: str = "") -> Response:
    """The whole answer: status, body, X-Busbar-Instance and Retry-After where there is one to give."""
    headers = {INSTANCE_HEADER: instance} if instance else {}
    wait = fault.retry_after if fault.retry_after is not None else _WAITS.get(fault.code)
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    return Response(fault_body(fault, instance), status=fault.status, headers=headers)


def answer_exception(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's EXCEPTION_HANDLER: any exception of a view as a fault body; none gets by as HTML."""
    instance = str(getattr(context.get("view"), "instance_id", "") or getattr(error, "instance_id", "") or "")
    fault = _fault(error)
    if fault.code == "HUB-BUG":
        log.error("call_failed_unforeseen", instance=instance, exc_info=error)
    response = fault_response(fault, instance)
    if isinstance(error, exceptions.APIException) and getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]  # views set it
    return response


def _fault(error: Exception) -> Fault:
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database_unavailable", error=str(error).strip())
        return Busy("The hub's database is not available at the moment", hint="Send the same again later.")
    if isinstance(error, exceptions.APIException):
        return _framework_fault(error)
    if isinstance(error, Http404):
        return _here("")
    if isinstance(error, PermissionDenied):
        return Forbidden("This is not permitted")
    if isinstance(error, SuspiciousOperation):
        return BadRequest("The request's parameters are too many or not valid")
    return fault_of(error)


def _framework_fault(error: exceptions.APIException) -> Fault:
    """REST framework's own exceptions, each as one of ours."""
    for kind, make in _FRAMEWORK.items():
        if isinstance(error, kind):
            return make(str(error.detail))
    return BadRequest(f"{error.default_code}: {error.detail}", status=error.status_code)


def _here(_text: str) -> Fault:
    return NotFound("There is nothing here", hint="Check the address and the id.")


_FRAMEWORK: dict[type[exceptions.APIException], Callable[[str], Fault]] = {
    exceptions.NotAuthenticated: lambda _: Unauthenticated(_CREDENTIALS),
    exceptions.AuthenticationFailed: lambda _: Unauthenticated(_CREDENTIALS),
    exceptions.PermissionDenied: Forbidden,
    exceptions.NotFound: _here,
    exceptions.MethodNotAllowed: WrongMethod,
    exceptions.UnsupportedMediaType: lambda text: WrongMediaType(text, hint="Send application/json."),
    exceptions.ParseError: BadJson,
}
