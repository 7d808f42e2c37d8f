"""Instances: found by business key, read line by line, sent again or discarded."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, actor_of, address_of
from integrations.admin.business_object import object_url
from integrations.admin.filters import PackageFilter
from integrations.admin.instance_find import (
    LOOKED_AT,
    SHORTEST,
    SpanFilter,
    find_instances,
    sought_text,
    with_text,
)
from integrations.admin.instance_page import instance_context
from integrations.admin.instance_payloads import PayloadPages
from integrations.admin.keyset import MOST_BRANCHES, KeysetMixin, Narrow
from integrations.admin.saved_filter import SavedFilterMixin
from integrations.engine.faults import InvalidMessage
from integrations.models import BusinessKey, Flow, Instance
from integrations.present import badge, between, link, short
from integrations.services.instance_abort import instance_abort
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit

KEYS = 3  # business keys of one instance in the list, beside its primary one


@admin.register(Instance)
class InstanceAdmin(SavedFilterMixin, KeysetMixin, PayloadPages):
    """The list pages by keyset and counts nothing; the page is read-only but for its POST buttons."""

    post_actions = (
        PostAction("resubmit", "integrations.resubmit_instance"),
        PostAction("discard", "integrations.discard_instance"),
        PostAction("abort", "integrations.discard_instance"),
    )
    panel_template = "admin/integrations/instance/page.html"
    list_display = (
        "state",
        "flow",
        "known_by",
        "started",
        "took",
        "attempt",
        "failed_step",
        "fault",
    )
    list_display_links = ("state", "started")
    list_filter = ("status", SpanFilter, "cause", PackageFilter, "flow")
    linked = (
        *("text", "since", "until"),  # the form above the list; SpanFilter takes them
        *("created_at__gte", "created_at__lt", "due_at__lte"),
        *("parent__id__exact", "handed_on_by__id__exact", "replay_of__id__exact"),
    )
    list_select_related = ("flow", "error__family")
    search_fields = ("id",)  # the box; what it finds is get_search_results
    search_help_text = "Business key, name=value, message id or instance id, exact"
    actions = None
    keyset = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        """With the first few business keys of each: those of lists come last."""
        few = BusinessKey.objects.order_by("id")[: KEYS + 2]
        return super().get_queryset(request).prefetch_related(Prefetch("keys", few, to_attr="few_keys"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, below the search for a text."""
        asked = request.GET
        too_short = bool(asked.get("text", "").strip()) and not sought_text(request)
        context = {
            "above_list": "admin/integrations/instance/above.html",
            "sought": {name: asked.get(name, "") for name in ("text", "since", "until", "within")},
            "kept": [(name, value) for name, value in asked.items() if name not in _OWN],
            "spans": SpanFilter.SPANS_SHOWN,
            "too_short": SHORTEST if too_short else 0,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    # -- columns -----------------------------------------------------------------------------------------

    @display(description="Status", ordering="status")
    def state(self, row: Instance) -> SafeString:
        """In colour."""
        return badge(row.status, str(row.get_status_display()))

    @display(description="Business keys")
    def known_by(self, row: Any) -> SafeString | str:
        """The primary one and a few others, each linked to all that happened to it; or the instance's id."""
        others = [(key.name, key.value) for key in row.few_keys]
        primary = (row.primary_key_name, row.primary_key_value)
        shown = [primary] if row.primary_key_value else []
        shown += [key for key in others if key != primary]
        if not shown:
            return format_html('<span class="bb-quiet">{}</span>', row.pk)
        more = format_html('<div class="bb-quiet">{}</div>', "and more") if len(shown) > KEYS + 1 else ""
        lines = format_html_join(
            "",
            '<div class="bb-key"><span class="bb-quiet">{}</span> <a class="bb-link" href="{}">{}</a></div>',
            ((name, object_url(value, name), short(value, 60)) for name, value in shown[: KEYS + 1]),
        )
        return format_html("<div>{}{}</div>", lines, more)

    @display(description="Started", ordering="created_at")
    def started(self, row: Instance) -> Any:
        """When it was received."""
        return row.created_at

    @display(description="Took")
    def took(self, row: Instance) -> str:
        """From its first start to its end."""
        return between(row.started_at, row.ended_at)

    @display(description="Attempt")
    def attempt(self, row: Instance) -> int | str:
        """How many have been made."""
        return row.attempts_made or ""

    @display(description="Failed step")
    def failed_step(self, row: Instance) -> str:
        """Where it went wrong, while it does."""
        return "" if row.status == row.Status.SUCCEEDED else short(row.fault_step, 40)

    @display(description="Fault and its family")
    def fault(self, row: Instance) -> SafeString | str:
        """The first line of what went wrong, while it does; the errors with the same cause, afterwards as well."""
        over = row.status in (row.Status.SUCCEEDED, row.Status.SKIPPED)
        error = getattr(row, "error", None)
        said = "" if over else short(row.fault_text, 80)
        if error is None:
            return said
        address = reverse("admin:integrations_errorfamily_change", args=[error.family_id])
        family = link(address, short(error.family.message, 60))
        return format_html(
            '<div>{}<div><span class="bb-quiet">{}</span> {}</div></div>', said, error.state, family
        )

    # -- finding -----------------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Instance], search_term: str
    ) -> tuple[QuerySet[Instance], bool]:
        """By index alone: no part of a word is looked for in millions of rows."""
        term = search_term.strip()
        return (find_instances(queryset, term) if term else queryset), False

    def keyset_branches(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """A package's flows and several statuses are asked for one by one, each by its own index."""
        asked = request.GET
        parts: list[list[dict[str, Any]]] = []
        if (package := asked.get("flow__package")) and not asked.get("flow__id__exact"):
            flows = Flow.objects.filter(package=package).values_list("pk", flat=True)
            parts.append([{"flow_id": key} for key in flows])
        if statuses := asked.get("status__in"):
            parts.append([{"status": status} for status in statuses.split(",")])
        found = [{name: value for part in parts for name, value in part.items()} for parts in product(*parts)]
        return found if parts and len(found) <= MOST_BRANCHES and not asked.get("q") else ()

    def keyset_narrow(self, request: HttpRequest) -> tuple[Narrow | None, int]:
        """A text in faults and activity streams is looked for in so many instances a page."""
        text = sought_text(request)
        return (lambda keys: with_text(keys, text)) if text else None, LOOKED_AT

    # -- the page and its buttons ------------------------------------------------------------------------

    def panel(self, request: HttpRequest, row: Instance | None) -> dict[str, Any]:
        """The whole page."""
        return instance_context(request, row) if row else {}

    def post_resubmit(self, request: HttpRequest, row: Instance) -> HttpResponse:
        """Send it again: from its checkpoint or the start, as it was or with an edited message."""
        message = self.edited(request, row)
        instance = instance_resubmit(
            instance=row,
            actor=actor_of(request),
            user=request.user,  # type: ignore[arg-type]  # admin pages know no anonymous user
            from_start=request.POST.get("from") == "start",
            message=message,
            reason=request.POST.get("reason", "").strip(),
        )
        said = "A replay is queued." if instance.pk != row.pk else "Resubmitted: it goes on in a new attempt."
        self.message_user(request, said, messages.SUCCESS)
        return self.back_to(instance)

    def post_discard(self, request: HttpRequest, row: Instance) -> None:
        """End it for good, with a reason."""
        instance_discard(instance=row, actor=actor_of(request), reason=request.POST.get("reason", ""))
        self.message_user(request, "Discarded.", messages.SUCCESS)

    def post_abort(self, request: HttpRequest, row: Instance) -> None:
        """End what is under way, with a reason."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            raise InvalidMessage("A reason is needed to abort")
        instance_abort(instance=row, actor=actor_of(request), reason=reason, address=address_of(request))
        self.message_user(request, "Aborted: nothing more is begun for it.", messages.SUCCESS)


_OWN = ("text", "since", "until", "within", "after", "before", "last", "q", "p", "e")
