"""Lookups: the list, and a lookup's own page."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from lookups.admin.fields import LinesField
from lookups.admin.page import rows_url
from lookups.models import Lookup
from lookups.services import lookup_delete
from lookups.theme import ModelAdmin, ModelForm
from lookups.usage import users_by_lookup


class LookupForm(ModelForm[Lookup]):
    """A lookup with its columns a line each."""

    columns = LinesField(help_text=Lookup._meta.get_field("columns").help_text)

    class Meta:
        """What a person says of a lookup."""

        model = Lookup
        fields = ("name", "kind", "package", "description", "columns")


@admin.register(Lookup)
class LookupAdmin(SimpleHistoryAdmin, ModelAdmin[Lookup]):  # type: ignore[misc]  # simple_history has no types
    """Lookups; their rows have a list of their own."""

    form = LookupForm
    list_display = ["name", "package", "kind_of", "row_count", "used_by", "updated_at"]
    list_filter = ["package", "kind"]
    search_fields = ["name", "description", "package"]
    ordering = ["package", "name"]
    readonly_fields = ["row_count", "used_by"]
    fields = ["name", "kind", "package", "description", "columns", "row_count", "used_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lookup]:
        """With the number of rows."""
        return super().get_queryset(request).annotate(row_total=Count("rows"))

    def get_readonly_fields(self, request: HttpRequest, obj: Lookup | None = None) -> list[str]:
        """A lookup stays the kind it was made."""
        return [*self.readonly_fields, "kind"] if obj else self.readonly_fields

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
        if lookup._state.adding:
            return "-"
        history = f"{reverse('admin:lookups_historicalrow_changelist')}?lookup__id__exact={lookup.pk}"
        total: int = getattr(lookup, "row_total", 0)
        return format_html(
            '<a href="{}">{} rows</a> · <a href="{}">changes</a>', rows_url(lookup), total, history
        )

    @admin.display(description="Used by")
    def used_by(self, lookup: Lookup) -> str:
        """What reads it."""
        return ", ".join(users_by_lookup().get(lookup.folded, [])) or "-"
