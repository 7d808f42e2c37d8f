"""Flows: what each is and needs, its switch, its tracing level, a run by hand, its figures, its clones."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, actor_of, address_of
from integrations.admin.flow_clone_pages import ClonePages
from integrations.admin.flow_counters import COUNTERS, CountersMixin
from integrations.admin.flow_edge import sheet_of, sheet_text
from integrations.admin.flow_page import flow_context
from integrations.admin.flow_progress import progress_of, remember, watched
from integrations.engine.faults import InvalidMessage
from integrations.engine.registry import spec_for
from integrations.engine.tracing import effective_tracing
from integrations.models import Flow
from integrations.present import badge
from integrations.services.flow_adjust import flow_adjust
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import FlowNotReady, flow_activate, flow_deactivate, flow_trace

PARAMETER = "parameter_"


@admin.register(Flow)
class FlowAdmin(CountersMixin, ClonePages):
    """What is code is shown; what a site decides (switch, tracing, retention) can be changed."""

    post_actions = (
        PostAction("activate", "integrations.activate_flow"),
        PostAction("deactivate", "integrations.activate_flow"),
        PostAction("trace", "integrations.trace_flow"),
        PostAction("run", "integrations.run_flow"),
        *ClonePages.clone_actions,
    )
    panel_template = "admin/integrations/flow/panel.html"
    list_display = (
        "identifier",
        "name",
        "package",
        "pattern_name",
        "switch",
        "level",
        *COUNTERS,
    )
    list_filter = ("package", "pattern", "active", "present")
    search_fields = ("identifier", "name", "package")
    fields = ("retention_days", "acknowledgement_hours")
    actions = None

    class Media:
        """The drawing's style, and what refreshes a run and copies a setting."""

        css = {"all": ["integrations/console.css", "integrations/flow.css"]}
        js = ["integrations/flow.js"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: a flow is code, and a clone is made on its page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: its instances refer to it; a clone without any has a button of its own."""
        return False

    def save_model(self, request: HttpRequest, obj: Flow, form: Any, change: bool) -> None:
        """By the service, which writes history and audits."""
        flow_adjust(flow=obj, actor=actor_of(request), address=address_of(request))

    @display(description="Pattern", ordering="pattern")
    def pattern_name(self, row: Flow) -> str:
        """The pattern's short name."""
        return str(row.get_pattern_display()).partition(":")[0]

    @display(description="Switch", ordering="active")
    def switch(self, row: Flow) -> SafeString:
        """Active, inactive, or no longer in the code."""
        if not row.present:
            return badge("missing", "not installed")
        return badge("active") if row.active else badge("inactive")

    @display(description="Tracing", ordering="tracing")
    def level(self, row: Flow) -> SafeString:
        """The level that holds now."""
        return badge(effective_tracing(row))

    # -- the page ----------------------------------------------------------------------------------------

    def panel(self, request: HttpRequest, row: Flow | None) -> dict[str, Any]:
        """All the code and the rows say of a flow."""
        return flow_context(request, row) | self.clone_panel(request, row) if row else {}

    def get_urls(self) -> list[URLPattern]:
        """What is watched, and what is printed."""
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/progress/", wrap(self.progress_view), name=self.url_name("progress")),
            path("<path:object_id>/edge.txt", wrap(self.edge_view), name=self.url_name("edge")),
            *super().get_urls(),
        ]

    def _shown(self, request: HttpRequest, object_id: str) -> Flow:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404("There is no such flow")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """A run's state and its lines after `after`, as JSON."""
        row = self._shown(request, object_id)
        if not request.user.has_perm("integrations.view_instance"):
            raise PermissionDenied
        instance = watched(request, row)
        if instance is None:
            raise Http404("There is no such run")
        after = request.GET.get("after", "")
        return JsonResponse(progress_of(instance, int(after) if after.isdecimal() and len(after) < 19 else 0))  # noqa: PLR2004  (a 64-bit number)

    def edge_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """What to enter at the edge system, as a text file."""
        row = self._shown(request, object_id)
        spec = spec_for(row.identifier)
        sheet = sheet_of(spec, row)
        if sheet is None:
            raise Http404("No address starts this flow")
        answer = HttpResponse(sheet_text(spec, sheet), content_type="text/plain; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="{row.identifier}.txt"'
        return answer

    # -- the buttons -------------------------------------------------------------------------------------

    def post_activate(self, request: HttpRequest, row: Flow) -> None:
        """Switch on, or say everything that is missing."""
        try:
            flow_activate(flow=row, actor=actor_of(request))
        except FlowNotReady as error:
            for problem in error.problems:
                self.message_user(request, f"Not activated: {problem}", messages.ERROR)
        else:
            self.message_user(request, f"{row.identifier} is active.", messages.SUCCESS)

    def post_deactivate(self, request: HttpRequest, row: Flow) -> None:
        """Switch off; what was accepted goes on to its end."""
        flow_deactivate(flow=row, actor=actor_of(request))
        self.message_user(request, f"{row.identifier} is off: it takes nothing new.", messages.SUCCESS)

    def post_trace(self, request: HttpRequest, row: Flow) -> None:
        """Set the tracing level for some minutes."""
        said = request.POST.get("minutes", "").strip()
        if said and not (said.isascii() and said.isdigit() and len(said) < 10):  # noqa: PLR2004  (far beyond the longest)
            raise InvalidMessage(f"The minutes are {said[:40]!r}, which is no whole number")
        level = request.POST.get("level", "")
        flow_trace(flow=row, level=level, minutes=int(said) if said else None, actor=actor_of(request))
        until = f" until {timezone.localtime(row.tracing_until):%H:%M}" if row.tracing_until else ""
        self.message_user(request, f"{row.identifier} is traced at level {level}{until}.", messages.SUCCESS)

    def post_run(self, request: HttpRequest, row: Flow) -> HttpResponse:
        """Queue a run with the parameters entered, and watch it on this page."""
        given = {
            key.removeprefix(PARAMETER): str(value).strip()
            for key, value in request.POST.items()
            if key.startswith(PARAMETER) and str(value).strip()
        }
        instance = flow_run(flow=row, parameters=given, user=request.user, actor=actor_of(request))  # type: ignore[arg-type]  # admin pages know no anonymous user
        remember(request, row, given)
        return HttpResponseRedirect(f"{self.page_of(row)}?run={instance.pk}#run")
