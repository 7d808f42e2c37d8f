"""monitoring/auditRecords and monitoring/agentgroups."""

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.criteria import SPAN, criteria_of, within
from integrations.api.monitoring import MonitoringView, parameters_of
from integrations.api.paging import PAGING, page_of
from integrations.api.shapes import moment
from integrations.models import AgentGroup, AuditEntry

CRITERIA = SPAN | {"actor", "action", "subject"}


class AuditRecordsView(MonitoringView):
    """Who did what to what."""

    rights = {"GET": "integrations.view_auditentry"}

    @extend_schema(
        operation_id="audit_records_list",
        summary="List the audit trail, newest first",
        tags=["Monitoring"],
        parameters=documents.AUDIT_QUERY,
        responses=documents.answers(documents.AuditPage),
    )
    def get(self, request: Request) -> Response:
        """A page of entries; without a timewindow or dates, of the last hour's."""
        parameters = parameters_of(request, PAGING | {"q"})
        criteria = criteria_of(parameters.get("q", ""), CRITERIA)
        if not SPAN & set(criteria):
            criteria["timewindow"] = "1h"
        rows = AuditEntry.objects.filter(within(criteria, "at"))
        for name in ("actor", "action", "subject"):
            if name in criteria:
                rows = rows.filter(**{name: criteria[name]})
        body = page_of(request, rows, parameters, audit_shape)
        return Response(body | {"timeWindow": criteria.get("timewindow", "")})


def audit_shape(entry: AuditEntry) -> dict[str, Any]:
    """An entry; its detail holds no secrets."""
    return {
        "id": str(entry.pk),
        "actionDate": moment(entry.at),
        "actionBy": entry.actor,
        "actionType": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
        "address": entry.address,
    }


class AgentGroupsView(MonitoringView):
    """The firewalls behind which connections are reached."""

    rights = {"GET": "integrations.view_agentgroup"}

    @extend_schema(
        operation_id="agent_groups_list",
        summary="List the agent groups",
        tags=["Monitoring"],
        parameters=documents.PAGE_PARAMETERS,
        responses=documents.answers(documents.AgentGroupPage),
    )
    def get(self, request: Request) -> Response:
        """A page of groups with the number of connections each serves."""
        parameters = parameters_of(request, PAGING)
        rows = AgentGroup.objects.annotate(number=Count("connections")).order_by("identifier")
        return Response(page_of(request, rows, parameters, agent_group_shape))


def agent_group_shape(group: Any) -> dict[str, Any]:
    """A group; `number` is counted with it."""
    return {
        "id": group.identifier,
        "agentGroupName": group.identifier,
        "description": group.description,
        "connections": group.number,
    }
