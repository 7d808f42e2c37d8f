"""The filters of the lists of incidents and callbacks."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from crm.admin.filters import CodeFilter, DefaultedFilter, Rows, is_number
from crm.admin.words import languages
from crm.config import config
from crm.models import Callback

SEEN = 5_000  # callbacks looked at for the names of those who have some


class StageFilter(DefaultedFilter):
    """How far an incident is."""

    title, parameter_name, first = "stage", "stage", "Not archived"
    options = {"open": "Open", "restored": "Restored", "closed": "Closed", "archived": "Archived"}

    def narrow(self, queryset: Rows, value: str) -> Rows:
        """By the times it has."""
        known: dict[str, dict[str, bool]] = {
            "": {"archived_at__isnull": True},
            "open": {"restored_at__isnull": True},
            "restored": {
                "restored_at__isnull": False,
                "closed_at__isnull": True,
                "archived_at__isnull": True,
            },
            "closed": {"closed_at__isnull": False, "archived_at__isnull": True},
            "archived": {"archived_at__isnull": False},
        }
        return queryset.filter(**known[value])


class ConfirmedFilter(admin.SimpleListFilter):
    """Whether an incident counts as one."""

    title, parameter_name = "confirmed", "confirmed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes or no."""
        return [("yes", "Confirmed"), ("no", "Not confirmed")]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """By when it was."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(confirmed_at__isnull=self.value() == "no")


class StatusFilter(CodeFilter):
    """An incident's status."""

    title, parameter_name, column = "status", "status", "status"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Of the lookup."""
        return [(one, one) for one in config().statuses.values()]


class CallbackStateFilter(DefaultedFilter):
    """Where a callback is; those that are still to be made unless others are chosen.

    One whose time with somebody is over is in the queue again, as whoever asks next gets it.
    """

    title, parameter_name, first = "state", "state", "Not closed"
    options = {"queued": "In the queue", "assigned": "With somebody", "closed": "Closed"}

    def narrow(self, queryset: Rows, value: str) -> Rows:
        """By the queue's own index, where it is in the queue."""
        if value == "closed":
            return queryset.filter(state=value)
        rows = queryset.exclude(state="closed")
        over = Q(state="assigned", release_at__lte=timezone.now())
        if value == "queued":
            return rows.filter(Q(state="queued") | over)
        return rows.filter(state="assigned").exclude(over) if value else rows


class ReasonFilter(CodeFilter):
    """Why somebody is called back."""

    title, parameter_name, column = "reason", "reason", "reason"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Those that the settings give callbacks."""
        text = config().properties.text
        named = [
            text("callback.reason.restored", "Restored"),
            text("callback.reason.etr", "Estimated restoration changed"),
        ]
        return [(one, one) for one in named]


class LanguageFilter(CodeFilter):
    """The language a customer is spoken to in."""

    title, parameter_name, column = "language", "language", "language_id"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Of the lookup."""
        return [(str(key), name) for key, name in languages().items()]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Rows with the language; what is no number changes nothing."""
        value = self.value() or ""
        return queryset.filter(language_id=int(value)) if is_number(value) else queryset


class HolderFilter(CodeFilter):
    """Who has callbacks now."""

    title, parameter_name, column = "holder", "holder", "assigned_to"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Those of the first callbacks of the queue, by the queue's own index."""
        first = Callback.objects.exclude(state="closed").values_list("assigned_to", flat=True)[:SEEN]
        return [(one, one) for one in sorted({one for one in first if one})]
