"""The audit trail: read only, by everyone's permission to view it."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.admin.filters import ActedRecentlyFilter, AmongNewestFilter
from integrations.admin.keyset import KeysetMixin
from integrations.admin.saved_filter import SavedFilterMixin
from integrations.models import AuditEntry
from integrations.present import as_text, short


class ActionFilter(AmongNewestFilter):
    """By what was done."""

    title = "action"
    parameter_name = "action"
    column = "action"


@admin.register(AuditEntry)
class AuditEntryAdmin(SavedFilterMixin, KeysetMixin, RecordAdmin[AuditEntry]):
    """Who did what to what."""

    panel_template = "admin/integrations/audit/page.html"
    list_display = ("at", "actor", "action", "subject", "address", "about")
    list_filter = (ActionFilter, ActedRecentlyFilter)
    search_fields = ("actor",)
    search_help_text = "Exact: a user or client, a subject as model:id, or an instance id"
    actions = None
    keyset = "at"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Exact, by index; `keyset_branches` asks each index by itself."""
        term = search_term.strip()
        by = Q(actor=term) | Q(subject__in=_subjects(term))
        return (queryset.filter(by) if term else queryset), False

    def keyset_branches(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The actor's and the subjects' entries, each in order by its index."""
        term = request.GET.get("q", "").strip()
        return [{"actor": term}, *({"subject": name} for name in _subjects(term))] if term else ()

    @display(description="Detail")
    def about(self, row: AuditEntry) -> str:
        """On one line."""
        return short(as_text(row.detail), 100) if row.detail else ""

    def panel(self, request: HttpRequest, row: AuditEntry | None) -> dict[str, Any]:
        """The detail, indented."""
        return {"detail": json.dumps(row.detail, indent=2, ensure_ascii=False)} if row else {}


def _subjects(term: str) -> list[str]:
    """What a term may be a subject as."""
    return [term] if ":" in term else [f"instance:{term}", f"flow:{term}", f"connection:{term}"]
