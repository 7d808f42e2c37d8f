"""monitoring/errors: what failed."""

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.criteria import choice, criteria_of
from integrations.api.error_groups import GROUPS, connections_of
from integrations.api.error_query import CRITERIA, Rows, errors_asked_for
from integrations.api.monitoring import MonitoringView, parameters_of
from integrations.api.paging import PAGING, list_page, merged_page
from integrations.api.shapes import error_shape
from integrations.models import ErrorInstance

VIEW = "integrations.view_instance"
EXPANSIONS = ("integration", "connection")


def _related(rows: Rows) -> Rows:
    return rows.select_related("instance__flow")


class ErrorsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="errors_list",
        summary="List error instances, newest first",
        tags=["Monitoring"],
        parameters=documents.ERROR_QUERY,
        responses=documents.answers(documents.ErrorPage),
    )
    def get(self, request: Request) -> Response:
        """A page of errors, or of groups of them; without q's status, of the open ones and those sent again."""
        parameters = parameters_of(request, PAGING | {"q", "groupBy", "expand", "return"})
        criteria = criteria_of(parameters.get("q", ""), CRITERIA)
        expand = _expansions(parameters.get("expand", ""))
        rows, branches = errors_asked_for(criteria)
        group = choice(parameters, "groupBy", ("", *GROUPS))
        if group:
            items, exact = GROUPS[group]([rows.filter(**branch) for branch in branches])
            body = list_page(request, items, parameters, exact=exact)
        else:
            body = merged_page(
                request,
                _related(rows),
                branches,
                parameters,
                lambda row: error_shape(request, row),
                order="last_failed_at",
            )
            _expand(body["items"], expand)
        return Response(body | {"timeWindow": criteria.get("timewindow", "")})


class ErrorView(MonitoringView):
    """One error instance, by its instance's id."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="errors_get",
        summary="One error instance",
        tags=["Monitoring"],
        parameters=documents.EXPAND_ERROR,
        responses=documents.answers(documents.ErrorDocument, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """What failed, where and why."""
        parameters = parameters_of(request, frozenset({"expand", "return"}))
        expand = _expansions(parameters.get("expand", ""))
        error = _related(ErrorInstance.objects.filter(instance_id=instance_id)).first()
        if error is None:
            raise Http404
        shape = error_shape(request, error)
        _expand([shape], expand)
        return Response(shape)


def _expansions(text: str) -> list[str]:
    """What `expand` names: integration, connection, or both with a comma."""
    return [choice({"expand": one.strip()}, "expand", EXPANSIONS) for one in text.split(",") if one.strip()]


def _expand(items: list[dict[str, Any]], expand: list[str]) -> None:
    if "integration" in expand:
        for item in items:
            names = ("integrationId", "code", "integrationName", "integrationVersion")
            item["integration"] = {name: item[name] for name in names}
    if "connection" in expand:
        found = connections_of([uuid.UUID(item["id"]) for item in items])
        for item in items:
            item["connections"] = found.get(uuid.UUID(item["id"]), [])
