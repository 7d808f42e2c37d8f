"""integrations/{id}/schedule and clone: running a flow, its schedules, a copy of it under another identifier."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, person_of
from integrations.api.design_shapes import integration_shape, spec_of
from integrations.api.errors import BadRequest
from integrations.api.integrations import flow_or_404
from integrations.api.monitoring import MonitoringView, address_of, order_of
from integrations.api.shapes import instance_links, moment
from integrations.models import Flow, Schedule
from integrations.services.flow_clone import flow_clone
from integrations.services.flow_run import flow_run
from integrations.services.schedule_switch import schedule_switch

RUN, SCHEDULE = "integrations.run_flow", "integrations.change_schedule"
CLONE = "integrations.clone_flow"
CLONE_FIELDS: dict[str, Any] = {
    "code": str,
    "name": str,
    "connections": dict,
    "lookups": dict,
    "flows": dict,
    "withExtensions": bool,
    "withSchedules": bool,
}


Post = TypeVar("Post", bound=Callable[..., Response])


class ScheduleView(MonitoringView):
    """Base of start, stop, pause and resume; stop and pause do the same, as do start and resume."""

    rights = {"POST": SCHEDULE}
    on: ClassVar[bool]

    def switch(self, request: Request, integration_id: str) -> Response:
        """All schedules of the flow, on or off."""
        order_of(request, {})
        flow = flow_or_404(self, integration_id)
        schedules = schedule_switch(
            flow=flow, on=self.on, actor=actor_of(request), address=address_of(request)
        )
        return Response(
            {"scheduleStatus": "STARTED" if self.on else "STOPPED", "schedules": list(map(_shape, schedules))}
        )


def _described(name: str, summary: str) -> Callable[[Post], Post]:
    return extend_schema(
        operation_id=f"schedule_{name}",
        summary=summary,
        tags=["Design"],
        parameters=[documents.INTEGRATION_ID],
        request=None,
        responses=documents.answers(documents.ScheduleAnswer, missing=True, conflict=True),
    )


class ScheduleStartView(ScheduleView):
    """Start."""

    on = True

    @_described("start", "Start a flow's schedules")
    def post(self, request: Request, integration_id: str) -> Response:
        """They fire at their next due times."""
        return self.switch(request, integration_id)


class ScheduleResumeView(ScheduleView):
    """Resume."""

    on = True

    @_described("resume", "Resume a flow's schedules")
    def post(self, request: Request, integration_id: str) -> Response:
        """As start: what was due meanwhile is not made up for."""
        return self.switch(request, integration_id)


class ScheduleStopView(ScheduleView):
    """Stop."""

    on = False

    @_described("stop", "Stop a flow's schedules")
    def post(self, request: Request, integration_id: str) -> Response:
        """They fire no more; what runs goes on to its end."""
        return self.switch(request, integration_id)


class SchedulePauseView(ScheduleView):
    """Pause."""

    on = False

    @_described("pause", "Pause a flow's schedules")
    def post(self, request: Request, integration_id: str) -> Response:
        """As stop."""
        return self.switch(request, integration_id)


class JobsView(MonitoringView):
    """Run now."""

    rights = {"POST": RUN}

    @extend_schema(
        operation_id="schedule_jobs",
        summary="Run a flow now",
        description="With the parameters of the body; without any, with those of the flow's schedule where it has one "
        "schedule. The answer names the instance, whose activity stream tells how it goes.",
        tags=["Design"],
        parameters=[documents.INTEGRATION_ID],
        request=documents.RunRequest,
        responses=documents.answers(documents.RunAnswer, status=202, missing=True, conflict=True),
    )
    def post(self, request: Request, integration_id: str) -> Response:
        """Queued for a worker."""
        order = order_of(request, {"action": str, "parameters": dict})
        if order.get("action", "NOW").upper() != "NOW":
            raise BadRequest("The field action is NOW, or left out", details=[{"o:errorPath": "/action"}])
        flow = flow_or_404(self, integration_id)
        parameters = order.get("parameters", _scheduled(flow))
        instance = flow_run(
            flow=flow, parameters=parameters, user=person_of(request), actor=actor_of(request)
        )
        key = str(instance.pk)
        answer = {
            "instanceId": key,
            "runId": key,
            "jobId": key,
            "integrationId": f"{flow.identifier}|{flow.version}",
            "parameters": parameters,
            "links": instance_links(request, instance),
        }
        return Response(answer, status=202)


class CloneView(MonitoringView):
    """Clone."""

    rights = {"POST": CLONE}

    @extend_schema(
        operation_id="integrations_clone",
        summary="Clone a flow under another identifier",
        description="The clone runs the same code with settings, connections, lookups and extensions of its own; it is "
        "switched off and no client may call it yet.",
        tags=["Design"],
        parameters=[documents.INTEGRATION_ID],
        request=documents.CloneRequest,
        responses=documents.answers(documents.IntegrationDocument, status=201, missing=True, conflict=True),
    )
    def post(self, request: Request, integration_id: str) -> Response:
        """`code` is the new identifier; `connections`, `lookups` and `flows` name what it uses instead."""
        order = order_of(request, CLONE_FIELDS)
        flow = flow_or_404(self, integration_id)
        if not order.get("code"):
            raise BadRequest("The field code is missing", hint='{"code":"NEW-IDENTIFIER","name":"…"}')
        clone = flow_clone(
            flow=flow,
            identifier=order["code"],
            name=order.get("name", ""),
            own={kind: _names(order.get(kind, {}), kind) for kind in ("connections", "lookups", "flows")},
            actor=actor_of(request),
            address=address_of(request),
            with_extensions=order.get("withExtensions", True),
            with_schedules=order.get("withSchedules", True),
        )
        shape = integration_shape(request, clone, spec_of(clone))
        headers = {"Location": next(link["href"] for link in shape["links"] if link["rel"] == "self")}
        return Response(shape, status=201, headers=headers)


def _names(given: dict[str, Any], kind: str) -> dict[str, str]:
    for name, own in given.items():
        if not isinstance(own, str):
            raise BadRequest(f"/{kind}/{name} is no name", details=[{"o:errorPath": f"/{kind}/{name}"}])
    return given


def _scheduled(flow: Flow) -> dict[str, Any]:
    """The parameters of the flow's only schedule; {} where it has none or several."""
    schedules = list(flow.schedules.all()[:2])
    return dict(schedules[0].parameters) if len(schedules) == 1 else {}


def _shape(schedule: Schedule) -> dict[str, Any]:
    return {
        "requestId": str(schedule.pk),
        "name": schedule.name,
        "enabled": schedule.enabled,
        "cron": schedule.cron,
        "intervalSeconds": schedule.interval_seconds,
        "timeZone": schedule.time_zone,
        "parameters": schedule.parameters,
        "nextRunDate": moment(schedule.next_due_at) if schedule.enabled else None,
    }
