"""connections: the systems the hub reaches, and trying them."""

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hub.address import client_address
from integrations.adapters.contract import TestStep
from integrations.api import documents
from integrations.api.auth import actor_of
from integrations.api.monitoring import MonitoringView, page_of, parameters_of
from integrations.api.shapes import connection_shape
from integrations.models import Connection
from integrations.services.connection_test import connection_test

VIEW, TEST = "integrations.view_connection", "integrations.test_connection"
_ID = [OpenApiParameter("connection_id", str, OpenApiParameter.PATH, description="The connection's name.")]


def _rows() -> QuerySet[Connection]:
    """Without the secrets: what is not read cannot get out."""
    return Connection.objects.select_related("agent_group").defer("secrets")


class ConnectionsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="connections_list",
        summary="List the connections",
        tags=["Design"],
        parameters=documents.PAGING,
        responses=documents.answers(documents.ConnectionPage),
    )
    def get(self, request: Request) -> Response:
        """A page of connections, by name."""
        parameters = parameters_of(request, frozenset({"limit", "offset"}))
        return Response(page_of(request, _rows(), parameters, lambda row: connection_shape(request, row)))


class ConnectionView(MonitoringView):
    """One connection."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="connections_get",
        summary="One connection",
        tags=["Design"],
        parameters=_ID,
        responses=documents.answers(documents.ConnectionDocument, missing=True),
    )
    def get(self, request: Request, connection_id: str) -> Response:
        """Its plain settings; never its secrets."""
        parameters_of(request)
        connection = _rows().filter(name=connection_id).first()
        if connection is None:
            raise Http404
        return Response(connection_shape(request, connection))


class ConnectionTestView(MonitoringView):
    """Test."""

    rights = {"POST": TEST}

    @extend_schema(
        operation_id="connections_test",
        summary="Test a connection",
        tags=["Design"],
        parameters=_ID,
        request=None,
        responses=documents.answers(documents.TestAnswer, missing=True),
    )
    def post(self, request: Request, connection_id: str) -> Response:
        """What was tried, how long it took, and the real error where one came."""
        parameters_of(request)
        connection = Connection.objects.filter(name=connection_id).first()
        if connection is None:
            raise Http404
        steps = connection_test(
            connection=connection, actor=actor_of(request), address=client_address(request._request) or None
        )
        failed = next((step for step in steps if not step.ok), None)
        return Response(
            {
                "status": "FAILED" if failed else "SUCCESS",
                "message": f"{failed.what}: {failed.detail}" if failed else f"{connection.name} works",
                "steps": [_step(step) for step in steps],
            }
        )


def _step(step: TestStep) -> dict[str, object]:
    return {
        "what": step.what,
        "ok": step.ok,
        "milliseconds": step.milliseconds,
        "detail": step.detail,
        "hint": step.hint,
        "offeredHostKey": step.offered_host_key,
    }
