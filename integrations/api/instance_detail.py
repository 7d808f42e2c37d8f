"""One instance at length: with its milestones, and who did what to it."""

from typing import Any

from rest_framework.request import Request

from integrations.api.monitoring import may
from integrations.api.shapes import instance_shape, moment
from integrations.models import Activity, AuditEntry, Instance

MOST = 200  # of each list; the activity stream has all
VIEW_AUDIT = "integrations.view_auditentry"


def instance_detail(request: Request, instance: Instance, *, minimal: bool = False) -> dict[str, Any]:
    """The instance with flowMilestones (its steps), errorMilestones and, for who may see it, auditTrail."""
    shape = instance_shape(request, instance, minimal=minimal)
    if minimal:
        return shape | {"flowMilestones": [], "errorMilestones": [], "auditTrail": []}
    return shape | {
        "flowMilestones": _steps(instance),
        "errorMilestones": _faults(instance),
        "auditTrail": _trail(instance) if may(request, VIEW_AUDIT) else [],
    }


def _steps(instance: Instance) -> list[dict[str, Any]]:
    return [
        {
            "name": step.key,
            "state": step.state,
            "attempt": step.attempt,
            "startDate": moment(step.started_at),
            "endDate": moment(step.ended_at),
        }
        for step in instance.steps.order_by("id").defer("result")[:MOST]
    ]


def _faults(instance: Instance) -> list[dict[str, Any]]:
    lines = instance.activities.filter(level=Activity.Level.ERROR).select_related("connection").order_by("id")
    return [
        {
            "time": moment(line.at),
            "attempt": line.attempt,
            "message": line.text,
            "connection": line.connection.name if line.connection else None,
            "statusCode": line.status_code,
        }
        for line in lines[:MOST]
    ]


def _trail(instance: Instance) -> list[dict[str, Any]]:
    entries = AuditEntry.objects.filter(subject=f"instance:{instance.pk}").order_by("-at", "-id")[:MOST]
    return [{"time": moment(entry.at), "actor": entry.actor, "action": entry.action} for entry in entries]
