"""Mappings: the base expressions, as the installed code has them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.models import Mapping


@admin.register(Mapping)
class MappingAdmin(RecordAdmin[Mapping]):
    """Read-only: replaced with the code; a site adds extensions."""

    panel_template = "admin/integrations/mapping/page.html"
    list_display = ("name", "flow", "extension_count", "updated_at")
    list_filter = ("flow__package", "flow")
    search_fields = ("name", "flow__identifier", "expression")
    list_select_related = ("flow",)
    actions = None

    @display(description="Extensions")
    def extension_count(self, row: Mapping) -> int:
        """How many the site has attached."""
        return row.extensions.count()

    def panel(self, request: HttpRequest, row: Mapping | None) -> dict[str, Any]:
        """Its extensions, in the order they are applied."""
        return {"extensions": row.extensions.all()} if row else {}
