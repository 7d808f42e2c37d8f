"""What ran and what failed as the monitoring API shows it, in OIC's words."""

from datetime import datetime, timedelta
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from integrations.api.monitoring import links_to
from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.models import Activity, BusinessKey, ErrorInstance, Flow, Instance, Payload

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


def instance_shape(request: Request, instance: Instance, *, minimal: bool = False) -> dict[str, Any]:
    """One instance; its flow, client, user and keys are loaded with it. `minimal`: its keys are not looked at."""
    state = Status(instance.status)
    flow = instance.flow
    touched = instance.ended_at or instance.started_at or instance.created_at
    return {
        **_identity(instance),
        "packageName": flow.package,
        "projectCode": project_of(flow),
        "status": OIC_STATUS[state],
        "state": state.value,
        "creationDate": moment(instance.created_at),
        "date": moment(touched),
        "lastTrackedTime": moment(touched),
        "duration": _milliseconds(instance),
        "invokedBy": _invoker(instance),
        "cause": instance.cause,
        "runId": run_of(instance),
        "parentInstanceId": text_of(instance.parent_id),
        "replayOf": text_of(instance.replay_of_id),
        "instanceReportingLevel": flow.get_tracing_display().partition(":")[0],
        "hasRecoverableFaults": recoverable(instance),
        "isDataAccurate": True,
        "isPurged": instance.purged_at is not None,
        "pkName": instance.primary_key_name,
        "pkValue": instance.primary_key_value,
        **_trackings(instance, [] if minimal else list(instance.keys.all())),
        "attempts": instance.attempts_made,
        "fault": _fault_shape(instance),
        "links": instance_links(request, instance),
    }


def _identity(instance: Instance) -> dict[str, Any]:
    flow = instance.flow
    version = instance.flow_version or flow.version
    return {
        "id": str(instance.pk),
        "instanceId": str(instance.pk),
        "integrationId": f"{flow.identifier}|{version}",
        "code": flow.identifier,
        "integrationName": flow.name,
        "integrationVersion": version,
    }


def run_of(instance: Instance) -> str | None:
    """OIC's run of a scheduled integration: the instance of a schedule or of a run by hand."""
    return str(instance.pk) if instance.cause in (Instance.Cause.SCHEDULE, Instance.Cause.MANUAL) else None


def project_of(flow: Flow) -> str:
    """The project the flow's package belongs to, "" where it stands alone."""
    spec = _spec_of(flow)
    return spec.package.project if spec else ""


def _spec_of(flow: Flow) -> FlowSpec | None:
    """The flow's code, where it is still there."""
    try:
        return spec_for(flow.identifier)
    except UnknownFlow:
        return None


def _trackings(instance: Instance, keys: list[BusinessKey]) -> dict[str, Any]:
    """All keys, and the first two that are not the primary one, as OIC names three; those of lists give way."""
    keys.sort(key=lambda key: key.pk)
    spec = _spec_of(instance.flow)
    listed = spec.listed_keys if spec else ()
    others = [key for key in keys if not _primary(instance, key)]
    others.sort(key=lambda key: key.name in listed)
    second, third = [*((key.name, key.value) for key in others[:2]), ("", ""), ("", "")][:2]
    return {
        "secondaryTrackingName": second[0],
        "secondaryTrackingValue": second[1],
        "tertiaryTrackingName": third[0],
        "tertiaryTrackingValue": third[1],
        "trackings": [
            {"name": key.name, "value": key.value, "primary": _primary(instance, key)} for key in keys
        ],
    }


def _primary(instance: Instance, key: BusinessKey) -> bool:
    return (key.name, key.value) == (instance.primary_key_name, instance.primary_key_value)


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
    instance = error.instance
    at = {"instance_id": instance.pk}
    return {
        **_identity(instance),
        "faultId": str(error.pk),
        "status": error.state,
        "faultClass": error.fault_class,
        "errorCode": error.fault_code,
        "errorMessage": error.text,
        "errorDetails": error.detail,
        "errorLocation": error.step,
        "family": error.family_id,
        "recoverable": recoverable(instance),
        "failures": error.failures,
        "retryCount": max(0, error.failures - 1),
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
