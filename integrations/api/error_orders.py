"""monitoring/errors: sending failed instances again, or letting them be; one, several, or a selection."""

import uuid
from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, person_of
from integrations.api.error_query import BY_CONNECTION, BY_FLOW, selected
from integrations.api.errors import BadRequest
from integrations.api.monitoring import MonitoringView, need, order_of
from integrations.api.order_answers import discarded, ordered, resubmitted, sent_again
from integrations.engine.faults import Conflict
from integrations.models import ErrorInstance, Flow, Instance
from integrations.services.bulk_start import bulk_start
from integrations.services.flow_switch import flow_trace
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit
from integrations.services.resubmission_record import resubmission_record

READ_PAYLOAD, TRACE = "integrations.read_payload", "integrations.trace_flow"
RESUBMIT, DISCARD = "integrations.resubmit_instance", "integrations.discard_instance"
MOST_IDS = 500
RATE = 60  # instances a minute of a selection, unless the body says another
TRACED_MINUTES = 60
SELECTION = {"ids": list, **BY_FLOW, **BY_CONNECTION}
HOW: dict[str, Any] = {"fromStart": bool, "reason": str, "recoveryTraceLevel": str}
RETURN = frozenset({"return"})
Refusals = list[tuple[Instance, str]]


class ResubmitView(MonitoringView):
    """Send one again."""

    rights = {"POST": RESUBMIT}

    @extend_schema(
        operation_id="errors_resubmit",
        summary="Resubmit one error instance",
        tags=["Monitoring"],
        parameters=documents.RETURN_ANY,
        request=documents.ResubmitRequest,
        responses=documents.answers(documents.ResubmitAnswer, status=202, missing=True, conflict=True),
    )
    def post(self, request: Request, instance_id: uuid.UUID) -> Response:
        """From its checkpoint or from the start, with its message or an edited one."""
        order = order_of(request, HOW | {"message": dict | list}, parameters=RETURN)
        instance = _instance_or_404(instance_id)
        message = self._edited(request, order)
        _trace(request, self, order, [instance])
        again = instance_resubmit(instance=instance, message=message, **_how(request, order))
        job = resubmission_record(sent=[instance], **_how(request, order))
        sent = sent_again(request, instance, again)
        return Response(resubmitted(request, job, [sent], [], []), status=202)

    def _edited(self, request: Request, order: dict[str, Any]) -> bytes | None:
        """The edited message; only for who may see the one it replaces."""
        if "message" not in order:
            return None
        need(request, self, READ_PAYLOAD)
        return orjson.dumps(order["message"])


class ResubmitManyView(MonitoringView):
    """Send several again."""

    rights = {"POST": RESUBMIT}

    @extend_schema(
        operation_id="errors_resubmit_many",
        summary="Resubmit several error instances",
        description="By ids at once, each by itself: one that cannot be is named, and the others go on. By flow or by "
        "connection as an order (recoveryJobId) that is worked off in order of arrival, `rate` instances a minute; "
        "above HUB_APPROVE_ABOVE instances a second person has to agree to it in the console.",
        tags=["Monitoring"],
        parameters=documents.RETURN_ANY,
        request=documents.ResubmitManyRequest,
        responses=documents.answers(documents.ResubmitAnswer, status=202, conflict=True),
    )
    def post(self, request: Request) -> Response:
        """Those of the ids, or all open errors of a flow or a connection."""
        order = order_of(request, HOW | SELECTION | {"rate": int}, parameters=RETURN)
        if "ids" not in order:
            return self._ordered(request, order)
        known, invalid = _instances(order)
        if 0 < settings.HUB_APPROVE_ABOVE < len(known):
            errors = ErrorInstance.objects.filter(instance__in=known)
            return self._start(request, order, errors, f"{len(known)} errors, by the API", invalid)
        _trace(request, self, order, known)
        sent: list[dict[str, Any]] = []
        done: list[Instance] = []

        def act(instance: Instance) -> None:
            again = instance_resubmit(instance=instance, **_how(request, order))
            sent.append(sent_again(request, instance, again))
            done.append(instance)

        refused = _each(known, act)
        job = resubmission_record(sent=done, refused=refused, **_how(request, order)) if known else None
        return Response(resubmitted(request, job, sent, invalid, refused), status=202)

    def _ordered(self, request: Request, order: dict[str, Any]) -> Response:
        errors, title = selected(order)
        flow = Flow.objects.filter(identifier__iexact=order.get("flowCode", "")).first()
        if flow is not None:
            _trace_flow(request, self, order, flow)
        return self._start(request, order, errors, title, [])

    def _start(
        self, request: Request, order: dict[str, Any], errors: Any, title: str, invalid: list[str]
    ) -> Response:
        chosen = {name: value for name, value in order.items() if name in SELECTION}
        job = bulk_start(
            errors=errors,
            selection=chosen,
            title=title,
            rate=order.get("rate", RATE),
            **_how(request, order),
        )
        return Response(ordered(request, job, invalid), status=202)


