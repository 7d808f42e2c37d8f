"""monitoring/instances: what ran, and what each did."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, client_of
from integrations.api.errors import BadRequest, Forbidden
from integrations.api.monitoring import MonitoringView, criteria_of, may, page_of, parameters_of
from integrations.api.shapes import OIC_STATUS, activity_shape, instance_links, instance_shape, payload_shape
from integrations.models import Activity, Instance, Payload
from integrations.services.audit import audit
from integrations.storage import payload_bytes

VIEW, READ_PAYLOAD = "integrations.view_instance", "integrations.read_payload"
WINDOWS = {"1h": 1, "6h": 6, "1d": 24, "2d": 48, "3d": 72}
SHOWN_BYTES = 64 * 1024  # of one payload in a stream; the console has the whole
Rows = QuerySet[Instance]


def instances_for(request: Request) -> Rows:
    """All instances for who may see them; otherwise those the calling client sent."""
    rows = Instance.objects.select_related("flow", "client", "user")
    return rows if may(request, VIEW) else rows.filter(client=client_of(request))


def instance_or_404(request: Request, instance_id: uuid.UUID) -> Instance:
    """The instance, if the caller may see it; one it may not see is not there."""
    instance = instances_for(request).filter(pk=instance_id).first()
    if instance is None:
        raise Http404
    return instance


class InstancesView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}
    shows_own = True

    @extend_schema(
        operation_id="instances_list",
        summary="List instances, newest first",
        tags=["Monitoring"],
        parameters=documents.INSTANCE_QUERY,
        responses=documents.answers(documents.InstancePage),
    )
    def get(self, request: Request) -> Response:
        """A page of instances; `fields=id` gives their ids and links only."""
        parameters = parameters_of(request, frozenset({"q", "limit", "offset", "orderBy", "fields"}))
        rows = filtered(instances_for(request), criteria_of(parameters.get("q", ""), frozenset(CRITERIA)))
        only_ids = _choice(parameters, "fields", ("all", "id")) == "id"
        _choice(parameters, "orderBy", ("creationdate",))
        if only_ids:
            return Response(page_of(request, rows, parameters, lambda row: _short(request, row)))
        rows = rows.prefetch_related("keys")
        return Response(page_of(request, rows, parameters, lambda row: instance_shape(request, row)))


class InstanceView(MonitoringView):
    """One instance."""

    rights = {"GET": VIEW}
    shows_own = True

    @extend_schema(
        operation_id="instances_get",
        summary="One instance",
        tags=["Monitoring"],
        responses=documents.answers(documents.InstanceDocument, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """Its state, times, keys and fault; never its message."""
        parameters_of(request)
        return Response(instance_shape(request, instance_or_404(request, instance_id)))


class ActivityStreamView(MonitoringView):
    """One instance's activity stream."""

    rights = {"GET": VIEW}
    shows_own = True

    @extend_schema(
        operation_id="instances_activity_stream",
        summary="What an instance did, line by line",
        tags=["Monitoring"],
        parameters=documents.STREAM_QUERY,
        responses=documents.answers(documents.ActivityPage, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """A page of lines in the order they happened. `payloads=true` adds kept payloads, for who may read them."""
        parameters = parameters_of(request, frozenset({"limit", "offset", "payloads"}))
        instance = instance_or_404(request, instance_id)
        with_text = _choice(parameters, "payloads", ("false", "true")) == "true"
        reads = may(request, READ_PAYLOAD)
        if with_text and not reads:
            raise Forbidden(f"{actor_of(request)} does not have the permission {READ_PAYLOAD}")
        if with_text:
            audit(actor=actor_of(request), action="payload_read", subject=f"instance:{instance.pk}")
        lines = instance.activities.select_related("connection")
        if reads:
            lines = lines.select_related("payload_in", "payload_out")
        return Response(
            page_of(request, lines, parameters, lambda line: _line(line, reads=reads, text=with_text))
        )


def _line(line: Activity, *, reads: bool, text: bool) -> dict[str, Any]:
    if not reads:
        return activity_shape(line, None)
    sides = {"payloadIn": line.payload_in, "payloadOut": line.payload_out}
    return activity_shape(
        line, {side: payload_shape(kept, _content(kept) if text else None) for side, kept in sides.items()}
    )


def _content(payload: Payload | None) -> str | None:
    """The payload's text, cut after SHOWN_BYTES."""
    if payload is None:
        return None
    return payload_bytes(payload, limit=SHOWN_BYTES).decode(errors="replace")


def _short(request: Request, instance: Instance) -> dict[str, Any]:
    return {"id": str(instance.pk), "links": instance_links(request, instance)}


def _choice(parameters: dict[str, str], name: str, choices: tuple[str, ...]) -> str:
    """A parameter of few values, the first by default; BadRequest for another."""
    value = parameters.get(name, choices[0])
    if value not in choices:
        raise BadRequest(f"The parameter {name} is {value[:40]!r}; it is one of {', '.join(choices)}")
    return value


def filtered(rows: Rows, criteria: dict[str, str]) -> Rows:
    """The rows that fit each criterion of q."""
    for name, value in criteria.items():
        rows = CRITERIA[name](rows, value)
    return rows


def _by_window(rows: Rows, value: str) -> Rows:
    if value == "RETENTIONPERIOD":
        return rows
    if value not in WINDOWS:
        raise BadRequest(
            f"timewindow is {value[:40]!r}; it is one of {', '.join([*WINDOWS, 'RETENTIONPERIOD'])}"
        )
    return rows.filter(created_at__gte=timezone.now() - timedelta(hours=WINDOWS[value]))


def _by_status(rows: Rows, value: str) -> Rows:
    states = [state for state, oic in OIC_STATUS.items() if oic == value.upper()]
    if not states:
        raise BadRequest(
            f"status is {value[:40]!r}; it is one of {', '.join(sorted(set(OIC_STATUS.values())))}"
        )
    return rows.filter(status__in=states)


def _by_state(rows: Rows, value: str) -> Rows:
    if value not in Instance.Status.values:
        raise BadRequest(f"state is {value[:40]!r}; it is one of {', '.join(Instance.Status.values)}")
    return rows.filter(status=value)


def _by_key(rows: Rows, value: str) -> Rows:
    return rows.filter(pk__in=Instance.objects.filter(keys__value=value).values("pk"))


def _id_of(name: str, value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise BadRequest(f"{name} is {value[:40]!r}, which is no instance id") from None


def time_of(name: str, value: str) -> datetime:
    """OIC's yyyy-MM-dd HH:mm:ss, in UTC."""
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadRequest(f"{name} is {value[:40]!r}; it is written yyyy-MM-dd HH:mm:ss, in UTC") from None


def _by_purged(rows: Rows, value: str) -> Rows:
    if value not in ("yes", "no", "onlyPurged"):
        raise BadRequest(f"includePurged is {value[:40]!r}; it is one of yes, no, onlyPurged")
    return rows if value == "yes" else rows.filter(purged_at__isnull=value == "no")


CRITERIA: dict[str, Callable[[Rows, str], Rows]] = {
    "timewindow": _by_window,
    "startdate": lambda rows, value: rows.filter(created_at__gte=time_of("startdate", value)),
    "enddate": lambda rows, value: rows.filter(created_at__lte=time_of("enddate", value)),
    "code": lambda rows, value: rows.filter(flow__identifier__iexact=value),
    "version": lambda rows, value: rows.filter(flow_version=value),
    "status": _by_status,
    "state": _by_state,
    "primaryValue": lambda rows, value: rows.filter(primary_key_value=value),
    "businessIDValue": _by_key,
    "id": lambda rows, value: rows.filter(pk=_id_of("id", value)),
    "parentInstanceId": lambda rows, value: rows.filter(parent_id=_id_of("parentInstanceId", value)),
    "includePurged": _by_purged,
}
