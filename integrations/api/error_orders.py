"""monitoring/errors: sending failed instances again, or letting them be."""

import uuid
from typing import Any

import orjson
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, person_of
from integrations.api.errors import BadRequest, Forbidden
from integrations.api.message import optional_json
from integrations.api.monitoring import MonitoringView, may, parameters_of
from integrations.api.shapes import instance_links
from integrations.engine.faults import Conflict
from integrations.models import Instance
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit

READ_PAYLOAD = "integrations.read_payload"
RESUBMIT, DISCARD = "integrations.resubmit_instance", "integrations.discard_instance"
MOST_IDS = 500


def _instance_or_404(instance_id: uuid.UUID) -> Instance:
    instance = Instance.objects.select_related("flow").filter(pk=instance_id).first()
    if instance is None:
        raise Http404
    return instance


class ResubmitView(MonitoringView):
    """Send one again."""

    rights = {"POST": RESUBMIT}

    @extend_schema(
        operation_id="errors_resubmit",
        summary="Resubmit one error instance",
        tags=["Monitoring"],
        request=documents.ResubmitRequest,
        responses=documents.answers(documents.ResubmitAnswer, status=202, missing=True, conflict=True),
    )
    def post(self, request: Request, instance_id: uuid.UUID) -> Response:
        """From its checkpoint or from the start, with its message or an edited one."""
        order = order_of(request, {"fromStart": bool, "reason": str, "message": dict | list})
        instance = _instance_or_404(instance_id)
        again = instance_resubmit(
            instance=instance,
            actor=actor_of(request),
            user=person_of(request),
            from_start=order.get("fromStart", False),
            message=_edited(request, order),
            reason=order.get("reason", ""),
        )
        sent = _sent_again(request, instance, again)
        return Response(_resubmit_answer([str(instance.pk)], [], [], [sent]), status=202)


class ResubmitManyView(MonitoringView):
    """Send several again."""

    rights = {"POST": RESUBMIT}

    @extend_schema(
        operation_id="errors_resubmit_many",
        summary="Resubmit several error instances",
        tags=["Monitoring"],
        request=documents.ResubmitManyRequest,
        responses=documents.answers(documents.ResubmitAnswer, status=202),
    )
    def post(self, request: Request) -> Response:
        """Each by itself: one that cannot be is named, and the others go on."""
        order = order_of(request, {"ids": list, "fromStart": bool, "reason": str})
        known, invalid = _instances(order)
        sent: list[dict[str, Any]] = []
        refused: list[dict[str, str]] = []
        for instance in known:
            try:
                again = instance_resubmit(
                    instance=instance,
                    actor=actor_of(request),
                    user=person_of(request),
                    from_start=order.get("fromStart", False),
                    reason=order.get("reason", ""),
                )
            except Conflict as conflict:
                refused.append({"id": str(instance.pk), "reason": conflict.text})
            else:
                sent.append(_sent_again(request, instance, again))
        accepted = [item["failedInstanceId"] for item in sent]
        return Response(_resubmit_answer(accepted, invalid, refused, sent), status=202)


class DiscardView(MonitoringView):
    """Let one be."""

    rights = {"POST": DISCARD}

    @extend_schema(
        operation_id="errors_discard",
        summary="Discard one error instance",
        tags=["Monitoring"],
        request=documents.DiscardRequest,
        responses=documents.answers(documents.DiscardAnswer, missing=True, conflict=True),
    )
    def post(self, request: Request, instance_id: uuid.UUID) -> Response:
        """Nothing more is done with it; the reason is kept."""
        order = order_of(request, {"reason": str})
        instance = _instance_or_404(instance_id)
        instance_discard(instance=instance, actor=actor_of(request), reason=order.get("reason", ""))
        return Response(_discard_answer([str(instance.pk)], [], []))


class DiscardManyView(MonitoringView):
    """Let several be."""

    rights = {"POST": DISCARD}

    @extend_schema(
        operation_id="errors_discard_many",
        summary="Discard several error instances",
        tags=["Monitoring"],
        request=documents.DiscardManyRequest,
        responses=documents.answers(documents.DiscardAnswer),
    )
    def post(self, request: Request) -> Response:
        """Each by itself: one that cannot be is named, and the others go on."""
        order = order_of(request, {"ids": list, "reason": str})
        known, invalid = _instances(order)
        done: list[str] = []
        refused: list[dict[str, str]] = []
        for instance in known:
            try:
                instance_discard(instance=instance, actor=actor_of(request), reason=order.get("reason", ""))
            except Conflict as conflict:
                refused.append({"id": str(instance.pk), "reason": conflict.text})
            else:
                done.append(str(instance.pk))
        return Response(_discard_answer(done, invalid, refused))


def order_of(request: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """The body's fields, checked for their types; BadRequest for another field or type. No body: {}."""
    parameters_of(request)
    body = optional_json(request._request)
    if not isinstance(body, dict):
        raise BadRequest("The body is a list; an object is expected")
    for name, value in body.items():
        if name not in fields:
            raise BadRequest(f"The field {name[:60]} is not known here", hint=f"Known: {', '.join(fields)}.")
        if not isinstance(value, fields[name]):
            raise BadRequest(f"The field {name} is not of its type", details=[{"o:errorPath": f"/{name}"}])
    return dict(body)


def _edited(request: Request, order: dict[str, Any]) -> bytes | None:
    """The edited message; only for who may see the one it replaces."""
    if "message" not in order:
        return None
    if not may(request, READ_PAYLOAD):
        raise Forbidden(
            f"{actor_of(request)} does not have the permission {READ_PAYLOAD}, needed to edit a message"
        )
    return orjson.dumps(order["message"])


def _instances(order: dict[str, Any]) -> tuple[list[Instance], list[str]]:
    """The instances of the ids, and the ids that are none, in the order given, each once."""
    ids = order.get("ids")
    if not ids or not all(isinstance(item, str) for item in ids) or len(ids) > MOST_IDS:
        raise BadRequest(f"The field ids is a list of 1 to {MOST_IDS} instance ids", hint='{"ids":["…"]}')
    wanted = {item: _uuid(item) for item in dict.fromkeys(ids)}
    found = Instance.objects.select_related("flow").in_bulk([key for key in wanted.values() if key])
    known = {key: found[key] for key in wanted.values() if key in found}
    return list(known.values()), [item for item, key in wanted.items() if key not in found]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _sent_again(request: Request, failed: Instance, again: Instance) -> dict[str, Any]:
    return {
        "failedInstanceId": str(failed.pk),
        "resubmittedInstanceId": str(again.pk),
        "links": instance_links(request, again),
    }


def _resubmit_answer(
    accepted: list[str], invalid: list[str], refused: list[dict[str, str]], sent: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "message": f"{len(accepted)} resubmitted, {len(refused)} cannot be, {len(invalid)} unknown",
        "resubmitRequested": bool(accepted),
        "resubmitSuccessful": bool(accepted) and not refused and not invalid,
        "acceptedIds": accepted,
        "invalidIds": invalid,
        "nonRecoverableIds": [item["id"] for item in refused],
        "refusals": refused,
        "resubmittedInstancesCount": len(accepted),
        "resubmittedFailedInstances": sent,
    }


def _discard_answer(done: list[str], invalid: list[str], refused: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "message": f"{len(done)} discarded, {len(refused)} cannot be, {len(invalid)} unknown",
        "discardedIds": done,
        "invalidIds": invalid,
        "refusals": refused,
    }
