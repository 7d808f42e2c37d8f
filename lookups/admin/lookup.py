"""Lookups: the list, and a lookup's own page."""

import copy
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from lookups.admin.compare import compare_page
from lookups.admin.fields import LinesField
from lookups.admin.page import changes_url, conflicts_url, import_url, rows_url, users_shown
from lookups.admin.tried import tried
from lookups.models import Lookup
from lookups.only_listed import OnlyListed
from lookups.services import lookup_delete
from lookups.services.conflicts import open_conflicts
from lookups.theme import ModelAdmin, ModelForm
from lookups.usage import User, users_by_lookup, users_of


class LookupForm(ModelForm[Lookup]):
    """A lookup with its columns a line each."""

    columns = LinesField(help_text=Lookup._meta.get_field("columns").help_text)

    class Meta:
        """What a person says of a lookup."""

        model = Lookup
        fields = ("name", "kind", "package", "description", "columns")


@admin.register(Lookup)
class LookupAdmin(OnlyListed, SimpleHistoryAdmin, ModelAdmin[Lookup]):  # type: ignore[misc]  # simple_history has no types
    """Lookups; their rows have a list of their own."""

    form = LookupForm
    list_display = ["name", "package", "kind_of", "row_count", "to_decide", "used_by", "updated_at"]
    list_filter = ["package", "kind"]
    search_fields = ["name", "description", "package"]
    ordering = ["package", "name"]
    fields = ["name", "kind", "package", "description", "columns"]

    list_before_template = "admin/lookups/lookup_list_before.html"
    users: dict[str, list[User]]
    conflicts: dict[int, int]

    class Media:
        """The lookups' own style."""

        css: ClassVar = {"all": ["lookups/pages.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lookup]:
        """With the number of rows; what packages brought is not needed here."""
        return super().get_queryset(request).defer("brought", "shipped").annotate(row_total=Count("rows"))

    def get_urls(self) -> list[URLPattern]:
        """With the page that compares."""
        view = self.admin_site.admin_view(self.compare_view)
        return [path("<int:object_id>/compare/", view, name="lookups_lookup_compare"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Lookup | None = None) -> list[str]:
        """A lookup stays the kind it was made."""
        return ["kind"] if obj else []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; who uses what, and what is to be decided, is asked for once."""
        page = copy.copy(self)
        page.users, page.conflicts = users_by_lookup(), open_conflicts()
        context = {"new_lookup_url": import_url(request), **(extra_context or {})}
        return super(LookupAdmin, page).changelist_view(request, context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, below what one does with a lookup."""
        lookup = self.get_object(request, object_id) if object_id else None
        context = self._panel(request, lookup) if lookup is not None else {}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    @staticmethod
    def _panel(request: HttpRequest, lookup: Lookup) -> dict[str, Any]:
        return {
            "users": users_of(lookup.name),
            "conflicts": open_conflicts([lookup.pk]).get(lookup.pk, 0),
            "conflicts_url": conflicts_url(lookup),
            "row_total": getattr(lookup, "row_total", 0),
            "rows_url": rows_url(lookup),
            "import_url": import_url(request, lookup),
            "changes_url": changes_url(lookup),
            "tried": tried(lookup, request.GET),
        }

    def compare_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A lookup at two times, side by side."""
        return compare_page(self, request, object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed what, in the rows and in the lookup itself."""
        lookup = self.get_object(request, object_id)
        where = changes_url(lookup) if lookup else reverse("admin:lookups_lookup_changelist")
        return HttpResponseRedirect(where)

    def delete_model(self, request: HttpRequest, obj: Lookup) -> None:
        """With its rows."""
        lookup_delete(lookup=obj, person=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Lookup]) -> None:
        """With their rows."""
        for lookup in queryset:
            lookup_delete(lookup=lookup, person=request.user)

    @admin.display(description="Kind", ordering="kind")
    def kind_of(self, lookup: Lookup) -> str:
        """In a word or two."""
        return lookup.get_kind_display().split(":")[0]

    @admin.display(description="Rows", ordering="row_total")
    def row_count(self, lookup: Lookup) -> str:
        """How many, linked to them."""
        total: int = getattr(lookup, "row_total", 0)
        return format_html(
            '<a href="{}">{} rows</a> · <a href="{}">changes</a>',
            rows_url(lookup),
            total,
            changes_url(lookup),
        )

    @admin.display(description="To decide")
    def to_decide(self, lookup: Lookup) -> str:
        """How many merge conflicts wait, linked to them."""
        waiting = self.conflicts.get(lookup.pk, 0)
        if not waiting:
            return "-"
        said = "conflict" if waiting == 1 else "conflicts"
        return format_html('<a href="{}">{} {}</a>', conflicts_url(lookup), waiting, said)

    @admin.display(description="Used by")
    def used_by(self, lookup: Lookup) -> str:
        """What reads it, linked."""
        return users_shown(self.users.get(lookup.folded, []))
