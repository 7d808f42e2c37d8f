"""Rows: searched, edited in place, imported and exported, a lookup at a time."""

import copy
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from lookups.admin.fields import cells_form
from lookups.admin.page import (
    FILTER,
    cell_display,
    changes_url,
    conflicts_url,
    editable_cells,
    history_link,
    lookup_of,
    rows_url,
    validity_shown,
)
from lookups.admin.sheet import SheetPages
from lookups.admin.validity import ValidityFilter
from lookups.models import Lookup, Row
from lookups.only_listed import OnlyListed
from lookups.services import RowRefused, row_save
from lookups.services.conflicts import open_conflicts
from lookups.services.rows import DAYS
from lookups.theme import ModelAdmin, ModelForm
from lookups.trail import refuse
from lookups.usage import users_of

DETAILS = ("kind", "choices", "required", "default")


@admin.register(Row)
class RowAdmin(OnlyListed, SheetPages, ModelAdmin[Row]):
    """Rows. Each request works on a copy of this object whose columns are its lookup's (`_page`)."""

    lookup: Lookup | None = None
    list_display = ["first", "others", "lookup", "valid"]
    list_filter = ["lookup", "kind", ValidityFilter]
    list_select_related = ["lookup"]
    list_per_page = 100
    list_max_show_all = 100
    search_fields = ["text"]
    search_help_text = "Search in all columns"
    show_full_result_count = False
    ordering = ["lookup", "position", "pk"]
    warn_unsaved_form = True
    list_before_template = "admin/lookups/row_list_before.html"

    class Media:
        """Wide cells, and keys to go through them."""

        css: ClassVar = {"all": ["lookups/rows.css", "lookups/pages.css"]}
        js: ClassVar = ["lookups/rows.js"]

    @admin.display(description="Row", ordering="text")
    def first(self, row: Row) -> str:
        """Its first cell."""
        return str(row) or "(blank)"

    @admin.display(description="Values")
    def others(self, row: Row) -> str:
        """The other cells."""
        return " · ".join(cell for cell in row.cells[1:3] if cell)

    @admin.display(description="#", ordering="position")
    def number(self, row: Row) -> str:
        """Its place, linked to its own page."""
        return str(row.position)

    @admin.display(description="Valid", ordering="valid_from")
    def valid(self, row: Row) -> str:
        """Whether it is today."""
        return validity_shown(row)

    @admin.display(description="")
    def changes(self, row: Row) -> str:
        """Link to its history."""
        return history_link(row)

    # -- one lookup's page -------------------------------------------------------------------------------

    def _page(self, request: HttpRequest, row_id: str | None = None) -> "RowAdmin":
        lookup = lookup_of(request, row_id)
        page = copy.copy(self)
        if lookup is None:
            return page
        page.lookup = lookup
        names = [f"cell_{at}" for at in range(len(lookup.columns))]
        for at, name in enumerate(names):
            setattr(page, name, cell_display(lookup, at))
        kind = ["kind"] if lookup.is_properties else []
        dated = ["valid"] if lookup.rows.exclude(valid_from=None, valid_until=None).exists() else []
        page.__dict__.update(
            list_display=["number", *dated, *names, *kind, "changes"],
            list_display_links=["number"],
            list_editable=[f"cell_{at}" for at in editable_cells(lookup)],
            list_filter=[("lookup", admin.RelatedOnlyFieldListFilter), ValidityFilter, *kind],
        )
        return page

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The rows of all lookups to search in, or those of one to edit in place."""
        page = self._page(request)
        _enter_saves(request)
        if "_save" in request.POST and not self.has_change_permission(request):
            refuse(request, "save", f"lookup:{page.lookup.pk}" if page.lookup else "row:list")
        about = self._about(page.lookup) if page.lookup else {}
        return super(RowAdmin, page).changelist_view(request, {**about, **(extra_context or {})})

    @staticmethod
    def _about(lookup: Lookup) -> dict[str, Any]:
        """What stands above one lookup's rows."""
        return {
            "title": str(lookup),
            "users": users_of(lookup.name),
            "conflicts": open_conflicts([lookup.pk]).get(lookup.pk, 0),
            "conflicts_url": conflicts_url(lookup),
            "changes_url": changes_url(lookup),
        }

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> type[ModelForm[Row]]:
        """Cells as fields, of the columns this person may edit."""
        if self.lookup is None:
            return super().get_changelist_form(request, **options)
        return cells_form(self.lookup, editable_cells(self.lookup), inline=True)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """One row's page; a new row is added from its lookup's list."""
        page = self._page(request, object_id)
        if object_id is None and page.lookup is None:
            self.message_user(request, "Open a lookup's rows and add one there.", messages.WARNING)
            return HttpResponseRedirect(reverse("admin:lookups_lookup_changelist"))
        if object_id is None and not self._may_shape(request, page.lookup):
            raise PermissionDenied
        return super(RowAdmin, page).changeform_view(request, object_id, form_url, extra_context)

    def get_fields(self, request: HttpRequest, obj: Row | None = None) -> Any:
        """The lookup's columns, and for a property what its value may be."""
        if self.lookup is None:
            return []
        cells = [f"cell_{at}" for at in range(len(self.lookup.columns))]
        return [*cells, *DAYS, *DETAILS] if self.lookup.is_properties else [*cells, *DAYS]

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> list[str]:
        """All of a property but its value and its days, for who may not edit keys."""
        if self.lookup is None or not self.lookup.is_properties or request.user.has_perm("lookups.edit_keys"):
            return []
        return [name for name in self.get_fields(request, obj) if name not in ("cell_1", *DAYS)]

    def get_form(
        self, request: HttpRequest, obj: Row | None = None, change: bool = False, **options: Any
    ) -> Any:
        """Cells as fields."""
        if self.lookup is None:
            return super().get_form(request, obj, change, **options)
        fixed = self.get_readonly_fields(request, obj)
        places = tuple(at for at in range(len(self.lookup.columns)) if f"cell_{at}" not in fixed)
        return super().get_form(
            request, obj, change, form=cells_form(self.lookup, places, inline=False), **options
        )

    # -- saving and permissions --------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Row, form: Any, change: bool) -> None:
        """With history; a value alone for who may not edit keys."""
        try:
            row_save(row=obj, person=request.user)
        except RowRefused as refused:
            raise PermissionDenied(str(refused)) from refused

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Properties are added by who may edit keys."""
        return super().has_add_permission(request) and self._may_shape(request, lookup_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Properties are deleted by who may edit keys."""
        return super().has_delete_permission(request, obj) and self._may_shape(
            request, obj.lookup if obj else None
        )

    @staticmethod
    def _may_shape(request: HttpRequest, lookup: Lookup | None) -> bool:
        return lookup is None or not lookup.is_properties or request.user.has_perm("lookups.edit_keys")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed what, with the way back."""
        return HttpResponseRedirect(f"{reverse('admin:lookups_historicalrow_changelist')}?id={object_id}")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        """With their lookups, which the cells need."""
        return super().get_queryset(request).select_related("lookup")

    def response_add(
        self, request: HttpRequest, obj: Row, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Back to the lookup's rows, or to one more."""
        if "_addanother" in request.POST:
            return HttpResponseRedirect(f"{reverse('admin:lookups_row_add')}?{FILTER}={obj.lookup_id}")
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(rows_url(obj.lookup))


def _enter_saves(request: HttpRequest) -> None:
    """Without scripts, Enter in a cell sends the list by its first button, the actions': with none chosen, save."""
    posted = request.POST
    if "form-TOTAL_FORMS" in posted and "_save" not in posted and not posted.get("action"):
        saving = posted.copy()
        saving["_save"] = "Save"
        request.POST = saving  # type: ignore[assignment]  # as Django's own list does with an action
