"""Notifications: the outbox of e-mails, and sending one again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, address_of
from integrations.admin.filters import RecentFilter
from integrations.admin.keyset import KeysetMixin, Narrow
from integrations.admin.saved_filter import SavedFilterMixin
from integrations.models import Notification
from integrations.present import badge, short
from integrations.services.notification_resend import notification_resend

LOOKED_AT = 20_000  # subjects compared for one page


@admin.register(Notification)
class NotificationAdmin(SavedFilterMixin, KeysetMixin, RecordAdmin[Notification]):
    """What was sent to whom, and what waits."""

    post_actions = (PostAction("resend", "integrations.change_notification"),)
    panel_template = "admin/integrations/notification/page.html"
    list_display = ("subject", "state_now", "kind", "to", "tries", "created_at", "sent_at", "why")
    list_filter = ("state", "kind", RecentFilter)
    search_fields = ("subject",)
    search_help_text = "The beginning of the subject, or a whole message id"
    actions = ("resend_selected",)

    @display(description="State", ordering="state")
    def state_now(self, row: Notification) -> SafeString:
        """In colour."""
        return badge(row.state, str(row.get_state_display()))

    @display(description="To")
    def to(self, row: Notification) -> str:
        """The recipients."""
        return short(", ".join(row.recipients), 60)

    @display(description="Trouble")
    def why(self, row: Notification) -> str:
        """What the last try met."""
        return short(row.trouble)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notification], search_term: str
    ) -> tuple[QuerySet[Notification], bool]:
        """A message id by its index; a subject is looked for page by page."""
        term = search_term.strip()
        return (queryset.filter(message_id=term) if _is_id(term) else queryset), False

    def keyset_narrow(self, request: HttpRequest) -> tuple[Narrow | None, int]:
        """The beginning of a subject is looked for in so many mails a page."""
        start = request.GET.get("q", "").strip()
        if not start or _is_id(start):
            return None, 0
        rows = Notification.objects.filter(subject__istartswith=start)
        return lambda keys: rows.filter(pk__in=keys).values_list("pk", flat=True), LOOKED_AT

    def panel(self, request: HttpRequest, row: Notification | None) -> dict[str, Any]:
        """Whether it can be sent again."""
        return (
            {"can_resend": row.state in ("pending", "given up"), "to": ", ".join(row.recipients)}
            if row
            else {}
        )

    def post_resend(self, request: HttpRequest, row: Notification) -> None:
        """Make it due now."""
        self._resend(request, [row])

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("integrations.change_notification")

    @admin.action(description="Send now", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Make all of them due now."""
        self._resend(request, list(queryset[:500]))

    def _resend(self, request: HttpRequest, rows: list[Notification]) -> None:
        actor, address = actor_of(request), address_of(request)
        done = [notification_resend(notification=row, actor=actor, address=address) for row in rows]
        if any(done):
            self.message_user(request, f"{sum(done)} due now.", messages.SUCCESS)
        if not all(done):
            self.message_user(
                request, f"{len(done) - sum(done)} sent already, or being sent: left alone.", messages.WARNING
            )


def _is_id(term: str) -> bool:
    return bool(term) and Notification.objects.filter(message_id=term).exists()
