"""Sync requests: which records the other side has said yes to, which are late, which it never knew."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.admin.business_object import object_url
from integrations.admin.filters import AmongNewestFilter, NotedRecentlyFilter, OverdueFilter
from integrations.admin.keyset import KeysetMixin
from integrations.admin.saved_filter import SavedFilterMixin
from integrations.models import BusinessKey, Instance, SyncRequest
from integrations.present import badge, short
from integrations.services.business_object import sync_requests_of

STORY = 100  # instances shown of one sync request
FOUND = 2_000  # sync requests of one record that a search finds: the newest


class PackageFilter(AmongNewestFilter):
    """By package."""

    title = parameter_name = column = "package"
    newest_by = "-noted_at"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As an expression: the index that begins with the package would have all of its rows sorted."""
        if not self.value():
            return queryset
        rows: QuerySet[Any] = queryset.alias(of=Concat("package", Value("")))
        return rows.filter(of=self.value())


class EntityFilter(AmongNewestFilter):
    """By what sort of record it is."""

    title = parameter_name = column = "entity"
    newest_by = "-noted_at"


@admin.register(SyncRequest)
class SyncRequestAdmin(SavedFilterMixin, KeysetMixin, RecordAdmin[SyncRequest]):
    """Found by its id or the record's external id, exact."""

    panel_template = "admin/integrations/sync_request/page.html"
    list_display = ("sync_request_id", "state", "entity", "external_id", "noted_at", "overdue", "said")
    list_filter = ("status", OverdueFilter, NotedRecentlyFilter, PackageFilter, EntityFilter)
    linked = ("overdue_at__lt", "file_transfer__id__exact", "instance__id__exact")
    search_fields = ("sync_request_id",)
    search_help_text = "Exact: a sync request id or an external id."
    actions = None
    keyset = "noted_at"

    @display(description="Status", ordering="status")
    def state(self, row: SyncRequest) -> SafeString:
        """In colour."""
        return badge(row.status, str(row.get_status_display()))

    @display(description="Acknowledgement")
    def overdue(self, row: SyncRequest) -> SafeString | Any:
        """When it came, or that it is late."""
        if row.acknowledged_at:
            return row.acknowledged_at
        late = row.status == row.Status.AWAITING and row.overdue_at and row.overdue_at < timezone.now()
        return badge("overdue") if late else ""

    @display(description="Message")
    def said(self, row: SyncRequest) -> str:
        """What the other side said."""
        return short(row.message)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SyncRequest], search_term: str
    ) -> tuple[QuerySet[SyncRequest], bool]:
        """Exact, by index."""
        term = search_term.strip()
        return (queryset.filter(pk__in=_known_as(term)) if term else queryset), False

    def panel(self, request: HttpRequest, row: SyncRequest | None) -> dict[str, Any]:
        """Whether it is late, what each of its parts was answered, and every instance that had to do with it."""
        if row is None:
            return {}
        known_by = BusinessKey.objects.filter(name="syncRequestId", value=row.sync_request_id).values(
            "instance"
        )
        instances = Instance.objects.filter(pk__in=known_by, flow__package=row.package)
        story = instances.select_related("flow", "client").order_by("created_at")[:STORY]
        return {
            "overdue": self.overdue(row),
            "story": story,
            "parts": sorted(row.parts.items()),
            "everything": object_url(row.sync_request_id),
        }


def _known_as(term: str) -> set[int]:
    """Primary keys by the id, of which there is one a package, and of the newest by external id."""
    by_record = SyncRequest.objects.filter(external_id=term).order_by("-noted_at")
    return {
        *sync_requests_of(term).values_list("pk", flat=True),
        *by_record.values_list("pk", flat=True)[:FOUND],
    }
