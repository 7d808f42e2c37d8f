"""List filters that stay cheap on long tables."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from integrations.models import Flow

SPANS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


class RecentFilter(admin.SimpleListFilter):
    """The last hour, day, week or month, by an indexed time; subclasses name the column."""

    title = "when"
    parameter_name = "within"
    column = "created_at"
    SPANS_SHOWN = (
        ("1h", "Last hour"),
        ("24h", "Last 24 hours"),
        ("7d", "Last 7 days"),
        ("30d", "Last 30 days"),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The spans."""
        return list(self.SPANS_SHOWN)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows within the span; one that is not offered changes nothing."""
        span = SPANS.get(self.value() or "")
        return queryset.filter(**{f"{self.column}__gte": timezone.now() - span}) if span else queryset


class FailedRecentlyFilter(RecentFilter):
    """By when it last failed."""

    column = "last_failed_at"


class NotedRecentlyFilter(RecentFilter):
    """By when it was noted."""

    column = "noted_at"


class ActedRecentlyFilter(RecentFilter):
    """By when it was done."""

    column = "at"


class OverdueFilter(admin.SimpleListFilter):
    """Sync requests whose acknowledgement is late."""

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Yes or no."""
        return [("yes", "Overdue"), ("no", "Not overdue")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Awaiting, and past its time."""
        late = {"status": "awaiting", "overdue_at__lt": timezone.now()}
        if self.value() == "yes":
            return queryset.filter(**late)
        return queryset.exclude(**late) if self.value() == "no" else queryset


class PackageFilter(admin.SimpleListFilter):
    """By the package of the row's flow, of which there are few: no join decides over millions of rows."""

    title = "package"
    parameter_name = "flow__package"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The packages there are flows of."""
        found = Flow.objects.order_by("package").values_list("package", flat=True).distinct()
        return [(name, name) for name in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of these flows."""
        if not self.value():
            return queryset
        flows = Flow.objects.filter(package=self.value()).values_list("pk", flat=True)
        return queryset.filter(flow__in=list(flows))


class AmongNewestFilter(admin.SimpleListFilter):
    """The values of a column without choices, as far as the newest rows have them; subclasses name the column."""

    column = ""
    newest_by = "-pk"
    LOOKED_AT = 2_000

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What the newest rows have, and what is chosen."""
        rows = model_admin.model._default_manager.order_by(self.newest_by)
        found = set(rows.values_list(self.column, flat=True)[: self.LOOKED_AT])
        found.add(request.GET.get(self.parameter_name or "", ""))
        return [(value, value) for value in sorted(found - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows with this value."""
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset
