"""Webhooks: what was posted to whom, what waits, and sending one again."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, address_of
from integrations.admin.filters import RecentFilter
from integrations.admin.keyset import KeysetMixin
from integrations.models import WebhookDelivery
from integrations.present import badge, link, short
from integrations.services.webhook_resend import webhook_resend


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(KeysetMixin, RecordAdmin[WebhookDelivery]):
    """One line a message of an alert rule."""

    keyset = "created_at"
    post_actions = (PostAction("resend", "integrations.change_webhookdelivery"),)
    panel_template = "admin/integrations/alert/delivery.html"
    list_display = (
        "message_id",
        "state_now",
        "rule_page",
        "answered",
        "tries",
        "created_at",
        "sent_at",
        "why",
    )
    list_filter = ("state", "rule", RecentFilter)
    list_select_related = ("rule",)
    search_fields = ("message_id__exact",)
    search_help_text = "A whole message id."
    actions = ("resend_selected",)

    @display(description="State", ordering="state")
    def state_now(self, row: WebhookDelivery) -> SafeString:
        """In colour."""
        return badge(row.state, str(row.get_state_display()))

    @display(description="Rule")
    def rule_page(self, row: WebhookDelivery) -> SafeString:
        """The rule's page."""
        return link(self.page_of(row.rule), row.rule.name)

    @display(description="Answer")
    def answered(self, row: WebhookDelivery) -> str:
        """The status of the last answer, if there was one."""
        return str(row.status_code or "")

    @display(description="Trouble")
    def why(self, row: WebhookDelivery) -> str:
        """What the last try met."""
        return short(row.trouble)

    def panel(self, request: HttpRequest, row: WebhookDelivery | None) -> dict[str, Any]:
        """Where it goes, what is in it, and whether it can be sent again."""
        if row is None:
            return {}
        return {
            "can_resend": row.state in ("pending", "given up"),
            "host": urlsplit(row.rule.webhook_url).netloc,
            "content": json.dumps(row.body, indent=2, ensure_ascii=False),
            "said": str(row.body.get("text", "")),
        }

    def post_resend(self, request: HttpRequest, row: WebhookDelivery) -> None:
        """Make it due now."""
        self._resend(request, [row])

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return request.user.has_perm("integrations.change_webhookdelivery")

    @admin.action(description="Send now", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        """Make all of them due now."""
        self._resend(request, list(queryset.select_related("rule")[:500]))

    def _resend(self, request: HttpRequest, rows: list[WebhookDelivery]) -> None:
        actor, address = actor_of(request), address_of(request)
        done = [webhook_resend(delivery=row, actor=actor, address=address) for row in rows]
        if any(done):
            self.message_user(request, f"{sum(done)} due now.", messages.SUCCESS)
        if not all(done):
            left = f"{len(done) - sum(done)} sent already, or being sent: left alone."
            self.message_user(request, left, messages.WARNING)
