"""File transfers: the ledger of each file's way from source to target."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.admin.filters import RecentFilter
from integrations.admin.instance_page import first_rows
from integrations.models import FileTransfer
from integrations.present import badge, short, size


@admin.register(FileTransfer)
class FileTransferAdmin(RecordAdmin[FileTransfer]):
    """Found by the beginning of its name."""

    panel_template = "admin/integrations/file_transfer/page.html"
    list_display = ("source_name", "state_now", "bytes", "source", "target", "tries", "created_at", "why")
    list_filter = ("state", RecentFilter, "source", "target")
    search_fields = ("source_name__startswith",)
    search_help_text = "The beginning of the file's name at the source."
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

    def panel(self, request: HttpRequest, row: FileTransfer | None) -> dict[str, Any]:
        """The sync requests noted as it passed."""
        if row is None:
            return {}
        return {
            "sync_requests": first_rows(row.sync_requests.order_by("id")),
            "states": FileTransfer.State.choices,
        }
