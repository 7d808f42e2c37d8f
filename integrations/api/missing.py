"""Addresses under /ic/api/integration/ where there is nothing: a fault body, not a page."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from integrations.api.errors import NotFound
from integrations.api.faults import fault_body
from integrations.api.json import dumps

_FORMS = (
    "/ic/api/integration/v1/flows/{rest|oracleutilities}/{IDENTIFIER}/1.0/{resource}",
    "/ic/api/integration/v2/flows/{rest|oracleutilities}/project/{PROJECT}/{IDENTIFIER}/1.0/{resource}",
)


@csrf_exempt  # nothing is changed, and a program that took a wrong address shall read why
def missing(request: HttpRequest) -> HttpResponse:
    """404 for any method; who looks for a flow is shown the forms its address has."""
    about_flows = "/flows/" in request.path
    hint = f"A flow answers at {' or '.join(_FORMS)}." if about_flows else "/docs/api/ lists what there is."
    body = fault_body(NotFound("There is nothing at this address", hint=hint))
    return HttpResponse(dumps(body), status=404, content_type="application/json")
