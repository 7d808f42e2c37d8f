"""The audit trail: read only, by everyone's permission to view it."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.admin.filters import ActedRecentlyFilter
from integrations.models import AuditEntry
from integrations.present import as_text, short


@admin.register(AuditEntry)
class AuditEntryAdmin(RecordAdmin[AuditEntry]):
    """Who did what to what."""

    panel_template = "admin/integrations/audit/page.html"
    list_display = ("at", "actor", "action", "subject", "address", "about")
    list_filter = ("action", ActedRecentlyFilter)
    search_fields = ("actor__exact", "subject__startswith")
    search_help_text = "A user or client, or the beginning of a subject, e.g. instance:0190…"
    actions = None

    @display(description="Detail")
    def about(self, row: AuditEntry) -> str:
        """On one line."""
        return short(as_text(row.detail), 100) if row.detail else ""

    def panel(self, request: HttpRequest, row: AuditEntry | None) -> dict[str, Any]:
        """The detail, indented."""
        return {"detail": json.dumps(row.detail, indent=2, ensure_ascii=False)} if row else {}
