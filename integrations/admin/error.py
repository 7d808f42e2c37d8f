"""Error instances: the open ones first; sent again or discarded, one or many."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import RecordAdmin, actor_of
from integrations.admin.bulk_choice import preview_url
from integrations.admin.error_filters import BulkFilter, MissingFilter, in_state
from integrations.admin.filters import FailedRecentlyFilter
from integrations.admin.instance_page import resubmit_context
from integrations.admin.keyset import PLACES, KeysetMixin, Narrow
from integrations.admin.saved_filter import SavedFilterMixin
from integrations.engine.faults import Fault
from integrations.models import BusinessKey, ErrorInstance, Instance
from integrations.present import badge, short
from integrations.services.instance_discard import instance_discard
from integrations.services.missing_check import value_is_there

AT_ONCE = 500  # errors one bulk action takes; a request should answer while a person waits
HINTS = {
    "technical": "The hub's side: data, mapping, a lookup or a connection's settings. Mend it, then resubmit.",
    "remote": "The other system did not answer or was not reachable. Test the connection, then resubmit.",
    "business": "The other system refused the content. Mend it there or edit the message, then resubmit.",
}
SEARCHED = 20_000  # errors one search for a text looks at before it says so
ROWS = 1_000


class StateFilter(admin.SimpleListFilter):
    """At first the open ones alone: they are what the list is for."""

    title = "state"
    parameter_name = "state__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The other states, and all."""
        return [*((value, str(label)) for value, label in ErrorInstance.State.choices), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without the one for nothing chosen, as that means the open ones."""
        found = list(super().choices(changelist))[1:]
        if self.value() is None:
            found[0]["selected"] = True
        yield from found

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By state."""
        value = self.value() or ErrorInstance.State.OPEN
        return queryset if value == "all" else in_state(request, queryset, value)


@admin.register(ErrorInstance)
class ErrorInstanceAdmin(SavedFilterMixin, KeysetMixin, RecordAdmin[ErrorInstance]):
    """Resubmitting goes through the preview of bulk_resubmission.py, discarding through a page between."""

    panel_template = "admin/integrations/error/page.html"
    keyset = "last_failed_at"
    list_display = ("current", "flow", "key", "fault_kind", "what", "failures", "last_failed_at")
    list_display_links = ("current", "what")
    list_filter = (
        StateFilter,
        BulkFilter,
        MissingFilter,
        "fault_class",
        FailedRecentlyFilter,
        "family__flow__package",
        "family__flow",
    )
    linked = ("family__id__exact", "last_failed_at__gte")
    list_select_related = ("instance", "family__flow")
    search_fields = ("text",)  # the box; what it finds is get_search_results and keyset_narrow
    search_help_text = "A business key, exactly; else part of the fault's text or its code."
    actions = ("resubmit_selected", "discard_selected")

    class Media:
        """The pages' own few styles."""

        css = {"all": ["integrations/console.css", "integrations/instances.css", "integrations/bulk.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the way to resubmit all that match."""
        asked = request.GET.copy()
        for name in PLACES:
            asked.pop(name, None)
        url = preview_url(filters=asked.urlencode()) if self.has_resubmit_permission(request) else ""
        more = {"above_list": "admin/integrations/error/above.html", "resubmit_all_url": url}
        return super().changelist_view(request, more | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ErrorInstance], search_term: str
    ) -> tuple[QuerySet[ErrorInstance], bool]:
        """By a business key's index; what is none is looked for as a text, see keyset_narrow."""
        keyed = _keyed(search_term.strip())
        return (queryset.filter(instance__in=keyed) if keyed else queryset), False

    @staticmethod
    def sought(request: HttpRequest) -> Q | None:
        """What a search for a text asks, which no index serves; None without one, or where a key is found."""
        term = request.GET.get("q", "").strip()
        if not term or _keyed(term):
            return None
        return Q(text__icontains=term) | Q(fault_code__iexact=term)

    def keyset_narrow(self, request: HttpRequest) -> tuple[Narrow | None, int]:
        """A part of the text, looked for in so many errors at a time."""
        said = self.sought(request)
        if said is None:
            return None, 0
        rows = ErrorInstance.objects.filter(said)
        return (lambda keys: rows.filter(pk__in=keys).values_list("pk", flat=True)), SEARCHED

    @display(description="State")
    def current(self, row: ErrorInstance) -> SafeString:
        """In colour."""
        return badge(row.state, str(row.get_state_display()))

    @display(description="Flow")
    def flow(self, row: ErrorInstance) -> str:
        """Its identifier."""
        return row.family.flow.identifier

    @display(description="Business key")
    def key(self, row: ErrorInstance) -> str:
        """The instance's primary one."""
        return row.instance.primary_key_value

    @display(description="Class")
    def fault_kind(self, row: ErrorInstance) -> str:
        """Technical, remote or business."""
        return str(row.get_fault_class_display()).partition(":")[0]

    @display(description="Fault")
    def what(self, row: ErrorInstance) -> str:
        """Its first line."""
        return short(row.text, 110)

    def panel(self, request: HttpRequest, row: ErrorInstance | None) -> dict[str, Any]:
        """Cause, hint, and the forms that POST to the instance."""
        if row is None:
            return {}
        instance = row.instance
        may_resubmit = request.user.has_perm("integrations.resubmit_instance")
        return {
            "title": f"Error of {instance.flow.identifier} {instance.primary_key_value}".strip(),
            "instance": instance,
            "hint": HINTS.get(row.fault_class, ""),
            "last_lines": list(instance.activities.order_by("-pk")[:6])[::-1],
            "may_resubmit": may_resubmit,
            "missing": [(value, value_is_there(value)) for value in row.missing_values.all()[:5]],
            "preview_url": preview_url(ids=row.pk) if may_resubmit else "",
            "family_url": preview_url(family=row.family_id) if may_resubmit else "",
            "may_discard": request.user.has_perm("integrations.discard_instance"),
            "may_read": request.user.has_perm("integrations.read_payload"),
            **resubmit_context(instance),
        }

    # -- bulk --------------------------------------------------------------------------------------------

    def has_resubmit_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("integrations.resubmit_instance")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("integrations.discard_instance")

    @admin.action(description="Resubmit from the checkpoint", permissions=["resubmit"])
    def resubmit_selected(
        self, request: HttpRequest, queryset: QuerySet[ErrorInstance]
    ) -> HttpResponse | None:
        """To the preview of what that would do."""
        ids = ",".join(str(key) for key in queryset.order_by().values_list("pk", flat=True)[:ROWS])
        return HttpResponseRedirect(preview_url(ids=ids))

    @admin.action(description="Discard with a reason", permissions=["discard"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[ErrorInstance]
    ) -> HttpResponse | None:
        """Ask for the reason, then discard each."""
        reason = request.POST.get("reason", "").strip()
        if "apply" not in request.POST or not reason:
            missing = "apply" in request.POST
            return self._ask(
                request, queryset, name="discard_selected", verb="Discard", needs_reason=True, missing=missing
            )
        actor = actor_of(request)

        def drop(instance: Instance) -> None:
            instance_discard(instance=instance, actor=actor, reason=reason)

        self._each(request, queryset, drop, "discarded")
        return None

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[ErrorInstance],
        *,
        name: str,
        verb: str,
        needs_reason: bool,
        missing: bool = False,
    ) -> HttpResponse:
        """The page between: what is selected, the reason, and the button that POSTs."""
        rows = list(queryset.select_related("family__flow", "instance")[: AT_ONCE + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb} {min(len(rows), AT_ONCE)} errors",
            "opts": self.opts,
            "media": self.media,
            "rows": rows[:AT_ONCE],
            "too_many": len(rows) > AT_ONCE,
            "at_once": AT_ONCE,
            "action_name": name,
            "verb": verb,
            "needs_reason": needs_reason,
            "missing": missing,
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "panel_template": "admin/integrations/error/bulk.html",
        }
        return TemplateResponse(request, "admin/integrations/page.html", context)

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[ErrorInstance],
        act: Callable[[Instance], None],
        done: str,
    ) -> None:
        """Act on each; one that cannot be says why and stops no other."""
        good, refused = 0, []
        for row in queryset.select_related("instance__flow")[:AT_ONCE]:
            try:
                act(row.instance)
            except Fault as fault:
                refused.append(fault.text)
            else:
                good += 1
        if good:
            self.message_user(request, f"{good} {done}.", messages.SUCCESS)
        for text in refused[:5]:
            self.message_user(request, text, messages.WARNING)
        if len(refused) > 5:  # noqa: PLR2004  (a page of messages helps nobody)
            self.message_user(request, f"{len(refused)} in all were not {done}.", messages.WARNING)


def _keyed(term: str) -> list[Any]:
    """Instances that have this business key or message id, or are it."""
    if not term:
        return []
    ids = list(BusinessKey.objects.filter(value=term).values_list("instance", flat=True)[:ROWS])
    for name in ("primary_key_value", "message_id"):
        ids += Instance.objects.filter(**{name: term}).values_list("pk", flat=True)[:ROWS]
    return [*dict.fromkeys(ids)]
