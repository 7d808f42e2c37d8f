"""integrations: the flows there are, switched on and off."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of
from integrations.api.criteria import choice, criteria_of, named
from integrations.api.design_shapes import integration_shape, spec_of
from integrations.api.errors import BadRequest
from integrations.api.monitoring import MonitoringView, need, order_of, parameters_of, project_packages
from integrations.api.paging import PAGING, page_of
from integrations.engine.faults import Conflict
from integrations.models import Flow
from integrations.services.flow_switch import FlowNotReady, flow_activate, flow_deactivate, flow_trace

VIEW, ACTIVATE, TRACE = "integrations.view_flow", "integrations.activate_flow", "integrations.trace_flow"
STATUSES = ("ACTIVATED", "CONFIGURED")
CRITERIA = frozenset({"name", "code", "version", "status", "projectCode"})
ORDERS = {"name": ("name", "pk"), "time": ("-updated_at", "pk"), "code": ("identifier",)}
PRECONDITION = 412


def flows_of(view: MonitoringView) -> "QuerySet[Flow]":
    """The flows the code has, of the project in the address where it names one."""
    rows = Flow.objects.filter(present=True)
    packages = view.packages
    return rows if packages is None else rows.filter(package__in=packages)


def flow_or_404(view: MonitoringView, integration_id: str) -> Flow:
    """By CODE|VERSION, or by its code alone; 1.0 is any version, as in the flows' own addresses."""
    code, _, version = integration_id.partition("|")
    flow = flows_of(view).filter(identifier__iexact=code).first()
    if flow is None or (version and version not in (flow.version, "1.0")):
        raise Http404
    return flow


class IntegrationsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="integrations_list",
        summary="List the flows",
        tags=["Design"],
        parameters=documents.INTEGRATION_QUERY,
        responses=documents.answers(documents.IntegrationPage),
    )
    def get(self, request: Request) -> Response:
        """A page of flows, by package and identifier unless orderBy says otherwise."""
        parameters = parameters_of(request, PAGING | {"q", "orderBy", "status", "expand", "return"})
        rows = _filtered(flows_of(self), parameters)
        order = choice(parameters, "orderBy", ("", *ORDERS))
        if order:
            rows = rows.order_by(*ORDERS[order])
        expand = _expansions(parameters)
        return Response(page_of(request, rows, parameters, lambda row: _shape(request, row, expand)))


class IntegrationView(MonitoringView):
    """One flow."""

    rights = {"GET": VIEW, "PATCH": ACTIVATE}

    @extend_schema(
        operation_id="integrations_get",
        summary="One flow",
        tags=["Design"],
        parameters=[documents.INTEGRATION_ID, *documents.EXPAND_INTEGRATION],
        responses=documents.answers(documents.IntegrationDocument, missing=True),
    )
    def get(self, request: Request, integration_id: str) -> Response:
        """By CODE|VERSION, or by its code alone."""
        parameters = parameters_of(request, frozenset({"expand"}))
        flow = flow_or_404(self, integration_id)
        return Response(_shape(request, flow, _expansions(parameters)))

    @extend_schema(
        operation_id="integrations_switch",
        summary="Activate or deactivate a flow",
        description="Also as POST with the header X-HTTP-Method-Override: PATCH, as OIC's clients send it. A flow that "
        "lacks a connection or property is not activated: 412, each thing that is missing in o:errorDetails.",
        tags=["Design"],
        parameters=[documents.INTEGRATION_ID, *documents.ACTIVATION_QUERY],
        request=documents.SwitchRequest,
        responses=documents.answers(documents.IntegrationDocument, missing=True, also=(412,)),
    )
    def patch(self, request: Request, integration_id: str) -> Response:
        """`status` ACTIVATED or CONFIGURED; OIC's tracing flags set the tracing level."""
        fields = {"status": str, "tracingEnabledFlag": bool, "payloadTracingEnabledFlag": bool}
        order = order_of(request, fields, parameters=frozenset({"enableAsyncActivationMode"}))
        flow = flow_or_404(self, integration_id)
        if not order:
            raise BadRequest("Nothing is said to change", hint='{"status":"ACTIVATED"} or "CONFIGURED"')
        status = choice(order, "status", (flow_status(flow), *STATUSES))
        if "payloadTracingEnabledFlag" in order:
            need(request, self, TRACE)
            level = Flow.Tracing.AUDIT if order["payloadTracingEnabledFlag"] else Flow.Tracing.PRODUCTION
            flow_trace(flow=flow, level=level, actor=actor_of(request))
        if "status" in order:
            _switch(flow, status, actor_of(request))
        return Response(_shape(request, flow, ()))


class ActivationStatusView(MonitoringView):
    """Whether it is switched on."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="integrations_activation_status",
        summary="Whether a flow is active",
        tags=["Design"],
        parameters=[documents.INTEGRATION_ID],
        responses=documents.answers(documents.ActivationStatus, missing=True),
    )
    def get(self, request: Request, integration_id: str) -> Response:
        """ACTIVATED or CONFIGURED: there is no time between, as switching takes none."""
        parameters_of(request)
        return Response({"activationStatus": flow_status(flow_or_404(self, integration_id))})


def flow_status(flow: Flow) -> str:
    """OIC's word."""
    return "ACTIVATED" if flow.active else "CONFIGURED"


def _switch(flow: Flow, status: str, actor: str) -> None:
    if status == flow_status(flow):
        return
    if status == "CONFIGURED":
        flow_deactivate(flow=flow, actor=actor)
        return
    try:
        flow_activate(flow=flow, actor=actor)
    except FlowNotReady as missing:
        details = [{"title": problem} for problem in missing.problems]
        raise Conflict(str(missing), status=PRECONDITION, details=details) from None


def _filtered(rows: "QuerySet[Flow]", parameters: dict[str, str]) -> "QuerySet[Flow]":
    criteria = criteria_of(parameters.get("q", ""), CRITERIA)
    for name, column in (("name", "name"), ("code", "identifier"), ("version", "version")):
        if name in criteria:
            rows = rows.filter(named(column, criteria[name]))
    if "projectCode" in criteria:
        rows = rows.filter(package__in=project_packages(criteria["projectCode"]))
    for given in (parameters, criteria):
        if "status" in given:
            rows = rows.filter(active=choice(given, "status", STATUSES) == "ACTIVATED")
    return rows


def _expansions(parameters: dict[str, str]) -> tuple[str, ...]:
    named_ones = [one.strip() for one in parameters.get("expand", "").split(",") if one.strip()]
    return tuple(
        choice({"expand": one}, "expand", ("connection", "connection.agent", "schedule"))
        for one in named_ones
    )


def _shape(request: Request, flow: Flow, expand: tuple[str, ...]) -> dict[str, Any]:
    return integration_shape(request, flow, spec_of(flow), expand=expand)
