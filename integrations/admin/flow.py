"""Flows: what each is and needs, its switch, its tracing level, and a run by hand."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, PostAction, actor_of, subject_of
from integrations.engine.faults import InvalidMessage, UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.spec import FlowSpec
from integrations.engine.tracing import effective_tracing
from integrations.models import Connection, Flow, Instance
from integrations.present import badge, in_words
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import (
    FlowNotReady,
    flow_activate,
    flow_deactivate,
    flow_problems,
    flow_trace,
)
from integrations.services.schedule_save import next_times
from lookups.models import Lookup
from lookups.names import fold_name

DAY = timedelta(hours=24)
PARAMETER = "parameter_"


def trigger_urls(spec: FlowSpec) -> list[str]:
    """The addresses to enter at the edge system; [] for a flow no URL starts."""
    if spec.trigger.kind != "inbound":
        return []
    base = f"{settings.HUB_URL.rstrip('/')}/ic/api/integration"
    resources = (spec.trigger.resource, *spec.trigger.also)
    found = [f"{base}/v1/flows/rest/{spec.identifier}/1.0/{resource}" for resource in resources]
    if spec.package.project:
        found += [
            f"{base}/v2/flows/rest/project/{spec.package.project}/{spec.identifier}/1.0/{resource}"
            for resource in resources
        ]
    return found


def _connection_states(spec: FlowSpec) -> list[dict[str, Any]]:
    rows = {row.name: row for row in Connection.objects.filter(name__in=spec.connections).defer("secrets")}
    return [{"name": name, "row": rows.get(name)} for name in spec.connections]


def _lookup_states(spec: FlowSpec) -> list[dict[str, Any]]:
    rows = {row.folded: row for row in Lookup.objects.filter(folded__in=map(fold_name, spec.lookups))}
    return [{"name": name, "row": rows.get(fold_name(name))} for name in spec.lookups]


def _schedules(row: Flow) -> list[dict[str, Any]]:
    rows = row.schedules.all()
    return [{"row": item, "times": in_words(next_times(item)) if item.enabled else []} for item in rows]


@admin.register(Flow)
class FlowAdmin(ConsoleAdmin[Flow]):
    """What is code is shown; what a site decides (switch, tracing, retention) can be changed."""

    post_actions = (
        PostAction("activate", "integrations.activate_flow"),
        PostAction("deactivate", "integrations.activate_flow"),
        PostAction("trace", "integrations.trace_flow"),
        PostAction("run", "integrations.run_flow"),
    )
    panel_template = "admin/integrations/flow/panel.html"
    list_display = (
        "identifier",
        "name",
        "package",
        "pattern_name",
        "switch",
        "level",
        "succeeded_24h",
        "errors_24h",
    )
    list_filter = ("package", "pattern", "active", "present")
    search_fields = ("identifier", "name", "package")
    fields = ("retention_days", "acknowledgement_hours")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: a flow is code."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: its instances refer to it."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flow]:
        """With the last day's ends, counted by the flow's own index."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                good=_ends([Instance.Status.SUCCEEDED]),
                bad=_ends([Instance.Status.FAILED, Instance.Status.HELD]),
            )
        )

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

    @display(description="Succeeded 24 h", ordering="good")
    def succeeded_24h(self, row: Any) -> int:
        """Instances of the last day that succeeded."""
        return int(row.good)

    @display(description="Errors 24 h", ordering="bad")
    def errors_24h(self, row: Any) -> SafeString | int:
        """Instances of the last day that failed or are held."""
        return badge("failed", str(row.bad)) if row.bad else 0

    # -- the page ----------------------------------------------------------------------------------------

    def panel(self, request: HttpRequest, row: Flow | None) -> dict[str, Any]:
        """All the code and the rows say of a flow."""
        if row is None:
            return {}
        shared: dict[str, Any] = {
            "title": row.identifier,
            "schedules": _schedules(row),
            "tracing_levels": Flow.Tracing.choices,
            "tracing_now": effective_tracing(row),
            "recent": row.instances.order_by("-created_at", "-id")[:8],
            "counts": self.get_queryset(request).get(pk=row.pk),
        }
        try:
            spec = spec_for(row.identifier)
        except UnknownFlow:
            return shared
        return shared | {
            "spec": spec,
            "urls": trigger_urls(spec),
            "connections": _connection_states(spec),
            "lookups": _lookup_states(spec),
            "mappings": row.mappings.all(),
            "problems": flow_problems(row),
            "by_hand": spec.trigger.kind == "schedule",
        }

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
        if said and not said.isdigit():
            raise InvalidMessage(f"The minutes are {said!r}, which is no whole number")
        level = request.POST.get("level", "")
        flow_trace(flow=row, level=level, minutes=int(said) if said else None, actor=actor_of(request))
        until = f" until {timezone.localtime(row.tracing_until):%H:%M}" if row.tracing_until else ""
        self.message_user(request, f"{row.identifier} is traced at level {level}{until}.", messages.SUCCESS)

    def post_run(self, request: HttpRequest, row: Flow) -> HttpResponse:
        """Queue a run with the parameters entered, and go to its page."""
        given = {
            key.removeprefix(PARAMETER): str(value).strip()
            for key, value in request.POST.items()
            if key.startswith(PARAMETER) and str(value).strip()
        }
        instance = flow_run(flow=row, parameters=given, user=request.user, actor=actor_of(request))  # type: ignore[arg-type]  # admin pages know no anonymous user
        self.message_user(request, f"{subject_of(instance)} is queued.", messages.SUCCESS)
        return self.back_to(instance)


def _ends(statuses: list[str]) -> Coalesce:
    """How many of a flow's instances of the last day ended so."""
    counted = (
        Instance.objects.filter(
            flow=OuterRef("pk"), created_at__gte=timezone.now() - DAY, status__in=statuses
        )
        .order_by()
        .values("flow")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return Coalesce(Subquery(counted), 0)
