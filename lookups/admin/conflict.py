"""Merge conflicts: what waits for a decision, and the page to decide on."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from lookups.admin.conflict_cells import Cell, cells_of, chosen_line
from lookups.admin.page import conflicts_url, rows_url
from lookups.lines import Line
from lookups.models import RowConflict
from lookups.only_listed import OnlyListed
from lookups.services.conflicts import ConflictRefused, conflict_decide, line_in, ours_now, row_of
from lookups.services.rows import RowRefused
from lookups.theme import ModelAdmin
from lookups.trail import refuse, tell

MAY = "lookups.change_row"
KEEP = {"removed": "Keep our row", "deleted": "Leave it deleted"}
TAKE = {"removed": "Delete it, as the package did", "deleted": "Bring the package's row"}


class StateFilter(admin.SimpleListFilter):
    """Those that wait, unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Decided or all; open is what there is without a choice."""
        return [("decided", "Decided"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """With the first named after what it shows."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Open"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As chosen."""
        if self.value() == "all":
            return queryset
        if self.value() == "decided":
            return queryset.exclude(state=RowConflict.State.OPEN)
        return queryset.filter(state=RowConflict.State.OPEN)


@admin.register(RowConflict)
class ConflictAdmin(OnlyListed, ModelAdmin[RowConflict]):
    """Rows that a person and a package both changed; decided, never edited otherwise."""

    list_display = ["label", "lookup", "kind", "package", "found_at", "state", "decided_by", "decided_at"]
    list_filter = [StateFilter, "kind", ("lookup", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["lookup", "decided_by"]
    list_per_page = 100
    search_fields = ["label"]
    show_full_result_count = False
    actions = ["keep_ours", "take_theirs"]

    class Media:
        """The lookups' own style."""

        css: ClassVar = {"all": ["lookups/pages.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: merges find them."""
        return False

    has_change_permission = has_delete_permission = lambda self, request, obj=None: False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see rows."""
        return request.user.has_perm("lookups.view_row") or request.user.has_perm(MAY)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for viewing."""
        return self.has_view_permission(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may change rows."""
        return request.user.has_perm(MAY)

    # -- many at once ------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; a decision without the permission is refused and told."""
        if request.POST.get("action") in self.actions and not self.has_decide_permission(request):
            refuse(request, request.POST["action"], "rowconflict:list")
        return super().changelist_view(request, extra_context)

    @admin.action(description="Keep ours", permissions=["decide"])
    def keep_ours(self, request: HttpRequest, queryset: QuerySet[RowConflict]) -> None:
        """Of all that are selected."""
        self._each(request, queryset, "ours")

    @admin.action(description="Take theirs", permissions=["decide"])
    def take_theirs(self, request: HttpRequest, queryset: QuerySet[RowConflict]) -> None:
        """Of all that are selected."""
        self._each(request, queryset, "theirs")

    def _each(self, request: HttpRequest, queryset: QuerySet[RowConflict], whole: str) -> None:
        for conflict in queryset.select_related("lookup"):
            now = ours_now(conflict)
            decided = chosen_line(conflict, {"whole": whole})
            if problems := self._decide(request, conflict, decided, now):
                self.message_user(request, " ".join(problems), messages.ERROR)

    def _decide(
        self, request: HttpRequest, conflict: RowConflict, decided: Line | None, seen: Line | None
    ) -> list[str]:
        """Decide one; what is wrong, in sentences."""
        if decided is None and seen is not None and not request.user.has_perm("lookups.delete_row"):
            return ["Deleting a row needs the permission to delete rows."]
        try:
            done = conflict_decide(conflict=conflict, decided=decided, seen=seen, person=request.user)
        except (ConflictRefused, RowRefused) as refused:
            return [str(refused)]
        except ValidationError as error:
            return list(error.messages)
        tell(
            request, "decide_conflict", f"rowconflict:{conflict.pk}", {"state": done.state, "row": done.label}
        )
        self.message_user(request, f"{done}: {done.get_state_display().lower()}.", messages.SUCCESS)
        return []

    # -- one ---------------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The three versions cell by cell, and what shall stand."""
        conflict = self.get_object(request, object_id or "")
        if not self.has_view_permission(request):
            raise PermissionDenied
        if conflict is None:
            self.message_user(request, "There is no such conflict.", messages.WARNING)
            return HttpResponseRedirect(reverse("admin:lookups_rowconflict_changelist"))
        if request.method != "POST":
            return self._page(request, conflict)
        if not self.has_decide_permission(request):
            refuse(request, "decide_conflict", f"rowconflict:{conflict.pk}")
        return self._posted(request, conflict)

    def _posted(self, request: HttpRequest, conflict: RowConflict) -> HttpResponse:
        try:
            decided = chosen_line(conflict, request.POST)
            problems = self._decide(request, conflict, decided, self._seen(request, conflict))
        except ValueError as error:
            problems = [str(error)]
        if problems:
            return self._page(request, conflict, problems)
        following = RowConflict.objects.filter(lookup=conflict.lookup, state=RowConflict.State.OPEN).first()
        where = self._url(following) if following else rows_url(conflict.lookup)
        return HttpResponseRedirect(where)

    @staticmethod
    def _seen(request: HttpRequest, conflict: RowConflict) -> Line | None:
        """Our side as the page showed it; ValueError if the page did not send it."""
        try:
            seen = json.loads(request.POST.get("seen", ""))
            return Line.of(seen, len(conflict.lookup.columns)) if seen else None
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"This page was not sent whole: look at {conflict} again.") from None

    @staticmethod
    def _url(conflict: RowConflict) -> str:
        return reverse("admin:lookups_rowconflict_change", args=[conflict.pk])

    def _page(
        self, request: HttpRequest, conflict: RowConflict, problems: Iterable[str] = ()
    ) -> TemplateResponse:
        now = ours_now(conflict)
        cells: list[Cell] = cells_of(conflict, now, request.POST)
        row = row_of(conflict)
        waiting = RowConflict.objects.filter(lookup=conflict.lookup, state=RowConflict.State.OPEN)
        context = {
            **self.admin_site.each_context(request),
            "title": str(conflict),
            "opts": self.opts,
            "media": self.media,
            "panel_template": "admin/lookups/conflict.html",
            "conflict": conflict,
            "cells": cells,
            "by_cell": conflict.is_open and self.has_decide_permission(request) and _both(conflict, now),
            "seen": json.dumps(now.plain() if now else None),
            "moved": conflict.is_open and now != line_in(conflict, "ours"),
            "problems": problems,
            "may_decide": conflict.is_open and self.has_decide_permission(request),
            "keep_label": KEEP.get(conflict.kind, "Keep all of ours"),
            "take_label": TAKE.get(conflict.kind, "Take all of theirs"),
            "rows_url": rows_url(conflict.lookup),
            "row_url": reverse("admin:lookups_row_change", args=[row.pk]) if row else "",
            "list_url": conflicts_url(conflict.lookup),
            "waiting": waiting.count(),
        }
        return TemplateResponse(request, "admin/lookups/page.html", context)


def _both(conflict: RowConflict, now: Line | None) -> bool:
    """Whether both sides have a row, so that cells can be chosen."""
    return now is not None and conflict.theirs is not None
