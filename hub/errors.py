"""Errors outside any view's own handling: fault bodies for callers, self-contained pages for people."""

from http import HTTPStatus

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.api.errors import BadRequest, Forbidden, NotFound
from integrations.api.faults import fault_body
from integrations.api.json import dumps
from integrations.engine.faults import Fault

# Addresses that programs call; everything else is a person's browser.
API_PATHS = ("/ic/", "/api/", "/o/", "/crm/", "/healthz", "/readyz", "/metrics")


def is_api(request: HttpRequest) -> bool:
    """Whether a fault body is what this caller reads."""
    return request.path.startswith(API_PATHS)


def fault_answer(fault: Fault) -> HttpResponse:
    """A fault body (contract, "Inbound REST"), for what fails before or after the API's own handling."""
    return HttpResponse(dumps(fault_body(fault)), status=fault.status, content_type="application/json")


def _answer(request: HttpRequest, fault: Fault) -> HttpResponse:
    if is_api(request):
        return fault_answer(fault)
    context = {"status": fault.status, "title": HTTPStatus(fault.status).phrase, "detail": f"{fault.text}."}
    return render(request, f"{fault.status}.html", context, status=fault.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: SuspiciousOperation and its like, e.g. a host name that is not in ALLOWED_HOSTS."""
    text = "The request could not be read; check its address and its fields"
    if isinstance(exception, DisallowedModelAdminLookup):
        text = "The list has no filter of the kind in the address; open it anew and use those beside it"
    return _answer(request, BadRequest(text))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: a permission or role is missing."""
    return _answer(request, Forbidden("This is not permitted to you; an administrator gives roles"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no address, or no row."""
    return _answer(request, NotFound("There is nothing at this address; it may have been removed"))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a mistake of ours. No query is made for the page, as the database may be what failed."""
    text = "The hub met something it did not foresee; the log has it, under the time of this answer"
    return _answer(request, Fault(text, code="HUB-BUG"))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form sent from elsewhere, or after the log-in it belonged to ended."""
    return _answer(request, Forbidden("The form is out of date: go back, load the page again and repeat"))
