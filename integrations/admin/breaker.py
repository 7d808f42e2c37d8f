"""Breakers: which connections are left alone for a moment, why, and closing one by hand."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, address_of
from integrations.models import Breaker
from integrations.present import badge, short
from integrations.services.breaker_close import breaker_close


def breaker_badge(row: Breaker) -> SafeString:
    """Open, half open (its time is over, the next call decides), counting, closed."""
    if row.open_until and row.open_until > timezone.now():
        return badge("open")
    if row.open_until:
        return badge("half open", variant="warn")
    return badge("counting", f"{row.failures} faults", "warn") if row.failures else badge("closed")


@admin.register(Breaker)
class BreakerAdmin(RecordAdmin[Breaker]):
    """Written by the engine; closed here."""

    post_actions = (PostAction("close", "integrations.change_breaker"),)
    panel_template = "admin/integrations/breaker/panel.html"
    list_display = ("connection", "state", "failures", "open_until", "fault", "changed_at")
    search_fields = ("connection__name", "last_fault")
    list_select_related = ("connection",)
    ordering = ("-changed_at",)

    @display(description="State")
    def state(self, row: Breaker) -> SafeString:
        """As of now."""
        return breaker_badge(row)

    @display(description="Last fault")
    def fault(self, row: Breaker) -> str:
        """Its first line."""
        return short(row.last_fault)

    def panel(self, request: HttpRequest, row: Breaker | None) -> dict[str, Any]:
        """Its state in colour."""
        return {"title": f"Breaker of {row.connection.name}", "state": breaker_badge(row)} if row else {}

    def post_close(self, request: HttpRequest, row: Breaker) -> None:
        """Let instances try again at once."""
        due = breaker_close(connection=row.connection, actor=actor_of(request), address=address_of(request))
        said = f"{row.connection.name} may be tried again; {due} waiting instances are due now."
        self.message_user(request, said, messages.SUCCESS)
