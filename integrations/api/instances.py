"""monitoring/instances: what ran."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, F, Max
from django.db.models.functions import Coalesce
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, client_of
from integrations.api.criteria import choice, criteria_of
from integrations.api.instance_detail import instance_detail
from integrations.api.instance_query import CRITERIA, InstanceQuery, Rows, asked_for, took
from integrations.api.monitoring import MonitoringView, address_of, may, order_of, parameters_of
from integrations.api.paging import PAGING, keyed_page, list_page, merged_page
from integrations.api.shapes import instance_links, instance_shape, moment, run_of
from integrations.models import Flow, Instance
from integrations.services.instance_abort import instance_abort

VIEW, ABORT = "integrations.view_instance", "integrations.discard_instance"
ORDERS = ("creationdate", "lastupdateddate", "executiontime")
KNOWN = PAGING | {"q", "orderBy", "fields", "groupBy", "return"}


def _rows() -> Rows:
    return Instance.objects.select_related("flow", "client", "user")


def _own(request: Request) -> int | None:
    """The calling client's key, where it sees only what it sent; None for who may see all."""
    client = client_of(request)
    return client.pk if client is not None and not may(request, VIEW) else None


def instance_or_404(request: Request, instance_id: uuid.UUID) -> Instance:
    """The instance, if the caller may see it; one it may not see is not there."""
    own = _own(request)
    instance = _rows().filter(pk=instance_id).first()
    if instance is None or (own is not None and instance.client_id != own):
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
        """A page of instances; `fields=id` and `runId` give those and links only, `groupBy=integration` counts."""
        parameters = parameters_of(request, KNOWN)
        criteria = criteria_of(parameters.get("q", ""), CRITERIA)
        fields = choice(parameters, "fields", ("all", "id", "runId"))
        order = choice(parameters, "orderBy", ORDERS)
        minimal = choice(parameters, "return", ("all", "minimal")) == "minimal"
        rows = _rows() if minimal or fields != "all" else _rows().prefetch_related("keys")
        query = asked_for(rows, criteria, _own(request))
        if choice(parameters, "groupBy", ("", "integration")):
            body = _grouped(request, query, parameters)
        elif fields == "all":
            body = _page(request, query, parameters, order, minimal=minimal)
        else:
            body = _short_page(request, query, parameters, order, fields)
        return Response(body | {"timeWindow": criteria.get("timewindow", "")})


class InstanceView(MonitoringView):
    """One instance."""

    rights = {"GET": VIEW}
    shows_own = True

    @extend_schema(
        operation_id="instances_get",
        summary="One instance",
        tags=["Monitoring"],
        parameters=documents.RETURN,
        responses=documents.answers(documents.InstanceDetail, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """Its state, times, keys, milestones and fault; never its message."""
        parameters = parameters_of(request, frozenset({"return"}))
        minimal = choice(parameters, "return", ("all", "minimal")) == "minimal"
        return Response(instance_detail(request, instance_or_404(request, instance_id), minimal=minimal))


class AbortView(MonitoringView):
    """Abort."""

    rights = {"POST": ABORT}

    @extend_schema(
        operation_id="instances_abort",
        summary="Abort an instance that is under way",
        tags=["Monitoring"],
        request=documents.AbortRequest,
        responses=documents.answers(documents.InstanceDocument, missing=True, conflict=True),
    )
    def post(self, request: Request, instance_id: uuid.UUID) -> Response:
        """Nothing more is begun for it; a call to a target that is under way is not taken back."""
        order = order_of(request, {"reason": str})
        instance = instance_or_404(request, instance_id)
        instance_abort(
            instance=instance,
            actor=actor_of(request),
            reason=order.get("reason", ""),
            address=address_of(request),
        )
        return Response(instance_shape(request, instance))


def _page(
    request: Request,
    query: InstanceQuery,
    parameters: Mapping[str, str],
    order: str,
    *,
    minimal: bool = False,
) -> dict[str, Any]:
    def shape(row: Instance) -> dict[str, Any]:
        return instance_shape(request, row, minimal=minimal)

    return _in_order(request, query, parameters, order, shape)


def _short_page(
    request: Request, query: InstanceQuery, parameters: Mapping[str, str], order: str, fields: str
) -> dict[str, Any]:
    def shape(row: Instance) -> dict[str, Any]:
        own = {"id": str(row.pk)} if fields == "id" else {"runId": run_of(row)}
        return own | {"links": instance_links(request, row)}

    return _in_order(request, query, parameters, order, shape)


def _in_order(
    request: Request, query: InstanceQuery, parameters: Mapping[str, str], order: str, shape: Any
) -> dict[str, Any]:
    """By creation as the index has it; otherwise the newest are sorted."""
    if order == "creationdate":
        return merged_page(
            request,
            query.rows,
            query.branches,
            parameters,
            shape,
            order="created_at",
            exact=query.exact,
        )
    newest = query.newest()
    value = took() if order == "executiontime" else Coalesce("ended_at", "started_at", "created_at")
    keys = newest.sorted_by(value)
    return keyed_page(request, query.rows, keys, parameters, shape, exact=query.exact and newest.exact)


def _grouped(request: Request, query: InstanceQuery, parameters: Mapping[str, str]) -> dict[str, Any]:
    """How many of each flow, among the newest COUNTED; by number."""
    newest = query.newest()
    counts: dict[int, list[Any]] = {}
    for part in newest.parts:
        rows = part.order_by().values_list("flow").annotate(number=Count("pk"), last=Max(F("created_at")))
        for flow, number, last in rows:
            known = counts.setdefault(flow, [0, last])
            known[0], known[1] = known[0] + number, max(known[1], last)
    flows = Flow.objects.in_bulk(counts)
    items = [
        {
            "integrationId": f"{flows[key].identifier}|{flows[key].version}",
            "code": flows[key].identifier,
            "version": flows[key].version,
            "integrationName": flows[key].name,
            "noOfInstances": number,
            "lastCreationDate": moment(last),
        }
        for key, (number, last) in sorted(counts.items(), key=lambda item: -item[1][0])
    ]
    return list_page(request, items, parameters, exact=query.exact and newest.exact)
