"""What monitoring/errors is asked for, and which errors an order's selection means."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.api.criteria import SPAN, number_of, one_of, time_of, window_start, within
from integrations.api.errors import BadRequest
from integrations.api.instance_query import id_of, with_key, with_other_key
from integrations.api.monitoring import project_packages
from integrations.models import Activity, Connection, ErrorFamily, ErrorInstance, Flow

Rows = QuerySet[ErrorInstance]
State = ErrorInstance.State
WAITING = (State.OPEN, State.RESUBMITTED)
BY_FLOW = {"flowCode": str, "flowVersion": str, "timewindow": str}
BY_CONNECTION = {"connectionCode": str, "startDate": str, "endDate": str}


def errors_asked_for(criteria: Mapping[str, str]) -> tuple[Rows, list[dict[str, Any]]]:
    """The rows that fit, and the states that share them out; without status, the open ones and those sent again."""
    rows = ErrorInstance.objects.filter(within(criteria, "last_failed_at"))
    for name, condition in CONDITIONS.items():
        if name in criteria:
            rows = rows.filter(condition(criteria[name]))
    states: Iterable[str] = WAITING
    if "status" in criteria:
        states = [one_of("status", criteria["status"], State.values)]
    return rows, [{"state": state} for state in states]


def selected(order: Mapping[str, Any]) -> tuple[Rows, str]:
    """The open errors a body selects, by flow or by connection, and the choice in words; BadRequest for neither."""
    rows = ErrorInstance.objects.filter(state=State.OPEN)
    if "flowCode" in order:
        return _of_flow(rows, order)
    if "connectionCode" in order:
        return _of_connection(rows, order)
    raise BadRequest(
        "Which errors are meant is not said",
        hint='{"ids":["…"]}, {"flowCode":"…","flowVersion":"…","timewindow":"1d"} or '
        '{"connectionCode":"…","startDate":"…","endDate":"…"}',
    )


def _of_flow(rows: Rows, order: Mapping[str, Any]) -> tuple[Rows, str]:
    flow = Flow.objects.filter(identifier__iexact=order["flowCode"]).first()
    if flow is None:
        raise BadRequest(f"There is no integration {order['flowCode'][:60]!r}")
    rows = rows.filter(_in_families([flow.pk]))
    said = f"Open errors of {flow.identifier}"
    if order.get("flowVersion"):
        rows = rows.filter(instance__flow_version=order["flowVersion"])
        said += f" {order['flowVersion'][:20]}"
    start = window_start(order["timewindow"]) if "timewindow" in order else None
    if start is None:
        return rows, said
    return rows.filter(last_failed_at__gte=start), f"{said} of the last {order['timewindow']}"


def _of_connection(rows: Rows, order: Mapping[str, Any]) -> tuple[Rows, str]:
    row = Connection.objects.filter(name__iexact=order["connectionCode"]).defer("secrets").first()
    if row is None:
        raise BadRequest(f"There is no connection {order['connectionCode'][:60]!r}")
    rows, said = rows.filter(_at_connection(row.name)), f"Open errors at {row.name}"
    for name, sign, word in (("startDate", "gte", "from"), ("endDate", "lte", "to")):
        if name in order:
            rows = rows.filter(**{f"last_failed_at__{sign}": _moment(name, order[name])})
            said += f" {word} {order[name]}"
    return rows, said


def _moment(name: str, value: str) -> datetime:
    return time_of(name, value.replace("T", " ").removesuffix("Z").partition(".")[0])


def _in_families(flows: Iterable[int]) -> Q:
    """By the families of the flows, which are few: the errors' own index does the rest."""
    families = ErrorFamily.objects.filter(flow__in=list(flows))
    return Q(family__in=list(families.values_list("pk", flat=True)))


def _by_code(value: str) -> Q:
    return _in_families(Flow.objects.filter(identifier__iexact=value).values_list("pk", flat=True))


def _by_project(value: str) -> Q:
    return _in_families(Flow.objects.filter(package__in=project_packages(value)).values_list("pk", flat=True))


def _at_connection(name: str) -> Q:
    """Those with a failed call at this connection."""
    calls = Activity.objects.filter(
        instance=OuterRef("instance"), level=Activity.Level.ERROR, connection__name__iexact=name
    )
    return Q(Exists(calls))


CONDITIONS: dict[str, Callable[[str], Q]] = {
    "code": _by_code,
    "projectCode": _by_project,
    "version": lambda value: Q(instance__flow_version=value),
    "errorCode": lambda value: Q(fault_code=value),
    "faultClass": lambda value: Q(fault_class=value),
    "family": lambda value: Q(family_id=number_of("family", value)),
    "connection": _at_connection,
    "primaryValue": lambda value: Q(instance__primary_key_value=value),
    "secondaryValue": lambda value: with_other_key(value, "instance"),
    "tertiaryValue": lambda value: with_other_key(value, "instance"),
    "businessIDValue": lambda value: with_key(value, "instance"),
    "id": lambda value: Q(instance_id=id_of("id", value)),
    "instanceId": lambda value: Q(instance_id=id_of("instanceId", value)),
}
CRITERIA = frozenset({*CONDITIONS, *SPAN, "status"})
