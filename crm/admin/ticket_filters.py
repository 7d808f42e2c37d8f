"""The filters of the list of trouble tickets."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.admin.filters import CodeFilter, DefaultedFilter, Rows, is_searching
from crm.config import config
from crm.models import Incident, TroubleTicket


class TicketSetFilter(DefaultedFilter):
    """Active tickets, archived ones, or both."""

    title, parameter_name, first = "set", "set", "Active"
    options = {"archived": "Archived"}

    def narrow(self, queryset: Rows, value: str) -> Rows:
        """By when it was archived."""
        return queryset.filter(archived_at__isnull=not value)


def only_active(request: HttpRequest) -> bool:
    """Whether the list shows active tickets alone."""
    return not request.GET.get("set") and not is_searching(request)


def of_active_incidents(tickets: Rows) -> Rows:
    """Active tickets, found by their incidents.

    Active ones are few among all: a rare hazard is found among them without reading a million archived tickets.
    """
    active = Incident.objects.filter(archived_at__isnull=True).order_by()
    return tickets.filter(incident__in=active.values("pk"))


class HazardFilter(admin.SimpleListFilter):
    """Tickets that tell of a danger, or come from police or fire department."""

    title, parameter_name = "danger", "danger"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One, the other."""
        return [("hazard", "With hazards"), ("special", "Special caller")]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        """Rare ones: looked for among the active tickets where those are shown."""
        if self.value() not in {"hazard", "special"}:
            return queryset
        rows = of_active_incidents(queryset) if only_active(request) else queryset
        return rows.filter(special_caller=True) if self.value() == "special" else rows.exclude(hazards=[])


class TicketCodeFilter(CodeFilter):
    """Of tickets: rare values are looked for among the active ones where those are shown."""

    def narrow(self, request: HttpRequest, rows: Rows) -> Rows:
        """By their incidents."""
        return of_active_incidents(rows) if only_active(request) else rows


class KindFilter(TicketCodeFilter):
    """What places a ticket."""

    title, parameter_name, column = "kind", "kind", "kind"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Of the model."""
        return [(value, str(label)) for value, label in TroubleTicket.Kind.choices]


class TroubleFilter(TicketCodeFilter):
    """What is wrong."""

    title, parameter_name, column = "trouble code", "trouble", "trouble_code"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Of the lookup."""
        return [(one, one) for one in config().trouble_codes.values()]


class SourceFilter(TicketCodeFilter):
    """Where tickets came from."""

    title, parameter_name, column = "source", "source", "source"

    def codes(self) -> Iterable[tuple[str, str]]:
        """Of the lookup."""
        return [(one, one) for one in config().sources.values()]
