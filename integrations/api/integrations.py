"""integrations: the flows there are."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.errors import BadRequest
from integrations.api.monitoring import MonitoringView, page_of, parameters_of
from integrations.api.shapes import integration_shape
from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.models import Flow

VIEW = "integrations.view_flow"


class IntegrationsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="integrations_list",
        summary="List the flows",
        tags=["Design"],
        parameters=[*documents.PAGING, *documents.INTEGRATION_QUERY],
        responses=documents.answers(documents.IntegrationPage),
    )
    def get(self, request: Request) -> Response:
        """A page of flows, by package and identifier."""
        parameters = parameters_of(request, frozenset({"limit", "offset", "status"}))
        rows = Flow.objects.filter(present=True)
        status = parameters.get("status")
        if status is not None:
            if status not in ("ACTIVATED", "CONFIGURED"):
                raise BadRequest(f"The parameter status is {status[:40]!r}; it is ACTIVATED or CONFIGURED")
            rows = rows.filter(active=status == "ACTIVATED")
        return Response(
            page_of(request, rows, parameters, lambda row: integration_shape(request, row, _spec(row)))
        )


class IntegrationView(MonitoringView):
    """One flow."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="integrations_get",
        summary="One flow",
        tags=["Design"],
        parameters=[
            OpenApiParameter(
                "integration_id", str, OpenApiParameter.PATH, description="CODE|VERSION, the | as %7C."
            )
        ],
        responses=documents.answers(documents.IntegrationDocument, missing=True),
    )
    def get(self, request: Request, integration_id: str) -> Response:
        """By CODE|VERSION, or by its code alone."""
        parameters_of(request)
        code, _, version = integration_id.partition("|")
        flow = Flow.objects.filter(identifier__iexact=code, present=True).first()
        if flow is None or (version and version not in (flow.version, "1.0")):
            raise Http404
        return Response(integration_shape(request, flow, _spec(flow)))


def _spec(flow: Flow) -> FlowSpec | None:
    try:
        return spec_for(flow.identifier)
    except UnknownFlow:
        return None
