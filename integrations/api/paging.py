"""Collections as OIC pages them: items, hasMore, limit, offset, totalResults, links; bounded with millions of rows.

`totalResults` is counted up to COUNTED and `totalResultsExact` says whether that was all; `hasMore` is always exact.
An offset goes up to LAST_OFFSET: beyond, a list is narrowed with startdate and enddate (docs/api.md).
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from integrations.api.errors import BadRequest

Row = TypeVar("Row", bound=Model)
DEFAULT_LIMIT, MOST = 50, 1000
COUNTED = LAST_OFFSET = 10_000
PAGING = frozenset({"limit", "offset"})
_FURTHER = "Narrow the list with startdate and enddate to go further."


def whole_number(parameters: Mapping[str, str], name: str, default: int, most: int, *, hint: str = "") -> int:
    """A parameter that counts: 0 to `most`; BadRequest otherwise."""
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most):
        raise BadRequest(
            f"The parameter {name} is {text[:40]!r}; it is a whole number up to {most}", hint=hint
        )
    return int(text)


def place_of(parameters: Mapping[str, str]) -> tuple[int, int]:
    """Offset and limit."""
    limit = whole_number(parameters, "limit", DEFAULT_LIMIT, MOST)
    return whole_number(parameters, "offset", 0, LAST_OFFSET, hint=_FURTHER), limit


def page_of(
    request: Request, rows: "QuerySet[Row]", parameters: Mapping[str, str], shape: Callable[[Row], Any]
) -> dict[str, Any]:
    """A page of rows in a settled order; `shape` makes an item of one. Limit and offset come from the parameters."""
    offset, limit = place_of(parameters)
    found = list(rows[offset : offset + limit + 1])
    return _page(request, [shape(row) for row in found[:limit]], (offset, limit), len(found) > limit, [rows])


def merged_page(
    request: Request,
    rows: "QuerySet[Row]",
    branches: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, str],
    shape: Callable[[Row], Any],
    *,
    order: str,
    exact: bool = True,
) -> dict[str, Any]:
    """A page of rows newest first by `order` and the key, read branch by branch, each by its own index.

    `branches`: filters that share out the rows between them, e.g. one status each: an index serves the order of one
    status, not of two. `exact`: false where `rows` are not all there are.
    """
    offset, limit = place_of(parameters)
    parts = [rows.filter(**branch) for branch in branches] or [rows]
    keys = _keys(parts, order, offset, offset + limit + 1)
    by_key = {row.pk: row for row in rows.filter(pk__in=keys)} if keys else {}
    items = [shape(by_key[key]) for key in keys[:limit] if key in by_key]
    body = _page(request, items, (offset, limit), len(keys) > limit, parts)
    return body if exact else body | {"totalResultsExact": False}


def _keys(parts: "Sequence[QuerySet[Any]]", order: str, first: int, last: int) -> list[Any]:
    """The keys at these places of what the parts hold together."""
    ordered = [part.order_by(f"-{order}", "-pk") for part in parts]
    if len(ordered) == 1:
        return list(ordered[0].values_list("pk", flat=True)[first:last])
    runs = [list(part.values_list(order, "pk")[:last]) for part in ordered]
    return [key for _, key in islice(heapq.merge(*runs, reverse=True), first, last)]


def keyed_page(
    request: Request,
    rows: "QuerySet[Row]",
    keys: Sequence[Any],
    parameters: Mapping[str, str],
    shape: Callable[[Row], Any],
    *,
    exact: bool = True,
) -> dict[str, Any]:
    """A page of rows whose keys are all known, in their order."""
    offset, limit = place_of(parameters)
    body = list_page(request, keys, parameters, exact=exact)
    by_key = {row.pk: row for row in rows.filter(pk__in=keys[offset : offset + limit])}
    return body | {"items": [shape(by_key[key]) for key in body["items"] if key in by_key]}


def list_page(
    request: Request, items: Sequence[Any], parameters: Mapping[str, str], *, exact: bool = True
) -> dict[str, Any]:
    """A page of items that are all there already; `exact`: whether they are all there are."""
    offset, limit = place_of(parameters)
    body = _frame(request, (offset, limit), has_more=offset + limit < len(items) and limit > 0)
    return {
        "items": list(items[offset : offset + limit]),
        **body,
        "totalResults": len(items),
        "totalResultsExact": exact,
    }


def _page(
    request: Request,
    items: list[Any],
    place: tuple[int, int],
    more: bool,
    parts: Sequence["QuerySet[Any]"],
) -> dict[str, Any]:
    offset, limit = place
    total, exact = offset + len(items), True
    if more or not items:
        total, exact = counted(parts)
    body = _frame(request, place, has_more=more and limit > 0)
    return {"items": items, **body, "totalResults": total, "totalResultsExact": exact}


def counted(parts: Sequence["QuerySet[Any]"]) -> tuple[int, bool]:
    """How many rows there are, up to COUNTED, and whether that is all of them."""
    total = 0
    for part in parts:
        total += part.order_by()[: COUNTED + 1 - total].count()
        if total > COUNTED:
            return COUNTED, False
    return total, True


def _frame(request: Request, place: tuple[int, int], *, has_more: bool) -> dict[str, Any]:
    offset, limit = place
    links = [_page_link(request, "self", offset)]
    if has_more and offset + limit <= LAST_OFFSET:
        links.append(_page_link(request, "next", offset + limit))
    if offset:
        links.append(_page_link(request, "prev", max(0, offset - limit)))
    return {"hasMore": has_more, "limit": limit, "offset": offset, "links": links}


def _page_link(request: Request, rel: str, offset: int) -> dict[str, str]:
    query = request.query_params.copy()
    query["offset"] = str(offset)
    return {"rel": rel, "href": request.build_absolute_uri(f"{request.path}?{query.urlencode()}")}
