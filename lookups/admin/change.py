"""The history of rows: who, when, old and new value, and the way back."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from lookups.models import Row
from lookups.services import ChangeRefused, RowRefused, change_revert
from lookups.services.changes import changed_state
from lookups.theme import ModelAdmin

Change: Any = Row.history.model


@admin.register(Change)
class ChangeAdmin(ModelAdmin[Any]):
    """Changes of rows, newest first; only reverted, never edited."""

    list_display = ["when", "who", "lookup", "row", "done", "what", "reason"]
    list_display_links = None
    list_filter = ["history_type", ("lookup", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["lookup", "history_user"]
    list_per_page = 50
    search_fields = ["text", "history_user__username"]
    ordering = ["-history_date", "-history_id"]
    show_full_result_count = False
    actions = ["revert"]

    @admin.display(description="When", ordering="history_date")
    def when(self, change: Any) -> datetime:
        """At what time."""
        at: datetime = change.history_date
        return at

    @admin.display(description="Reason")
    def reason(self, change: Any) -> str:
        """Import, package or revert; blank for an edit in the console."""
        return change.history_change_reason or ""

    @admin.display(description="Who", ordering="history_user")
    def who(self, change: Any) -> str:
        """The person, or the program."""
        return str(change.history_user or "(the hub)")

    @admin.display(description="Row")
    def row(self, change: Any) -> str:
        """Its first cell."""
        return change.cells[0] if change.cells else ""

    @admin.display(description="Done", ordering="history_type")
    def done(self, change: Any) -> str:
        """Added, changed or deleted."""
        return {"+": "Added", "~": "Changed", "-": "Deleted"}[change.history_type]

    @admin.display(description="Old → new value")
    def what(self, change: Any) -> str:
        """Each value that changed."""
        return format_html_join(", ", "{}: {} → {}", differences(change))

    @admin.action(description="Revert the selected changes", permissions=["revert"])
    def revert(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put back the old values, the newest change first."""
        for change in queryset.order_by("-history_date", "-history_id"):
            try:
                row = change_revert(change=change, person=request.user)
                self.message_user(request, f"{row}: reverted.", messages.SUCCESS)
            except (ChangeRefused, RowRefused) as refused:
                self.message_user(request, str(refused), messages.ERROR)
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)

    def has_revert_permission(self, request: HttpRequest) -> bool:
        """Who may change rows."""
        return request.user.has_perm("lookups.change_row")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see rows may see what became of them."""
        return request.user.has_perm("lookups.view_row") or request.user.has_perm("lookups.change_row")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for viewing."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: history is written with the change."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also one row's changes, from its own page."""
        return lookup == "id" or super().lookup_allowed(lookup, value, request)


def differences(change: Any) -> list[tuple[str, str, str]]:
    """(column or field, old, new) of each value a change altered; old is blank for additions, new for deletions."""
    nothing: dict[str, Any] = {"cells": []}
    old = change.before or nothing
    new = nothing if change.history_type == "-" else changed_state(change)
    columns = change.lookup.columns if change.lookup else []  # None: the lookup is deleted
    width = max(len(old["cells"]), len(new["cells"]))
    found = []
    for at in range(width):
        pair = tuple(state["cells"][at] if at < len(state["cells"]) else "" for state in (old, new))
        if pair[0] != pair[1]:
            found.append((columns[at] if at < len(columns) else f"Column {at + 1}", pair[0], pair[1]))
    if change.history_type == "~":
        found += [
            (name, str(old[name]), str(new[name])) for name in Row.TRACKED[1:] if old.get(name) != new[name]
        ]
    return found
