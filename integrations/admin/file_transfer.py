"""File transfers: the ledger of each file's way from source to target."""

from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.admin.business_object import object_url
from integrations.admin.filters import RecentFilter
from integrations.admin.instance_page import first_rows
from integrations.admin.keyset import KeysetMixin, Narrow
from integrations.admin.saved_filter import SavedFilterMixin
from integrations.models import FileTransfer
from integrations.present import badge, short, size

FOUND = 2_000  # transfers that one whole name is looked up for: the newest
LOOKED_AT = 20_000  # transfers whose names are compared for one page


@admin.register(FileTransfer)
class FileTransferAdmin(SavedFilterMixin, KeysetMixin, RecordAdmin[FileTransfer]):
    """Found by its name, by index, or by the beginning of it among the newest."""

    panel_template = "admin/integrations/file_transfer/page.html"
    list_display = ("source_name", "state_now", "bytes", "source", "target", "tries", "created_at", "why")
    list_filter = ("state", RecentFilter, "source", "target")
    linked = ("instance__id__exact",)
    search_fields = FileTransfer.NAMES
    search_help_text = (
        "A file's name at the source or the target, or what it was renamed to; or its beginning"
    )
    list_select_related = ("source", "target")
    actions = None

    @display(description="State", ordering="state")
    def state_now(self, row: FileTransfer) -> SafeString:
        """In colour."""
        return badge(row.state, str(row.get_state_display()))

    @display(description="Size", ordering="source_size")
    def bytes(self, row: FileTransfer) -> str:
        """As listed at the source."""
        return size(row.source_size)

    @display(description="Trouble")
    def why(self, row: FileTransfer) -> str:
        """Its first line."""
        return short(row.trouble)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[FileTransfer], search_term: str
    ) -> tuple[QuerySet[FileTransfer], bool]:
        """The whole name by its index; a beginning is looked for page by page."""
        name = search_term.strip()
        found = _called(name) if name else set()
        return (queryset.filter(pk__in=found) if found else queryset), False

    def keyset_narrow(self, request: HttpRequest) -> tuple[Narrow | None, int]:
        """A beginning of a name is looked for in so many rows a page."""
        start = request.GET.get("q", "").strip()
        if not start or _called(start, most=1):
            return None, 0
        begins = (Q(**{f"{name}__startswith": start}) for name in FileTransfer.NAMES)
        rows = FileTransfer.objects.filter(reduce(or_, begins))
        return lambda keys: rows.filter(pk__in=keys).values_list("pk", flat=True), LOOKED_AT

    def panel(self, request: HttpRequest, row: FileTransfer | None) -> dict[str, Any]:
        """The sync requests noted as it passed."""
        if row is None:
            return {}
        return {
            "sync_requests": first_rows(row.sync_requests.order_by("id")),
            "states": FileTransfer.State.choices,
            "story": object_url(row.source_name),
        }


def _called(text: str, most: int = FOUND) -> set[UUID]:
    """Primary keys of the newest transfers with this very name, each of the names by its own index."""
    found: set[UUID] = set()
    for name in FileTransfer.NAMES:
        rows = FileTransfer.objects.filter(**{name: text}).order_by("-pk")
        found.update(rows.values_list("pk", flat=True)[:most])
    return found
