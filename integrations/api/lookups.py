"""lookups: the tables, read and written whole; single values are edited in the console."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, person_of
from integrations.api.criteria import choice, criteria_of, named
from integrations.api.errors import BadRequest
from integrations.api.lookup_shapes import lookup_shape, lookup_summary, usage_by_lookup
from integrations.api.monitoring import MonitoringView, address_of, need, order_of, parameters_of
from integrations.api.paging import PAGING, page_of
from integrations.engine.faults import Conflict
from integrations.services.audit import audit
from integrations.services.lookup_put import Table, Who, lookup_create, lookup_replace, table_of
from lookups.models import Alias, Lookup
from lookups.names import fold_name
from lookups.periods import FROM, UNTIL
from lookups.services import lookup_delete

VIEW, DELETE = "lookups.view_lookup", "lookups.delete_lookup"
MAKE = ("lookups.add_lookup", "lookups.add_row")
REPLACE = ("lookups.change_row", "lookups.add_row", "lookups.delete_row")
CHANGE = "lookups.change_lookup"
ORDERS = {"name": ("name",), "time": ("-updated_at", "name")}
# What a lookup's JSON holds beside what can be set: let pass, so that what was read can be sent back.
READ_BACK = (
    "rowCount",
    "status",
    "usage",
    "usageActive",
    "lockedFlag",
    "lockedBy",
    "lockedDate",
    "created",
    "createdBy",
    "lastUpdated",
    "lastUpdatedBy",
    "keywords",
    "links",
    "id",
    "package",
)
FIELDS: dict[str, Any] = {
    "name": str,
    "description": str,
    "columns": list,
    "rows": list,
    **dict.fromkeys(READ_BACK, object),
}
_DAYS = {"validFrom": FROM, "validUntil": UNTIL}


def lookups_of(view: MonitoringView) -> "QuerySet[Lookup]":
    """The lookups, of the project in the address where it names one, with who made and changed each."""
    history = Lookup.history.filter(id=OuterRef("pk")).values("history_user__username")
    rows = Lookup.objects.annotate(
        row_total=Count("rows"),
        made_by=Subquery(history.order_by("history_date", "history_id")[:1]),
        changed_by=Subquery(history.order_by("-history_date", "-history_id")[:1]),
    )
    packages = view.packages
    return rows if packages is None else rows.filter(package__in=packages)


def lookup_or_404(view: MonitoringView, name: str) -> Lookup:
    """In any case and spelling, as flows find it."""
    rows = lookups_of(view)
    found = rows.filter(folded=fold_name(name)).first()
    if found is None:
        alias = Alias.objects.filter(of=Alias.Of.LOOKUP, folded=fold_name(name)).first()
        found = rows.filter(folded=fold_name(alias.meaning)).first() if alias else None
    if found is None:
        raise Http404
    return found


def who_of(request: Request) -> Who:
    """The caller, as services want to know it."""
    return Who(actor_of(request), person_of(request), address_of(request))


class LookupsView(MonitoringView):
    """The list, and making one."""

    rights = {"GET": VIEW, "POST": MAKE}

    @extend_schema(
        operation_id="lookups_list",
        summary="List the lookups",
        tags=["Design"],
        parameters=documents.LOOKUP_QUERY,
        responses=documents.answers(documents.LookupPage),
    )
    def get(self, request: Request) -> Response:
        """A page of lookups without their rows."""
        parameters = parameters_of(request, PAGING | {"q", "orderBy", "expand"})
        criteria = criteria_of(parameters.get("q", ""), frozenset({"name", "package"}))
        order = choice(parameters, "orderBy", ("", *ORDERS))
        rows = lookups_of(self).order_by(*ORDERS.get(order, ("package", "name")))
        for name in criteria:
            rows = rows.filter(named(name, criteria[name]))
        usage = usage_by_lookup()
        return Response(page_of(request, rows, parameters, lambda row: lookup_summary(request, row, usage)))

    @extend_schema(
        operation_id="lookups_create",
        summary="Make a lookup",
        tags=["Design"],
        request=documents.LookupRequest,
        responses=documents.answers(documents.LookupDocument, status=201, conflict=True),
    )
    def post(self, request: Request) -> Response:
        """With its rows, all or nothing."""
        order = order_of(request, FIELDS)
        name, columns = order.get("name", ""), _texts(order.get("columns", []), "/columns")
        if not name.strip() or not columns:
            raise BadRequest(
                "A lookup has a name and columns", hint='{"name":"…","columns":["A","B"],"rows":[]}'
            )
        packages = self.packages
        made = lookup_create(
            name=name.strip(),
            columns=columns,
            description=order.get("description", ""),
            package=packages[0] if packages else "",
            table=_table(columns, order.get("rows", [])),
            who=who_of(request),
        )
        answer = lookup_shape(request, lookup_or_404(self, made.name))
        location = next(link["href"] for link in answer["links"] if link["rel"] == "self")
        return Response(answer, status=201, headers={"Location": location})


class LookupView(MonitoringView):
    """One lookup."""

    rights = {"GET": VIEW, "PUT": REPLACE, "DELETE": DELETE}

    @extend_schema(
        operation_id="lookups_get",
        summary="One lookup with its rows",
        tags=["Design"],
        parameters=[documents.LOOKUP_NAME],
        responses=documents.answers(documents.LookupDocument, missing=True),
    )
    def get(self, request: Request, lookup_name: str) -> Response:
        """Its columns and rows, in their order."""
        parameters_of(request, frozenset({"expand"}))
        return Response(lookup_shape(request, lookup_or_404(self, lookup_name)))

    @extend_schema(
        operation_id="lookups_replace",
        summary="Replace a lookup's rows",
        description="With exactly the rows of the body, all or nothing, with history; without rows they stay. Columns "
        "and description are changed by who may change lookups. Nothing is ever locked, so 423 is never answered.",
        tags=["Design"],
        parameters=[documents.LOOKUP_NAME],
        request=documents.LookupRequest,
        responses=documents.answers(documents.LookupDocument, missing=True),
    )
    def put(self, request: Request, lookup_name: str) -> Response:
        """The body is a lookup's JSON as GET gives it; what it cannot set is let pass."""
        order = order_of(request, FIELDS)
        lookup = lookup_or_404(self, lookup_name)
        if fold_name(order.get("name", lookup.name)) != lookup.folded:
            raise BadRequest("A lookup keeps its name", details=[{"o:errorPath": "/name"}])
        columns = _texts(order["columns"], "/columns") if "columns" in order else None
        description = order.get("description")
        if columns not in (None, lookup.columns) or description not in (None, lookup.description):
            need(request, self, CHANGE)
        table = _table(columns or lookup.columns, order["rows"]) if "rows" in order else None
        lookup_replace(
            lookup=Lookup.objects.get(pk=lookup.pk),
            table=table,
            who=who_of(request),
            columns=columns,
            description=description,
        )
        return Response(lookup_shape(request, lookup_or_404(self, lookup.name)))

    @extend_schema(
        operation_id="lookups_delete",
        summary="Delete a lookup and its rows",
        description="Its history stays. A lookup that a flow reads is kept: 409 names the flows.",
        tags=["Design"],
        parameters=[documents.LOOKUP_NAME],
        responses=documents.answers(None, status=204, missing=True, conflict=True),
    )
    def delete(self, request: Request, lookup_name: str) -> Response:
        """Only what no flow needs."""
        parameters_of(request)
        lookup = lookup_or_404(self, lookup_name)
        _refuse_used(lookup)
        key = lookup.pk
        lookup_delete(lookup=lookup, person=person_of(request))
        audit(
            actor=actor_of(request),
            action="lookup_delete",
            subject=f"lookup:{key}",
            detail={"name": lookup.name},
            address=address_of(request),
        )
        return Response(status=204)


