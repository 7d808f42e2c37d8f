"""lookups: the tables, read only; values are edited in the console, where there is a history."""

from typing import Any

from django.db.models import Count
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from integrations.api import documents
from integrations.api.monitoring import MonitoringView, links_to, page_of, parameters_of
from integrations.api.shapes import moment
from lookups.models import Alias, Lookup, Row
from lookups.names import fold_name

VIEW = "lookups.view_lookup"


class LookupsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="lookups_list",
        summary="List the lookups",
        tags=["Design"],
        parameters=documents.PAGING,
        responses=documents.answers(documents.LookupPage),
    )
    def get(self, request: Request) -> Response:
        """A page of lookups without their rows."""
        parameters = parameters_of(request, frozenset({"limit", "offset"}))
        counts = dict(Row.objects.order_by().values_list("lookup_id").annotate(Count("pk")))
        lookups = Lookup.objects.all()
        return Response(
            page_of(request, lookups, parameters, lambda row: _summary(request, row, counts.get(row.pk, 0)))
        )


class LookupView(MonitoringView):
    """One lookup."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="lookups_get",
        summary="One lookup with its rows",
        tags=["Design"],
        parameters=[
            OpenApiParameter(
                "lookup_name", str, OpenApiParameter.PATH, description="Its name, or another spelling of it."
            )
        ],
        responses=documents.answers(documents.LookupDocument, missing=True),
    )
    def get(self, request: Request, lookup_name: str) -> Response:
        """Its columns and rows, in their order."""
        parameters_of(request)
        lookup = _lookup_by(lookup_name)
        rows = [
            {"rowData": cells}
            for cells in lookup.rows.order_by("position", "pk").values_list("cells", flat=True)
        ]
        return Response({**_summary(request, lookup, len(rows)), "rows": rows})


def _lookup_by(name: str) -> Lookup:
    """In any case and spelling, as flows find it."""
    found = Lookup.objects.filter(folded=fold_name(name)).first()
    if found is None:
        alias = Alias.objects.filter(of=Alias.Of.LOOKUP, folded=fold_name(name)).first()
        found = Lookup.objects.filter(folded=fold_name(alias.meaning)).first() if alias else None
    if found is None:
        raise Http404
    return found


def _summary(request: Request, lookup: Lookup, row_count: int) -> dict[str, Any]:
    at = {"lookup_name": lookup.name}
    return {
        "name": lookup.name,
        "description": lookup.description,
        "columns": lookup.columns,
        "rowCount": row_count,
        "lastUpdated": moment(lookup.updated_at),
        "links": links_to(self=reverse("integrations-api:lookup", kwargs=at, request=request)),
    }