class DiscardView(MonitoringView):
    """Let one be."""

    rights = {"POST": DISCARD}

    @extend_schema(
        operation_id="errors_discard",
        summary="Discard one error instance",
        tags=["Monitoring"],
        parameters=documents.RETURN_ANY,
        request=documents.DiscardRequest,
        responses=documents.answers(documents.DiscardAnswer, missing=True, conflict=True),
    )
    def post(self, request: Request, instance_id: uuid.UUID) -> Response:
        """Nothing more is done with it; the reason is kept."""
        order = order_of(request, {"reason": str}, parameters=RETURN)
        instance = _instance_or_404(instance_id)
        instance_discard(instance=instance, actor=actor_of(request), reason=order.get("reason", ""))
        return Response(discarded([instance], [], [], remaining=0))


class DiscardManyView(MonitoringView):
    """Let several be."""

    rights = {"POST": DISCARD}

    @extend_schema(
        operation_id="errors_discard_many",
        summary="Discard several error instances",
        description=f"By ids, by flow or by connection; at most {MOST_IDS} with one call, the oldest first. "
        "`remaining` says how many of the selection are left: call again.",
        tags=["Monitoring"],
        parameters=documents.RETURN_ANY,
        request=documents.DiscardManyRequest,
        responses=documents.answers(documents.DiscardAnswer),
    )
    def post(self, request: Request) -> Response:
        """Each by itself: one that cannot be is named, and the others go on."""
        order = order_of(request, {"reason": str, **SELECTION}, parameters=RETURN)
        remaining = 0
        if "ids" in order:
            known, invalid = _instances(order)
        else:
            errors, _ = selected(order)
            oldest = errors.select_related("instance__flow").order_by("last_failed_at", "pk")
            known, invalid = [error.instance for error in oldest[:MOST_IDS]], []
            remaining = errors.order_by()[: MOST_IDS * 20].count() - len(known)
        done: list[Instance] = []

        def act(instance: Instance) -> None:
            instance_discard(instance=instance, actor=actor_of(request), reason=order.get("reason", ""))
            done.append(instance)

        refused = _each(known, act)
        return Response(discarded(done, invalid, refused, remaining=remaining))


def _each(instances: list[Instance], act: Callable[[Instance], None]) -> Refusals:
    """Act on each; those that cannot be, and why."""
    refused: Refusals = []
    for instance in instances:
        try:
            act(instance)
        except Conflict as conflict:
            refused.append((instance, conflict.text))
    return refused


def _how(request: Request, order: dict[str, Any]) -> dict[str, Any]:
    """What every resubmission is told."""
    return {
        "actor": actor_of(request),
        "user": person_of(request),
        "from_start": order.get("fromStart", False),
        "reason": order.get("reason", ""),
    }


def _trace(request: Request, view: MonitoringView, order: dict[str, Any], instances: list[Instance]) -> None:
    for flow in {instance.flow_id: instance.flow for instance in instances}.values():
        _trace_flow(request, view, order, flow)


def _trace_flow(request: Request, view: MonitoringView, order: dict[str, Any], flow: Flow) -> None:
    """OIC's recoveryTraceLevel: the flow is traced at this level for an hour; Production changes nothing."""
    level = order.get("recoveryTraceLevel", "").lower()
    if level in ("", Flow.Tracing.PRODUCTION):
        return
    if level not in Flow.Tracing.values:
        raise BadRequest(
            f"recoveryTraceLevel is {level[:40]!r}; it is one of Production, Audit, Debug",
            details=[{"o:errorPath": "/recoveryTraceLevel"}],
        )
    need(request, view, TRACE)
    flow_trace(flow=flow, level=level, actor=actor_of(request), minutes=TRACED_MINUTES)


def _instance_or_404(instance_id: uuid.UUID) -> Instance:
    instance = Instance.objects.select_related("flow").filter(pk=instance_id).first()
    if instance is None:
        raise Http404
    return instance


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
