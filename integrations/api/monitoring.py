"""What every endpoint of the monitoring and design API shares: who may, what is asked, what is sent."""

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from django.http import Http404, HttpRequest, HttpResponseBase
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from hub.address import client_address
from integrations.api.auth import MonitoringAuthentication, actor_of, client_of, person_of
from integrations.api.errors import BadRequest, Forbidden
from integrations.api.message import optional_json
from integrations.api.negotiation import AlwaysJson
from integrations.engine.registry import specs
from integrations.services.audit import audit

# OIC wants the name of the integration instance in every query; there is one hub, so it is let pass.
_ALWAYS = frozenset({"integrationInstance"})
Rights = str | tuple[str, ...]


class HasRight(BasePermission):
    """The caller's person has the permissions the view names for this method; a refusal is on record (S5)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or NotAuthenticated or Forbidden raised."""
        if request.user is None:
            raise NotAuthenticated
        reads = request.method in ("GET", "HEAD")
        wanted: Rights = view.rights.get("GET" if reads else request.method, "")
        missing = [right for right in _all(wanted) if not may(request, right)]
        if missing and not (view.shows_own and reads and client_of(request) is not None):
            refuse(request, view.get_view_name(), missing[0])
        return True


def _all(rights: Rights) -> tuple[str, ...]:
    return (rights,) if isinstance(rights, str) else rights


def may(request: Request, right: str) -> bool:
    """Whether the caller's person has a permission, e.g. integrations.view_instance; a client without one has none."""
    person = person_of(request)
    return person is not None and person.has_perm(right)


def need(request: Request, view: "MonitoringView", right: str) -> None:
    """Refuse who does not have a permission that only a part of what was asked takes."""
    if not may(request, right):
        refuse(request, view.get_view_name(), right)


def refuse(request: Request, what: str, right: str) -> NoReturn:
    """Forbidden, with the attempt in the audit trail."""
    audit(
        actor=actor_of(request),
        action="call_refused",
        subject=f"api:{what}"[:200],
        detail={"method": request.method, "permission": right},
        address=address_of(request),
    )
    raise Forbidden(f"{actor_of(request)} does not have the permission {right}")


def address_of(request: Request) -> str | None:
    """Where the call came from; proxies are believed as far as they are trusted."""
    return client_address(request._request) or None


class MonitoringView(APIView):
    """Base of the endpoints. `rights`: method → permissions; `shows_own`: clients may read what they sent."""

    authentication_classes = [MonitoringAuthentication]
    permission_classes = [HasRight]
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    rights: ClassVar[Mapping[str, Rights]] = {}
    shows_own: ClassVar[bool] = False
    project_id: str = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A POST that says PATCH is one, as OIC's clients send it. Views find the project at `packages`."""
        self.project_id = kwargs.pop("project_id", "")
        if request.method == "POST" and _override(request) == "PATCH":
            request.method = "PATCH"
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A method that is not served is said before credentials are asked for; U+0000 finds nothing anywhere."""
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds the character U+0000")
        if _override(request._request) not in ("", "PATCH", "POST"):
            raise BadRequest("X-HTTP-Method-Override is PATCH, or left out")
        super().initial(request, *args, **kwargs)

    @property
    def packages(self) -> list[str] | None:
        """The packages of the project in the address, None where it names none; Http404 for a project there is not."""
        if not self.project_id:
            return None
        found = project_packages(self.project_id)
        if not found:
            raise Http404
        return found


def _override(request: HttpRequest) -> str:
    return request.headers.get("X-HTTP-Method-Override", "").strip().upper()


def project_packages(project: str) -> list[str]:
    """The packages of a project, by its code or by a package's own name, in any case."""
    wanted = project.lower()
    packages = {spec.package for spec in specs()}
    return sorted(one.name for one in packages if wanted in (one.project.lower(), one.name.lower()))


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


def order_of(
    request: Request, fields: Mapping[str, Any], *, parameters: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The body's fields, checked for their types; BadRequest for another field or type. No body: {}.

    `parameters`: those of the query that are let pass.
    """
    parameters_of(request, parameters)
    body = optional_json(request._request)
    if not isinstance(body, dict):
        raise BadRequest("The body is a list; an object is expected")
    for name, value in body.items():
        if name not in fields:
            raise BadRequest(f"The field {name[:60]} is not known here", hint=f"Known: {', '.join(fields)}.")
        if not isinstance(value, fields[name]):
            raise BadRequest(f"The field {name} is not of its type", details=[{"o:errorPath": f"/{name}"}])
    return dict(body)


def links_to(**addresses: str) -> list[dict[str, str]]:
    """OIC's links: a list of rel and href."""
    return [{"rel": rel, "href": address} for rel, address in addresses.items()]