def _refuse_used(lookup: Lookup) -> None:
    users = usage_by_lookup().of(lookup)
    if users:
        raise Conflict(f"{lookup.name} is read by {', '.join(users[:5])}", hint="It is kept.")


def _texts(values: Sequence[Any], path: str) -> list[str]:
    """A list of texts; BadRequest names the first that is none."""
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise BadRequest(f"{path}/{place} is no text", details=[{"o:errorPath": f"{path}/{place}"}])
    return list(values)


def _table(columns: list[str], rows: Sequence[Any]) -> Table:
    """OIC's rows, [{"rowData": [...]}], as a table; days only where a row has one."""
    days = [name for name in _DAYS if any(isinstance(row, dict) and name in row for row in rows)]
    found: list[list[str]] = []
    for place, row in enumerate(rows):
        path = f"/rows/{place}"
        if not isinstance(row, dict) or not isinstance(row.get("rowData"), list):
            raise BadRequest(
                f"{path} is no row", hint='{"rowData":["x","y"]}', details=[{"o:errorPath": path}]
            )
        cells = _texts(row["rowData"], f"{path}/rowData")
        if len(cells) > len(columns):
            raise BadRequest(f"{path} has more cells than there are columns", details=[{"o:errorPath": path}])
        cells += [""] * (len(columns) - len(cells))
        found.append([*cells, *(_texts([row.get(name) or ""], path)[0] for name in days)])
    return table_of([*columns, *(_DAYS[name] for name in days)], found)
