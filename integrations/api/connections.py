"""connections: the systems the hub reaches, their settings, and trying them."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.adapters.contract import TestStep
from integrations.api import documents
from integrations.api.auth import actor_of
from integrations.api.connection_change import FIELDS, change_of
from integrations.api.criteria import choice, criteria_of, named
from integrations.api.design_shapes import connection_shape
from integrations.api.errors import BadRequest
from integrations.api.monitoring import MonitoringView, address_of, order_of, parameters_of
from integrations.api.paging import PAGING, page_of
from integrations.models import Connection
from integrations.services.connection_save import ConnectionProblems, connection_save
from integrations.services.connection_test import connection_test

VIEW, TEST = "integrations.view_connection", "integrations.test_connection"
CHANGE = "integrations.change_connection"
CRITERIA = frozenset({"name", "role", "adapterType"})
ORDERS = {"name": ("name",), "time": ("-updated_at", "pk")}


def rows_of(view: MonitoringView) -> QuerySet[Connection]:
    """Without the secrets: what is not read cannot get out."""
    rows = Connection.objects.select_related("agent_group").defer("secrets")
    packages = view.packages
    return rows if packages is None else rows.filter(package__in=packages)


def connection_or_404(view: MonitoringView, name: str) -> Connection:
    """By its name."""
    connection = rows_of(view).filter(name=name).first()
    if connection is None:
        raise Http404
    return connection


class ConnectionsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="connections_list",
        summary="List the connections",
        tags=["Design"],
        parameters=documents.CONNECTION_QUERY,
        responses=documents.answers(documents.ConnectionPage),
    )
    def get(self, request: Request) -> Response:
        """A page of connections, by name."""
        parameters = parameters_of(request, PAGING | {"q", "orderBy", "expand"})
        rows = rows_of(self).order_by(*ORDERS[choice(parameters, "orderBy", tuple(ORDERS))])
        criteria = criteria_of(parameters.get("q", ""), CRITERIA)
        for name, column in (("name", "name"), ("role", "role"), ("adapterType", "adapter")):
            if name in criteria:
                rows = rows.filter(named(column, criteria[name]))
        return Response(page_of(request, rows, parameters, lambda row: connection_shape(request, row)))


class ConnectionView(MonitoringView):
    """One connection."""

    rights = {"GET": VIEW, "PATCH": CHANGE}

    @extend_schema(
        operation_id="connections_get",
        summary="One connection",
        tags=["Design"],
        parameters=[documents.CONNECTION_ID],
        responses=documents.answers(documents.ConnectionDocument, missing=True),
    )
    def get(self, request: Request, connection_id: str) -> Response:
        """Its plain settings; never its secrets."""
        parameters_of(request, frozenset({"expand"}))
        return Response(connection_shape(request, connection_or_404(self, connection_id)))

    @extend_schema(
        operation_id="connections_update",
        summary="Change a connection's settings, its secrets, or both",
        description="Also as POST with the header X-HTTP-Method-Override: PATCH. OIC's connectionProperties and "
        "securityProperties name the adapter's own settings; what is left out stays, null takes a setting away.",
        tags=["Design"],
        parameters=[documents.CONNECTION_ID],
        request=documents.ConnectionChange,
        responses=documents.answers(documents.ConnectionDocument, missing=True),
    )
    def patch(self, request: Request, connection_id: str) -> Response:
        """Checked as in the console; settings that cannot work are refused, each with a sentence."""
        order = order_of(request, FIELDS)
        connection_or_404(self, connection_id)
        connection = Connection.objects.select_related("agent_group").get(name=connection_id)
        change_of(connection, order)
        try:
            connection_save(
                connection=connection,
                trust=list(connection.trust.all()),
                actor=actor_of(request),
                address=address_of(request),
            )
        except ConnectionProblems as problems:
            details = [{"title": problem} for problem in problems.problems]
            raise BadRequest(f"{connection.name} could not work: {problems}", details=details) from None
        return Response(connection_shape(request, connection))


class ConnectionTestView(MonitoringView):
    """Test."""

    rights = {"POST": TEST}

    @extend_schema(
        operation_id="connections_test",
        summary="Test a connection",
        tags=["Design"],
        parameters=[documents.CONNECTION_ID],
        request=None,
        responses=documents.answers(documents.TestAnswer, missing=True),
    )
    def post(self, request: Request, connection_id: str) -> Response:
        """What was tried, how long it took, and the real error where one came."""
        parameters_of(request)
        connection_or_404(self, connection_id)
        connection = Connection.objects.get(name=connection_id)
        steps = connection_test(connection=connection, actor=actor_of(request), address=address_of(request))
        failed = next((step for step in steps if not step.ok), None)
        return Response(
            {
                "status": "FAILED" if failed else "SUCCESS",
                "message": f"{failed.what}: {failed.detail}" if failed else f"{connection.name} works",
                "steps": [_step(step) for step in steps],
            }
        )


def _step(step: TestStep) -> dict[str, Any]:
    return {
        "what": step.what,
        "ok": step.ok,
        "milliseconds": step.milliseconds,
        "detail": step.detail,
        "hint": step.hint,
        "offeredHostKey": step.offered_host_key,
    }
