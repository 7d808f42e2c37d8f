"""Error instances: the open ones first; sent again or discarded, one or many."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import RecordAdmin, actor_of
from integrations.admin.filters import FailedRecentlyFilter
from integrations.admin.instance_page import resubmit_context
from integrations.engine.faults import Fault
from integrations.models import ErrorInstance, Instance
from integrations.present import badge, short
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit

AT_ONCE = 500  # errors one bulk action takes; a request should answer while a person waits
HINTS = {
    "technical": "The hub's side: data, mapping, a lookup or a connection's settings. Mend it, then resubmit.",
    "remote": "The other system did not answer or was not reachable. Test the connection, then resubmit.",
    "business": "The other system refused the content. Mend it there or edit the message, then resubmit.",
}
OPEN_FIRST = Case(
    When(state=ErrorInstance.State.OPEN, then=Value(0)),
    When(state=ErrorInstance.State.RESUBMITTED, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@admin.register(ErrorInstance)
class ErrorInstanceAdmin(RecordAdmin[ErrorInstance]):
    """Bulk actions go through a page that says what will happen, and POSTs."""

    panel_template = "admin/integrations/error/page.html"
    list_display = ("current", "flow", "key", "fault_kind", "what", "failures", "last_failed_at")
    list_display_links = ("current", "what")
    list_filter = ("state", "fault_class", FailedRecentlyFilter, "family__flow__package", "family__flow")
    list_select_related = ("instance", "family__flow")
    search_fields = ("text", "fault_code", "instance__primary_key_value")
    search_help_text = "Part of the fault's text, its code, or a business key."
    actions = ("resubmit_selected", "discard_selected")

    def get_ordering(self, request: HttpRequest) -> Any:
        """Open, resubmitted, the rest; newest first in each."""
        return [OPEN_FIRST.asc(), "-last_failed_at", "-id"]

    @display(description="State", ordering="state")
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

    @display(description="Class", ordering="fault_class")
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
        return {
            "title": f"Error of {instance.flow.identifier} {instance.primary_key_value}".strip(),
            "instance": instance,
            "hint": HINTS.get(row.fault_class, ""),
            "last_lines": list(instance.activities.order_by("-pk")[:6])[::-1],
            "may_resubmit": request.user.has_perm("integrations.resubmit_instance"),
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
        """Ask, then send each again."""
        if "apply" not in request.POST:
            return self._ask(request, queryset, name="resubmit_selected", verb="Resubmit", needs_reason=False)
        actor, reason = actor_of(request), request.POST.get("reason", "").strip()

        def again(instance: Instance) -> None:
            user: Any = request.user
            instance_resubmit(instance=instance, actor=actor, user=user, reason=reason)

        self._each(request, queryset, again, "resubmitted")
        return None

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
