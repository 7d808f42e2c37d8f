"""The inbox of values that lookups did not have: add the row here, then release what it stopped."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import PostAction, RecordAdmin, actor_of, refuse, subject_of
from integrations.admin.bulk_choice import THERE, preview_url
from integrations.admin.error_filters import value_errors
from integrations.admin.listed import listed
from integrations.engine.faults import Fault
from integrations.models import ErrorInstance, MissingValue
from integrations.present import badge, link, short
from integrations.services.missing_check import released_by, value_is_there
from integrations.services.missing_fill import ADD, missing_fill, missing_form

BOUND = 1_000  # open errors counted for one value
SHOWN = 20
OPEN = ErrorInstance.State.OPEN


class NowFilter(admin.SimpleListFilter):
    """At first only what a person has to do with: what is missing, and what still has open errors."""

    title = "now"
    parameter_name = "now"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All, missing, or there."""
        return [("missing", "Missing"), ("there", "There now"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The first is not all, but what needs somebody."""
        found = list(super().choices(changelist))
        found[0]["display"] = "Missing, or with open errors"
        yield from found

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By whether a row was seen to be there."""
        if self.value() == "all":
            return queryset
        if self.value() in ("missing", "there"):
            return queryset.filter(settled_at__isnull=self.value() == "missing")
        linked = MissingValue.errors.through.objects.filter(
            missingvalue=OuterRef("pk"), errorinstance__state=OPEN
        )
        return queryset.filter(Q(settled_at=None) | Q(Exists(linked)))


@admin.register(MissingValue)
class MissingValueAdmin(RecordAdmin[MissingValue]):
    """A Business admin adds the row, an Operator releases."""

    post_actions = (PostAction("add_row", "lookups.add_row"), PostAction("fill", "lookups.change_row"))
    panel_template = "admin/integrations/missing/page.html"
    list_display = ("what", "lookup", "places", "count", "first_seen", "last_seen", "stopped", "state")
    list_display_links = ("what",)
    list_filter = (NowFilter, "lookup")
    linked = ("column", "target", "settled_at__isnull")
    list_per_page = 25
    search_fields: ClassVar[tuple[str, ...]] = ("value__startswith", "lookup__istartswith")
    search_help_text = "The beginning of the value, or of the lookup's name."
    actions = ("release_selected",)

    class Media:
        """The form's own few styles."""

        css = {"all": ["integrations/console.css", "integrations/bulk.css"]}

    # -- the list ----------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the sums by lookup and column above it."""
        more = {
            "above_list": "admin/integrations/missing/above.html",
            "groups": _groups(),
            "release_url": preview_url(missing=THERE) if _may_release(request) else "",
            "title": "Values that lookups did not have",
        }
        return super().changelist_view(request, more | (extra_context or {}))

    @display(description="Value", ordering="value")
    def what(self, row: MissingValue) -> str:
        """The value; a property's name where its value is missing."""
        return short(row.value or row.column, 80)

    @display(description="Asked for")
    def places(self, row: MissingValue) -> str:
        """From which column to which."""
        return f"{row.column} → {row.target}" if row.value else row.target

    @display(description="Open errors")
    def stopped(self, row: MissingValue) -> SafeString | int:
        """How many it stops that are open, counted up to a bound; a link to them."""
        number = row.errors.filter(state=OPEN).values("pk")[: BOUND + 1].count()
        said = f"more than {BOUND}" if number > BOUND else str(number)
        return link(value_errors(row), said) if number else 0

    @display(description="Now")
    def state(self, row: MissingValue) -> str:
        """Whether it is there now; settled ones are not looked up again."""
        if row.settled_at or value_is_there(row):
            return badge("set", "there now")
        return badge("not set", "missing")

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk action."""
        return _may_release(request)

    @admin.action(description="Release what is there now", permissions=["release"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[MissingValue]) -> HttpResponse:
        """To the preview of what the chosen values release."""
        keys = ",".join(str(key) for key in queryset.values_list("pk", flat=True)[:500])
        return HttpResponseRedirect(preview_url(missing=keys))

    # -- one value ---------------------------------------------------------------------------------------

    def panel(self, request: HttpRequest, row: MissingValue | None) -> dict[str, Any]:
        """Where it is missing, the form that brings it, and what that would release."""
        if row is None:
            return {}
        there = value_is_there(row)
        form = missing_form(row)
        released = released_by([row]) if there else ErrorInstance.objects.none()
        stopped = row.errors.filter(state=OPEN).select_related("instance", "family__flow")
        return {
            "title": f"{row.value or row.column} in {row.lookup}",
            "there": there,
            "form": form,
            "cells": [(cell, cell.value) for cell in form.cells],
            "adds": form.how == ADD,
            "may_fill": request.user.has_perm(form.permission)
            and (not form.needs_keys or request.user.has_perm("lookups.edit_keys")),
            "stopped": stopped.order_by("-last_failed_at", "-pk")[:SHOWN],
            "stopped_count": row.errors.filter(state=OPEN).values("pk")[: BOUND + 1].count(),
            "released_count": released.values("pk")[: BOUND + 1].count(),
            "bound": BOUND,
            "release_url": preview_url(missing=row.pk) if _may_release(request) else "",
        }

    def post_add_row(self, request: HttpRequest, row: MissingValue) -> HttpResponse | None:
        """Add a row with the value."""
        return self._bring(request, row)

    def post_fill(self, request: HttpRequest, row: MissingValue) -> HttpResponse | None:
        """Fill the blank cell of the row that is there."""
        return self._bring(request, row)

    def _bring(self, request: HttpRequest, row: MissingValue) -> HttpResponse | None:
        """Save what the form says now; which permission that takes, the form knows, not the address."""
        form = missing_form(row)
        keys = not form.needs_keys or request.user.has_perm("lookups.edit_keys")
        if not (request.user.has_perm(form.permission) and keys):
            refuse(request, action="fill_missing", subject=subject_of(row))
        given = {cell.at: request.POST.get(f"cell_{cell.at}", "") for cell in form.cells if not cell.fixed}
        try:
            missing_fill(missing=row, cells=given, person=request.user, actor=actor_of(request))
        except Fault as fault:  # the page again, with what was typed
            self.say_fault(request, fault)
            typed = [(cell, given.get(cell.at, cell.value)) for cell in form.cells]
            return self.page(request, row, {**self.panel(request, row), "cells": typed})
        self.message_user(request, f"{row.lookup} has it now.", messages.SUCCESS)
        return None


def _may_release(request: HttpRequest) -> bool:
    return request.user.has_perm("integrations.resubmit_instance")


def _groups() -> list[dict[str, Any]]:
    """What is missing by lookup and column, most often first, each with the address of the values it sums up."""
    rows: Any = MissingValue.objects.filter(settled_at=None).order_by().values("lookup", "column", "target")
    sums = rows.annotate(values=Count("pk"), times=Sum("count")).order_by("-times", "lookup")[:SHOWN]
    return [one | {"list": _list_of(one)} for one in sums]


def _list_of(one: dict[str, Any]) -> str:
    """The list's own parameters; `missing` is what the sums are of."""
    return listed(MissingValue, **{name: one[name] for name in ("lookup", "column", "target")}, now="missing")
