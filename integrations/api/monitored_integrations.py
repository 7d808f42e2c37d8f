"""monitoring/integrations: how the flows are doing, by number."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from integrations.api import documents
from integrations.api.criteria import choice, criteria_of, named, window_start
from integrations.api.design_shapes import spec_of
from integrations.api.monitoring import MonitoringView, links_to, parameters_of, project_packages
from integrations.api.paging import PAGING, list_page
from integrations.api.shapes import moment, project_of
from integrations.models import Flow
from integrations.services.flow_counts import FlowCounts, flow_counts

VIEW = "integrations.view_instance"
CRITERIA = frozenset({"timewindow", "code", "name", "version", "status", "projectCode"})
MEP = {
    Flow.Pattern.SYNCHRONOUS: "SYNC_REQUEST_RESPONSE",
    Flow.Pattern.CHILD: "SYNC_REQUEST_RESPONSE",
    Flow.Pattern.LOCAL: "SYNC_REQUEST_RESPONSE",
    Flow.Pattern.ASYNCHRONOUS: "ASYNC_ONE_WAY",
    Flow.Pattern.FILE: "SCHEDULED",
}


class MonitoredIntegrationsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="monitoring_integrations_list",
        summary="How many messages each flow received, processed, and with which end",
        tags=["Monitoring"],
        parameters=documents.MONITORED_QUERY,
        responses=documents.answers(documents.MonitoredPage),
    )
    def get(self, request: Request) -> Response:
        """A page of flows with their counters over q's timewindow, an hour unless it says another."""
        parameters = parameters_of(request, PAGING | {"q", "orderBy", "return"})
        criteria = criteria_of(parameters.get("q", ""), CRITERIA)
        window = criteria.get("timewindow", "1h")
        counts = flow_counts(since=window_start(window))
        by_errors = choice(parameters, "orderBy", ("name", "errors")) == "errors"
        flows = _flows(criteria)
        items = [_shape(request, flow, counts) for flow in flows]
        if by_errors:
            items.sort(key=lambda item: -item["noOfErrors"])
        return Response(
            list_page(request, items, parameters)
            | {"timeWindow": window, "dataFetchTime": moment(counts.at), "isDataAccurate": counts.exact}
        )


def _flows(criteria: dict[str, str]) -> list[Flow]:
    rows = Flow.objects.filter(present=True).prefetch_related("schedules").order_by("name", "pk")
    if "code" in criteria:
        rows = rows.filter(identifier__iexact=criteria["code"])
    if "name" in criteria:
        rows = rows.filter(named("name", criteria["name"]))
    if "version" in criteria:
        rows = rows.filter(version=criteria["version"])
    if "projectCode" in criteria:
        rows = rows.filter(package__in=project_packages(criteria["projectCode"]))
    if "status" in criteria:
        on = choice(criteria, "status", ("ACTIVATED", "CONFIGURED")) == "ACTIVATED"
        rows = rows.filter(active=on)
    return list(rows)


def _shape(request: Request, flow: Flow, counts: FlowCounts) -> dict[str, Any]:
    key = f"{flow.identifier}|{flow.version}"
    address = reverse("integrations-api:integration", kwargs={"integration_id": key}, request=request)
    return {
        "id": key,
        "code": flow.identifier,
        "version": flow.version,
        "name": flow.name,
        "projectCode": project_of(flow),
        "flowStatus": "ACTIVATED" if flow.active else "CONFIGURED",
        "mepType": MEP[Flow.Pattern(flow.pattern)],
        "lastUpdated": moment(flow.updated_at),
        "lastUpdatedString": f"{flow.updated_at:%Y-%m-%d %H:%M:%S}",
        "optimizedVersion": flow.version,
        **_schedule(flow),
        **_counters(counts, flow),
        "links": links_to(self=address),
    }


def _schedule(flow: Flow) -> dict[str, Any]:
    spec = spec_of(flow)
    schedules = list(flow.schedules.all())
    due = [row.next_due_at for row in schedules if row.enabled and row.next_due_at and flow.active]
    return {
        "scheduleApplicable": spec is not None and spec.trigger.kind == "schedule",
        "scheduleDefined": bool(schedules),
        "scheduleStatus": schedule_status(flow),
        "nextRunDateString": moment(min(due)) if due else None,
    }


def schedule_status(flow: Flow) -> str:
    """NOT_DEFINED without a schedule, STARTED while one is on, STOPPED otherwise."""
    schedules = flow.schedules.all()
    if not schedules:
        return "NOT_DEFINED"
    return "STARTED" if any(row.enabled for row in schedules) else "STOPPED"


def _counters(counts: FlowCounts, flow: Flow) -> dict[str, Any]:
    ends = counts.ends(flow.pk)
    return {
        "noOfMsgsReceived": ends.received,
        "noOfMsgsProcessed": ends.processed,
        "noOfSuccess": ends.succeeded,
        "noOfErrors": ends.errors,
        "noOfAborted": ends.aborted,
        "successRate": round(100 * ends.succeeded / ends.processed, 2) if ends.processed else None,
    }
