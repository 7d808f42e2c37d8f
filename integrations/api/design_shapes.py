"""Flows and connections as the design API shows them, in OIC's words."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from integrations.api.monitoring import links_to
from integrations.api.shapes import moment, project_of
from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.models import Connection, Flow


def spec_of(flow: Flow) -> FlowSpec | None:
    """The flow's code, where the installed code still has it."""
    try:
        return spec_for(flow.identifier)
    except UnknownFlow:
        return None


def integration_shape(
    request: Request, flow: Flow, spec: FlowSpec | None, *, expand: Sequence[str] = ()
) -> dict[str, Any]:
    """A flow as OIC's integration; `spec` is its code, where the code still has it.

    `expand`: connection adds the connections at length, schedule the schedules.
    """
    key = f"{flow.identifier}|{flow.version}"
    names = list(spec.connections) if spec else []
    shape: dict[str, Any] = {
        "id": key,
        "code": flow.identifier,
        "version": flow.version,
        "name": flow.name,
        "description": flow.description,
        "status": "ACTIVATED" if flow.active else "CONFIGURED",
        "packageName": flow.package,
        "pattern": flow.pattern,
        "aliases": list(spec.aliases) if spec else [],
        "triggerType": spec.trigger.kind if spec else None,
        "resources": [name for name in (spec.trigger.resource, *spec.trigger.also) if name] if spec else [],
        "scheduleApplicable": spec is not None and spec.trigger.kind == "schedule",
        "projectCode": project_of(flow),
        "connections": names,
        "lookups": list(spec.lookups) if spec else [],
        "tracingLevel": flow.tracing,
        "lastUpdated": moment(flow.updated_at),
        "links": links_to(
            self=reverse("integrations-api:integration", kwargs={"integration_id": key}, request=request)
        ),
    }
    if {"connection", "connection.agent"} & set(expand):
        rows = Connection.objects.filter(name__in=names).select_related("agent_group").defer("secrets")
        shape["dependencies"] = {"connections": [connection_shape(request, row) for row in rows]}
    if "schedule" in expand:
        shape["schedules"] = [
            {"requestId": str(row.pk), "name": row.name, "enabled": row.enabled, "cron": row.cron}
            for row in flow.schedules.all()
        ]
    return shape


def connection_shape(request: Request, connection: Connection) -> dict[str, Any]:
    """A connection without its secrets, which are not even read."""
    at = {"connection_id": connection.name}
    return {
        "id": connection.name,
        "name": connection.name,
        "adapterType": connection.adapter,
        "role": connection.role,
        "description": connection.description,
        "packageName": connection.package,
        "agentGroupId": connection.agent_group.identifier if connection.agent_group else None,
        "settings": connection.settings,
        "catalogUrl": connection.catalog_url,
        "lastTest": {"time": moment(connection.last_test_at), "passed": connection.last_test_ok},
        "lastUpdated": moment(connection.updated_at),
        "links": links_to(
            self=reverse("integrations-api:connection", kwargs=at, request=request),
            test=reverse("integrations-api:connection-test", kwargs=at, request=request),
        ),
    }
