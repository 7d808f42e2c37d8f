"""Rows as the monitoring API shows them, in OIC's words (its REST API for monitoring and design)."""

from datetime import datetime, timedelta
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from integrations.api.monitoring import links_to
from integrations.engine.spec import FlowSpec
from integrations.models import Activity, Connection, ErrorInstance, Flow, Instance, Payload

Status = Instance.Status
# OIC knows four; `state` gives the hub's own.
OIC_STATUS = {
    Status.READY: "IN_PROGRESS",
    Status.RUNNING: "IN_PROGRESS",
    Status.WAITING: "IN_PROGRESS",
    Status.SUCCEEDED: "COMPLETED",
    Status.SKIPPED: "COMPLETED",
    Status.FAILED: "FAILED",
    Status.HELD: "FAILED",
    Status.DISCARDED: "ABORTED",
}


def instance_shape(request: Request, instance: Instance) -> dict[str, Any]:
    """One instance; its flow, client, user and keys are loaded with it."""
    state = Status(instance.status)
    flow = instance.flow
    version = instance.flow_version or flow.version
    return {
        "id": str(instance.pk),
        "instanceId": str(instance.pk),
        "integrationId": f"{flow.identifier}|{version}",
        "code": flow.identifier,
        "integrationName": flow.name,
        "integrationVersion": version,
        "packageName": flow.package,
        "status": OIC_STATUS[state],
        "state": state.value,
        "creationDate": moment(instance.created_at),
        "date": moment(instance.ended_at or instance.started_at or instance.created_at),
        "lastTrackedTime": moment(instance.ended_at or instance.started_at or instance.created_at),
        "duration": _milliseconds(instance),
        "invokedBy": _invoker(instance),
        "cause": instance.cause,
        "parentInstanceId": text_of(instance.parent_id),
        "replayOf": text_of(instance.replay_of_id),
        "instanceReportingLevel": flow.get_tracing_display().partition(":")[0],
        "hasRecoverableFaults": recoverable(instance),
        "isDataAccurate": True,
        "isPurged": instance.purged_at is not None,
        "pkName": instance.primary_key_name,
        "pkValue": instance.primary_key_value,
        "trackings": [_tracking(instance, key.name, key.value) for key in instance.keys.all()],
        "attempts": instance.attempts_made,
        "fault": _fault_shape(instance),
        "links": instance_links(request, instance),
    }


def instance_links(request: Request, instance: Instance) -> list[dict[str, str]]:
    """Where the instance and its activity stream are."""
    at = {"instance_id": instance.pk}
    return links_to(
        self=reverse("integrations-api:instance", kwargs=at, request=request),
        activityStream=reverse("integrations-api:activity-stream", kwargs=at, request=request),
    )


def recoverable(instance: Instance) -> bool:
    """Whether a resubmission could be taken, as far as the row itself says."""
    failed = instance.status in (Status.FAILED, Status.HELD)
    return failed and instance.purged_at is None and instance.parent_id is None


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def text_of(value: object | None) -> str | None:
    """An id as text."""
    return None if value is None else str(value)


def _tracking(instance: Instance, name: str, value: str) -> dict[str, Any]:
    primary = (name, value) == (instance.primary_key_name, instance.primary_key_value)
    return {"name": name, "value": value, "primary": primary}


def _milliseconds(instance: Instance) -> int | None:
    if instance.started_at is None or instance.ended_at is None:
        return None
    return max(0, round((instance.ended_at - instance.started_at) / timedelta(milliseconds=1)))


def _invoker(instance: Instance) -> str:
    if instance.client is not None:
        return instance.client.client_id
    return instance.user.get_username() if instance.user is not None else instance.get_cause_display()


def _fault_shape(instance: Instance) -> dict[str, str] | None:
    if not instance.fault_code:
        return None
    return {
        "class": instance.fault_class,
        "code": instance.fault_code,
        "text": instance.fault_text,
        "step": instance.fault_step,
    }


def activity_shape(activity: Activity, payloads: "dict[str, Any] | None") -> dict[str, Any]:
    """One line of the stream; `payloads` (payloadIn, payloadOut) only for those who may read them."""
    line = {
        "time": moment(activity.at),
        "attempt": activity.attempt,
        "kind": activity.kind,
        "level": activity.level,
        "message": activity.text,
        "durationMs": activity.duration_ms,
        "connection": activity.connection.name if activity.connection else None,
        "operation": activity.operation,
        "statusCode": activity.status_code,
        "bytesOut": activity.bytes_out,
        "bytesIn": activity.bytes_in,
    }
    return line if payloads is None else line | payloads


def payload_shape(payload: Payload | None, content: str | None) -> dict[str, Any] | None:
    """A stored payload's data, and its text where it was asked for."""
    if payload is None:
        return None
    shape: dict[str, Any] = {
        "sha256": payload.digest,
        "size": payload.size,
        "contentType": payload.content_type,
    }
    return shape if content is None else shape | {"content": content}


def error_shape(request: Request, error: ErrorInstance) -> dict[str, Any]:
    """One error instance; its id is its instance's."""
    instance, flow = error.instance, error.instance.flow
    version = instance.flow_version or flow.version
    at = {"instance_id": instance.pk}
    return {
        "id": str(instance.pk),
        "instanceId": str(instance.pk),
        "integrationId": f"{flow.identifier}|{version}",
        "code": flow.identifier,
        "integrationName": flow.name,
        "integrationVersion": version,
        "status": error.state,
        "faultClass": error.fault_class,
        "errorCode": error.fault_code,
        "errorMessage": error.text,
        "errorDetails": error.detail,
        "errorLocation": error.step,
        "family": error.family_id,
        "recoverable": recoverable(instance),
        "failures": error.failures,
        "creationDate": moment(error.first_failed_at),
        "lastUpdated": moment(error.last_failed_at),
        "pkName": instance.primary_key_name,
        "pkValue": instance.primary_key_value,
        "settledBy": error.settled_by,
        "reason": error.reason,
        "links": links_to(
            self=reverse("integrations-api:error", kwargs=at, request=request),
            instance=reverse("integrations-api:instance", kwargs=at, request=request),
        ),
    }


def integration_shape(request: Request, flow: Flow, spec: FlowSpec | None) -> dict[str, Any]:
    """A flow as OIC's integration; `spec` is its code, where the code still has it."""
    key = f"{flow.identifier}|{flow.version}"
    return {
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
        "connections": list(spec.connections) if spec else [],
        "lookups": list(spec.lookups) if spec else [],
        "tracingLevel": flow.tracing,
        "lastUpdated": moment(flow.updated_at),
        "links": links_to(
            self=reverse("integrations-api:integration", kwargs={"integration_id": key}, request=request)
        ),
    }


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
