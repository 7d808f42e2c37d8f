"""Error families: errors with one cause, counted, and who looks after them."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin
from integrations.models import ErrorFamily, ErrorInstance
from integrations.present import badge, link, short


@admin.register(ErrorFamily)
class ErrorFamilyAdmin(ConsoleAdmin[ErrorFamily]):
    """The owner can be set; all else the engine writes."""

    panel_template = "admin/integrations/family/panel.html"
    list_display = (
        "message_line",
        "flow",
        "fault_class",
        "fault_code",
        "open_now",
        "count",
        "last_seen",
        "owner",
    )
    list_filter = ("fault_class", "flow__package", "flow")
    list_select_related = ("flow", "owner")
    search_fields = ("message", "fault_code", "flow__identifier")
    fields = ("owner",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: made when an error is."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: its errors refer to it."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ErrorFamily]:
        """With the number still open."""
        still_open = Count("errors", filter=Q(errors__state=ErrorInstance.State.OPEN))
        return super().get_queryset(request).annotate(still_open=still_open)

    @display(description="Message", ordering="message")
    def message_line(self, row: ErrorFamily) -> str:
        """Its first line."""
        return short(row.message, 110)

    @display(description="Open", ordering="still_open")
    def open_now(self, row: Any) -> SafeString | int:
        """A link to the open ones."""
        if not row.still_open:
            return 0
        url = reverse("admin:integrations_errorinstance_changelist")
        return link(f"{url}?family__id__exact={row.pk}&state__exact=open", str(row.still_open))

    def panel(self, request: HttpRequest, row: ErrorFamily | None) -> dict[str, Any]:
        """The newest of its errors."""
        if row is None:
            return {}
        newest = row.errors.select_related("instance").order_by("-last_failed_at")[:20]
        return {"title": short(row.message), "newest": newest, "kind": badge(row.fault_class)}
