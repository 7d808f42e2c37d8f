"""Cloning on the console: the form, what a clone uses in place of what its code names, and taking it away."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from integrations.admin.base import ConsoleAdmin, PostAction, actor_of, address_of, refuse
from integrations.engine.faults import Fault, UnknownFlow
from integrations.models import Flow
from integrations.services.flow_clone import (
    base_spec,
    clone_delete_refusal,
    flow_clone,
    flow_clone_change,
    flow_clone_delete,
)
from integrations.services.flow_stands import KINDS, replaceable

CLONE = "integrations.clone_flow"
OWN = "own."
TITLES = {"connections": "Connections", "lookups": "Lookups", "flows": "Flows it calls"}


def own_posted(request: HttpRequest) -> dict[str, dict[str, str]]:
    """The form's choices: `own.<kind>.<name in the code>` = own name."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for key, value in request.POST.items():
        if key.startswith(OWN) and key.count(".") > 1:
            kind, _, name = key.removeprefix(OWN).partition(".")
            found.setdefault(kind, {})[name] = str(value).strip()
    return found


def own_fields(flow: Flow, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """A group for each kind of name: the name in the code, what may stand for it, what does."""
    try:
        spec = base_spec(flow)
    except UnknownFlow:
        return []
    rows = replaceable(spec)
    groups = []
    for kind, title in TITLES.items():
        mine = [
            {
                "field": f"{OWN}{kind}.{row.name}",
                "id": f"own-{kind}-{place}",
                "name": row.name,
                "choices": [one for one in row.choices if one != row.name],
                "value": chosen.get(kind, {}).get(row.name, ""),
            }
            for place, row in enumerate(rows)
            if row.kind == kind
        ]
        if mine:
            groups.append({"title": title, "what": KINDS[kind], "fields": mine})
    return groups


class ClonePages(ConsoleAdmin[Flow]):
    """The part of a flow's admin that clones."""

    clone_actions: ClassVar[tuple[PostAction, ...]] = (
        PostAction("clone", CLONE),
        PostAction("clone_change", CLONE),
        PostAction("clone_delete", CLONE),
    )

    def get_urls(self) -> list[URLPattern]:
        """The form has a page of its own."""
        view = self.admin_site.admin_view(self.clone_form_view)
        name = self.url_name("clone_form")
        return [path("<path:object_id>/clone_form/", view, name=name), *super().get_urls()]

    def clone_panel(self, request: HttpRequest, row: Flow) -> dict[str, Any]:
        """What the flow's page says of clones."""
        if row.clone_of is None:
            return {"clones": row.clones.all()}
        return {
            "own_groups": own_fields(row, row.stands_for),
            "clone_kept": clone_delete_refusal(row),
        }

    def clone_form_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The form for a new clone; it posts to `clone`."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not request.user.has_perm(CLONE):
            refuse(request, action="clone", subject=f"flow:{unquote(object_id)}"[:200])
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.gone(request, object_id)
        given = {
            "identifier": f"{row.identifier}_2",
            "name": f"{row.name} 2",
            "extensions": True,
            "schedules": True,
        }
        return self._clone_form(request, row, given, row.stands_for)

    def _clone_form(
        self, request: HttpRequest, row: Flow, given: dict[str, Any], own: dict[str, Any]
    ) -> TemplateResponse:
        return TemplateResponse(
            request,
            "admin/integrations/page.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Clone {row.identifier}",
                "original": row,
                "opts": self.opts,
                "media": self.media,
                "allowed": self.allowed(request),
                "panel_template": "admin/integrations/flow/clone_form.html",
                "given": given,
                "own_groups": own_fields(row, own),
            },
        )

    def post_clone(self, request: HttpRequest, row: Flow) -> HttpResponse:
        """Make the clone and go to its page; what is wrong is said above the form, with what was entered."""
        own = own_posted(request)
        given: dict[str, Any] = {
            "identifier": request.POST.get("identifier", ""),
            "name": request.POST.get("name", ""),
            "extensions": "extensions" in request.POST,
            "schedules": "schedules" in request.POST,
        }
        try:
            clone = flow_clone(
                flow=row,
                identifier=given["identifier"],
                name=given["name"],
                own=own,
                actor=actor_of(request),
                address=address_of(request),
                with_extensions=given["extensions"],
                with_schedules=given["schedules"],
            )
        except Fault as fault:
            self.say_fault(request, fault)
            return self._clone_form(request, row, given, own)
        said = f"{clone.identifier} is made. It is off: give it its settings and clients, then activate it."
        self.message_user(request, said, messages.SUCCESS)
        return self.back_to(clone)

    def post_clone_change(self, request: HttpRequest, row: Flow) -> None:
        """Other connections, lookups or called flows."""
        flow_clone_change(
            flow=row,
            name=request.POST.get("name", ""),
            own=own_posted(request),
            actor=actor_of(request),
            address=address_of(request),
        )
        self.message_user(request, f"{row.identifier} uses these from its next run on.", messages.SUCCESS)

    def post_clone_delete(self, request: HttpRequest, row: Flow) -> HttpResponse:
        """Take it away, and go to what it was a clone of."""
        identifier, base = row.identifier, row.clone_of
        flow_clone_delete(flow=row, actor=actor_of(request), address=address_of(request))
        self.message_user(request, f"{identifier} is deleted.", messages.SUCCESS)
        if base is None:
            return HttpResponseRedirect(reverse(f"admin:{self.url_name('changelist')}"))
        return self.back_to(base)
