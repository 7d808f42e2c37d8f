"""Errors in groups: by message (their families), by flow, by the connection whose call failed.

Of each state the newest COUNTED are grouped; by connection, the newest LOOKED_AT, as each one's stream is read for it.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min

from integrations.api.error_query import Rows
from integrations.api.paging import COUNTED
from integrations.api.shapes import moment
from integrations.models import Activity, Connection, ErrorFamily

LOOKED_AT = 1_000
Groups = tuple[list[dict[str, Any]], bool]


def by_message(parts: Sequence[Rows]) -> Groups:
    """The families, the largest first."""
    counts, exact = _families(parts)
    families = ErrorFamily.objects.select_related("flow").in_bulk(counts)
    items = [
        {
            "family": key,
            "errorMessage": families[key].message,
            "faultClass": families[key].fault_class,
            "errorCode": families[key].fault_code,
            **_flow(families[key]),
            **figures,
        }
        for key, figures in counts.items()
    ]
    return _by_number(items), exact


def by_integration(parts: Sequence[Rows]) -> Groups:
    """The flows, the one with most errors first."""
    counts, exact = _families(parts)
    families = ErrorFamily.objects.select_related("flow").in_bulk(counts)
    items: dict[int, dict[str, Any]] = {}
    for key, figures in counts.items():
        known = items.setdefault(families[key].flow_id, {**_flow(families[key]), **figures, "noOfErrors": 0})
        known["noOfErrors"] += figures["noOfErrors"]
        known["firstFailed"] = min(known["firstFailed"], figures["firstFailed"])
        known["lastFailed"] = max(known["lastFailed"], figures["lastFailed"])
    return _by_number(list(items.values())), exact


def by_connection(parts: Sequence[Rows]) -> Groups:
    """The connections whose calls failed, the one with most errors first; "" for errors without a failed call."""
    rows: list[tuple[uuid.UUID, datetime]] = []
    for part in parts:
        newest = part.order_by("-last_failed_at", "-pk").values_list("instance_id", "last_failed_at")
        rows += newest[: LOOKED_AT + 1]
    rows.sort(key=lambda row: row[1], reverse=True)
    looked_at = dict(rows[:LOOKED_AT])
    found = connections_of(list(looked_at))
    counts: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for key, failed_at in looked_at.items():
        for name in [one["name"] for one in found.get(key, [])] or [""]:
            counts[name] += 1
            last[name] = max(failed_at, last.get(name, failed_at))
    items = [
        {"connection": name, "noOfErrors": number, "lastFailed": moment(last[name])}
        for name, number in counts.most_common()
    ]
    return items, len(rows) <= LOOKED_AT


GROUPS: dict[str, Callable[[Sequence[Rows]], Groups]] = {
    "messages": by_message,
    "integration": by_integration,
    "connection": by_connection,
}


def connections_of(instances: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """Instance → the connections at which a call of it failed."""
    calls = Activity.objects.filter(
        instance__in=instances, level=Activity.Level.ERROR, connection__isnull=False
    )
    pairs = list(calls.order_by().values_list("instance_id", "connection_id").distinct())
    rows = Connection.objects.defer("secrets").in_bulk({connection for _, connection in pairs})
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for instance, connection in pairs:
        row = rows[connection]
        found.setdefault(instance, []).append({"id": row.name, "name": row.name, "adapterType": row.adapter})
    return found


def _families(parts: Sequence[Rows]) -> tuple[dict[int, dict[str, Any]], bool]:
    """Family → its figures, among the newest COUNTED of each part; and whether those are all."""
    counts: dict[int, dict[str, Any]] = {}
    exact = True
    for part in parts:
        newest = part.order_by("-last_failed_at", "-pk")
        edge = list(newest.values_list("last_failed_at", flat=True)[COUNTED : COUNTED + 1])
        exact = exact and not edge
        rows = part.filter(last_failed_at__gt=edge[0]) if edge else part
        for family, number, first, last in (
            rows.order_by()
            .values_list("family")
            .annotate(number=Count("pk"), first=Min("first_failed_at"), last=Max("last_failed_at"))
        ):
            _add(counts.setdefault(family, {"noOfErrors": 0}), number, moment(first), moment(last))
    return counts, exact


def _add(known: dict[str, Any], number: int, first: Any, last: Any) -> None:
    known["noOfErrors"] += number
    known["firstFailed"] = min(known.get("firstFailed", first), first)
    known["lastFailed"] = max(known.get("lastFailed", last), last)


def _flow(family: ErrorFamily) -> dict[str, Any]:
    flow = family.flow
    return {
        "integrationId": f"{flow.identifier}|{flow.version}",
        "code": flow.identifier,
        "version": flow.version,
        "integrationName": flow.name,
    }


def _by_number(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: -item["noOfErrors"])
