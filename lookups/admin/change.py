"""The history of rows: who, when, old and new value, and the way back."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lookups.admin.own_change import own_changes
from lookups.admin.page import changes_url, lookup_of, rows_url
from lookups.models import Lookup, Row
from lookups.only_listed import OnlyListed
from lookups.periods import FROM, UNTIL
from lookups.services import ChangeRefused, RowRefused, change_revert
from lookups.services.changes import changed_state, revert_problem
from lookups.theme import ModelAdmin
from lookups.trail import refuse, tell

Change: Any = Row.history.model
MAY = "lookups.change_row"
DONE = {"+": "Added", "~": "Changed", "-": "Deleted"}
WORDS = {"valid_from": FROM, "valid_until": UNTIL}


@admin.register(Change)
class ChangeAdmin(OnlyListed, ModelAdmin[Any]):
    """Changes of rows, newest first; only reverted, never edited."""

    list_display = ["when", "who", "lookup", "row", "done", "what", "reason", "way_back"]
    list_display_links = None
    list_filter = ["history_type", ("lookup", admin.RelatedOnlyFieldListFilter)]
    linked = ("id",)  # one row's changes, from its own page
    list_select_related = ["lookup", "history_user"]
    list_per_page = 50
    search_fields = ["text", "history_user__username"]
    ordering = ["-history_date", "-history_id"]
    show_full_result_count = False
    actions = ["revert"]
    list_before_template = "admin/lookups/change_list_before.html"

    class Media:
        """The lookups' own style."""

        css: ClassVar = {"all": ["lookups/pages.css"]}

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
        return DONE[change.history_type]

    @admin.display(description="Old → new value")
    def what(self, change: Any) -> str:
        """Each value that changed."""
        pairs = ((name, _marked(*pair)) for name, *pair in differences(change))
        return format_html("<div>{}</div>", format_html_join("", "<div>{}: {}</div>", pairs))

    @admin.display(description="")
    def way_back(self, change: Any) -> str:
        """To the page that asks before it reverts; an addition is deleted instead."""
        if change.history_type == "+" or change.before is None:
            return ""
        return format_html(
            '<a href="{}">Revert…</a>', reverse("admin:lookups_historicalrow_revert", args=[change.pk])
        )

    # -- pages -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """With the page that asks before it reverts."""
        view = self.admin_site.admin_view(self.revert_view)
        return [
            path("<int:object_id>/revert/", view, name="lookups_historicalrow_revert"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; for one lookup, with the changes of the lookup itself."""
        if request.POST.get("action") == "revert" and not self.has_revert_permission(request):
            refuse(request, "revert", "historicalrow:list")
        lookup = lookup_of(request)
        context: dict[str, Any] = {}
        if lookup is not None:
            context = {
                "title": f"History of {lookup}",
                "looked_at": lookup,
                "rows_url": rows_url(lookup),
                "own_changes": own_changes(lookup),
            }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def revert_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What reverting one change would do; a POST does it."""
        change = get_object_or_404(Change.objects.select_related("history_user"), pk=object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_revert_permission(request):
                refuse(request, "revert", f"historicalrow:{change.pk}")
            if self._reverted(request, change):
                return HttpResponseRedirect(self._back(change))
        return self._ask(request, change)

    def _ask(self, request: HttpRequest, change: Any) -> TemplateResponse:
        row = Row.objects.select_related("lookup").filter(pk=change.id).first()
        now = dict(_named(row.state(), change)) if row else {}
        problem = revert_problem(change)
        context = {
            **self.admin_site.each_context(request),
            "title": "Revert a change",
            "opts": self.opts,
            "media": self.media,
            "panel_template": "admin/lookups/revert.html",
            "change": change,
            "lookup": Lookup.objects.filter(pk=change.lookup_id).first(),
            "who": change.history_user or "The hub",
            "done": self.done(change),
            "lines": [
                {"name": name, "old": old, "new": new, "now": now.get(name, "")}
                for name, old, new in differences(change)
            ],
            "problem": problem,
            "may_revert": self.has_revert_permission(request) and not problem,
            "back_url": self._back(change),
        }
        return TemplateResponse(request, "admin/lookups/page.html", context)

    @staticmethod
    def _back(change: Any) -> str:
        lookup = Lookup.objects.filter(pk=change.lookup_id).first()
        return changes_url(lookup) if lookup else reverse("admin:lookups_historicalrow_changelist")

    def _reverted(self, request: HttpRequest, change: Any) -> bool:
        try:
            row = change_revert(change=change, person=request.user)
        except (ChangeRefused, RowRefused) as refused:
            self.message_user(request, str(refused), messages.ERROR)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            tell(request, "revert", f"row:{row.pk}", {"change": change.pk})
            self.message_user(request, f"{row}: reverted.", messages.SUCCESS)
            return True
        return False

    @admin.action(description="Revert the selected changes", permissions=["revert"])
    def revert(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put back the old values, the newest change first."""
        for change in queryset.order_by("-history_date", "-history_id"):
            self._reverted(request, change)

    # -- permissions -------------------------------------------------------------------------------------

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


def differences(change: Any) -> list[tuple[str, str, str]]:
    """(column or field, old, new) of each value a change altered; old is blank for additions, new for deletions."""
    nothing: dict[str, Any] = {"cells": []}
    old = change.before or nothing
    new = nothing if change.history_type == "-" else changed_state(change)
    before, after = dict(_named(old, change)), dict(_named(new, change))
    names = list(dict.fromkeys([*before, *after]))
    found = [(name, before.get(name, ""), after.get(name, "")) for name in names]
    whole = change.history_type != "~"  # what an added or deleted row's value may be is no news
    return [one for one in found if one[1] != one[2] and not (whole and one[0] in Row.TRACKED)]


def _marked(old: str, new: str) -> SafeString:
    """Old and new value, as far as there are any."""
    was, now = (
        format_html(f"<{tag}>{{}}</{tag}>", text) if text else ""
        for tag, text in (("del", old), ("ins", new))
    )
    return format_html("{} → {}", was, now) if was and now else format_html("{}{}", was, now)


def _named(state: dict[str, Any], change: Any) -> list[tuple[str, str]]:
    """A state's cells by column, then its other values by name, as text."""
    columns = change.lookup.columns if change.lookup else []  # None: the lookup is deleted
    cells = [
        (columns[at] if at < len(columns) else f"Column {at + 1}", cell)
        for at, cell in enumerate(state["cells"])
    ]
    others = [
        (WORDS.get(name, name), str(state[name])) for name in Row.TRACKED[1:] if state.get(name) is not None
    ]
    return cells + others
