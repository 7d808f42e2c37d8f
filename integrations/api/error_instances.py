"""monitoring/errors: what failed."""

import uuid
from collections.abc import Callable

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.errors import BadRequest
from integrations.api.monitoring import MonitoringView, criteria_of, page_of, parameters_of
from integrations.api.shapes import error_shape
from integrations.models import ErrorInstance

VIEW = "integrations.view_instance"
Rows = QuerySet[ErrorInstance]


def _rows() -> Rows:
    return ErrorInstance.objects.select_related("instance__flow")


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
        """A page of errors; without q's status, of the open ones and those sent again."""
        parameters = parameters_of(request, frozenset({"q", "limit", "offset"}))
        criteria = criteria_of(parameters.get("q", ""), frozenset(CRITERIA))
        rows = _rows()
        if "status" not in criteria:
            rows = rows.filter(state__in=[ErrorInstance.State.OPEN, ErrorInstance.State.RESUBMITTED])
        for name, value in criteria.items():
            rows = CRITERIA[name](rows, value)
        return Response(page_of(request, rows, parameters, lambda row: error_shape(request, row)))


class ErrorView(MonitoringView):
    """One error instance, by its instance's id."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="errors_get",
        summary="One error instance",
        tags=["Monitoring"],
        responses=documents.answers(documents.ErrorDocument, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """What failed, where and why."""
        parameters_of(request)
        error = _rows().filter(instance_id=instance_id).first()
        if error is None:
            raise Http404
        return Response(error_shape(request, error))


def _by_status(rows: Rows, value: str) -> Rows:
    if value not in ErrorInstance.State.values:
        raise BadRequest(f"status is {value[:40]!r}; it is one of {', '.join(ErrorInstance.State.values)}")
    return rows.filter(state=value)


def _by_family(rows: Rows, value: str) -> Rows:
    if not (value.isascii() and value.isdigit() and len(value) < 19):  # noqa: PLR2004  (digits of a 64-bit key)
        raise BadRequest(f"family is {value[:40]!r}, which is no number")
    return rows.filter(family_id=int(value))


CRITERIA: dict[str, Callable[[Rows, str], Rows]] = {
    "status": _by_status,
    "code": lambda rows, value: rows.filter(instance__flow__identifier__iexact=value),
    "errorCode": lambda rows, value: rows.filter(fault_code=value),
    "faultClass": lambda rows, value: rows.filter(fault_class=value),
    "primaryValue": lambda rows, value: rows.filter(instance__primary_key_value=value),
    "family": _by_family,
}
