"""Mappings: the base expressions, as the installed code has them."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.mapping_extension import studio_url
from integrations.admin.studio_bench import may_edit
from integrations.admin.studio_code import code_lines
from integrations.admin.studio_versions import VersionPages
from integrations.models import Mapping
from integrations.present import badge, link

_STALE = ~Q(extensions__base_digest="") & ~Q(extensions__base_digest=F("digest"))


@admin.register(Mapping)
class MappingAdmin(VersionPages):
    """Read-only: replaced with the code; a site adds extensions, in the studio."""

    panel_template = "admin/integrations/mapping/page.html"
    list_display = ("name", "flow", "extension_count", "base", "studio", "updated_at")
    list_filter = ("flow__package", "flow")
    search_fields = ("name", "flow__identifier", "expression")
    list_select_related = ("flow",)
    actions = None

    class Media:
        """The studio's own style, beside the console's."""

        css = {"all": ["integrations/studio.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mapping]:
        """With how many extensions there are, and the first that was saved with another base."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                attached=Count("extensions"),
                stale=Count("extensions", filter=_STALE),
                first_stale=Min("extensions__pk", filter=_STALE),
            )
        )

    @display(description="Extensions", ordering="attached")
    def extension_count(self, row: Any) -> int:
        """How many the site has attached."""
        return int(row.attached)

    @display(description="Base", ordering="stale")
    def base(self, row: Any) -> SafeString | str:
        """Whether the code has brought another base since an extension was saved, with a link to try that one."""
        if not row.stale:
            return ""
        tried = link(studio_url(row.pk, row.first_stale), "Try it")
        return format_html("{} since the extension was saved. {}", badge("warning", "base changed"), tried)

    @display(description="Studio")
    def studio(self, row: Mapping) -> SafeString:
        """Where extensions are written and tried."""
        return link(studio_url(row.pk), "Open")

    def panel(self, request: HttpRequest, row: Mapping | None) -> dict[str, Any]:
        """Its extensions, in the order they are applied."""
        if row is None:
            return {}
        return {
            "extensions": row.extensions.select_related("mapping"),
            "base_code": code_lines(row.expression),
            "studio": studio_url(row.pk),
            "may_edit": may_edit(request),
        }
