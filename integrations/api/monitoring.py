"""What every endpoint of the monitoring API shares: who may, what is asked, how lists look (OIC's own form)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from hub.address import client_address
from integrations.api.auth import MonitoringAuthentication, actor_of, client_of, person_of
from integrations.api.errors import BadRequest, Forbidden
from integrations.api.negotiation import AlwaysJson
from integrations.services.audit import audit

Row = TypeVar("Row", bound=Model)
DEFAULT_LIMIT, MOST = 50, 1000
LAST_OFFSET = 10_000_000
# OIC wants the name of the integration instance in every query; there is one hub, so it is let pass.
_ALWAYS = frozenset({"integrationInstance"})
_PAIR = re.compile(r"\s*(\w+)\s*:\s*(?:'([^']*)'|\"([^\"]*)\"|([^,'\"{}]+?))\s*(?:,|$)")


class HasRight(BasePermission):
    """The caller's person has the permission the view names for this method; a refusal is on record (S5)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or NotAuthenticated or Forbidden raised."""
        if request.user is None:
            raise NotAuthenticated
        reads = request.method in ("GET", "HEAD")
        right = view.rights.get("GET" if reads else request.method, "")
        if may(request, right) or (view.shows_own and reads and client_of(request) is not None):
            return True
        audit(
            actor=actor_of(request),
            action="call_refused",
            subject=f"api:{view.get_view_name()}"[:200],
            detail={"method": request.method, "permission": right},
            address=client_address(request._request) or None,
        )
        raise Forbidden(f"{actor_of(request)} does not have the permission {right}")


def may(request: Request, right: str) -> bool:
    """Whether the caller's person has a permission, e.g. integrations.view_instance; a client without one has none."""
    person = person_of(request)
    return person is not None and person.has_perm(right)


class MonitoringView(APIView):
    """Base of the endpoints. `rights`: method → permission; `shows_own`: clients may read what they sent."""

    authentication_classes = [MonitoringAuthentication]
    permission_classes = [HasRight]
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "post"]
    rights: ClassVar[Mapping[str, str]] = {}
    shows_own: ClassVar[bool] = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A method that is not served is said before credentials are asked for; U+0000 finds nothing anywhere."""
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds the character U+0000")
        super().initial(request, *args, **kwargs)


def parameters_of(request: Request, known: frozenset[str] = frozenset()) -> dict[str, str]:
    """The query's parameters; BadRequest for one that would have no effect here."""
    given = {name: request.query_params[name] for name in request.query_params}
    unknown = sorted(set(given) - known - _ALWAYS)
    if unknown:
        raise BadRequest(
            f"The parameter {unknown[0][:60]} is not known here",
            hint=f"Known: {', '.join(sorted(known)) or 'none'}.",
        )
    return given


def criteria_of(text: str, known: frozenset[str]) -> dict[str, str]:
    """The parameter q, e.g. {timewindow:'1d', status:'FAILED'}; BadRequest where it is not read or not known."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    found: dict[str, str] = {}
    at = 0
    while at < len(inner):
        pair = _PAIR.match(inner, at)
        if pair is None:
            raise BadRequest(
                f"The parameter q cannot be read from {inner[at : at + 40]!r}", hint="q={name:'value', …}"
            )
        if pair.group(1) not in known:
            raise BadRequest(
                f"q does not know {pair.group(1)[:60]}", hint=f"Known: {', '.join(sorted(known))}."
            )
        found[pair.group(1)] = next(value for value in pair.groups()[1:] if value is not None)
        at = pair.end()
    return found


def whole_number(parameters: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A parameter that counts: 0 to `most`; BadRequest otherwise."""
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most):
        raise BadRequest(f"The parameter {name} is {text[:40]!r}; it is a whole number up to {most}")
    return int(text)


def page_of(
    request: Request, rows: "QuerySet[Row]", parameters: Mapping[str, str], shape: Callable[[Row], Any]
) -> dict[str, Any]:
    """A collection as OIC pages it: items, hasMore, limit, offset, totalResults, links.

    `rows` are in a settled order; `shape` makes an item of one. Limit and offset come from the parameters.
    """
    limit = whole_number(parameters, "limit", DEFAULT_LIMIT, MOST)
    offset = whole_number(parameters, "offset", 0, LAST_OFFSET)
    total = rows.count()
    items = [shape(row) for row in rows[offset : offset + limit]]
    has_more = offset + len(items) < total and bool(items)
    links = [_page_link(request, "self", offset)]
    if has_more:
        links.append(_page_link(request, "next", offset + limit))
    if offset:
        links.append(_page_link(request, "prev", max(0, offset - limit)))
    return {
        "items": items,
        "hasMore": has_more,
        "limit": limit,
        "offset": offset,
        "totalResults": total,
        "links": links,
    }


def _page_link(request: Request, rel: str, offset: int) -> dict[str, str]:
    query = request.query_params.copy()
    query["offset"] = str(offset)
    return {"rel": rel, "href": request.build_absolute_uri(f"{request.path}?{query.urlencode()}")}


def links_to(**addresses: str) -> list[dict[str, str]]:
    """OIC's links: a list of rel and href."""
    return [{"rel": rel, "href": address} for rel, address in addresses.items()]
