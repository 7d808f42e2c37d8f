"""Mapping extensions: a site's own fields, compiled and tried before they are saved."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of, subject_of
from integrations.models import MappingExtension
from integrations.present import badge, link, short
from integrations.services.audit import audit
from integrations.services.extension_save import extension_problems, extension_save, said
from integrations.services.studio_try import draft_of, studio_try

_FIELDS = ("mapping", "pointer", "expression", "sample", "position", "active", "reason")


class ExtensionForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """Checked by the service's own rules; the reason is asked for at each change."""

    class Meta:
        model = MappingExtension
        fields = _FIELDS

    def full_clean(self) -> None:
        """The fields first, then the whole."""
        super().full_clean()
        if self.is_bound and not self.errors:
            for field, problem in extension_problems(self.instance).items():
                self.add_error(field if field in self.fields else "expression", problem)


def may_see_sample(request: HttpRequest) -> bool:
    """Whether this person may see a stored sample: who edits extensions, or may read payloads."""
    user = request.user
    return user.has_perm("integrations.change_mappingextension") or user.has_perm("integrations.read_payload")


@admin.register(MappingExtension)
class MappingExtensionAdmin(ConsoleAdmin[MappingExtension]):
    """Who changed what and why is in its history; the studio shows what it does while it is written."""

    form = ExtensionForm
    panel_template = "admin/integrations/mapping/extension_panel.html"
    list_display = ("mapping", "where", "line", "state", "base", "position", "reason")
    list_filter = ("active", "mapping__flow__package", "mapping__flow")
    list_select_related = ("mapping__flow",)
    search_fields = ("expression", "pointer", "reason", "mapping__flow__identifier")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[MappingExtension]:
        """Without the bases they were saved with, which are long."""
        return super().get_queryset(request).defer("base_expression")

    def get_fields(self, request: HttpRequest, obj: MappingExtension | None = None) -> Any:
        """The sample may be somebody's message: it is shown like one."""
        return [name for name in _FIELDS if name != "sample" or may_see_sample(request)]

    @display(description="At", ordering="pointer")
    def where(self, row: MappingExtension) -> str:
        """The point of the target."""
        return row.pointer or "the whole"

    @display(description="Expression")
    def line(self, row: MappingExtension) -> str:
        """Its beginning, on one line."""
        return short(" ".join(row.expression.split()))

    @display(description="State", ordering="active")
    def state(self, row: MappingExtension) -> SafeString:
        """Whether it is applied."""
        return badge("active") if row.active else badge("inactive")

    @display(description="Base")
    def base(self, row: MappingExtension) -> SafeString | str:
        """Whether the code has brought another base since it was saved, with a link to try it."""
        if not row.base_changed:
            return "as when saved" if row.base_digest else ""
        tried = link(studio_url(row.mapping_id, row.pk), "Try it")
        return format_html("{} {}", badge("warning", "changed since"), tried)

    def save_model(self, request: HttpRequest, obj: MappingExtension, form: Any, change: bool) -> None:
        """By the service, which tries it and audits."""
        extension_save(extension=obj, actor=actor_of(request), address=address_of(request))

    def delete_model(self, request: HttpRequest, obj: MappingExtension) -> None:
        """Deleted, and the trail says which."""
        audit(
            actor=actor_of(request),
            action="extension_delete",
            subject=subject_of(obj),
            detail={"mapping": str(obj.mapping), "pointer": obj.pointer},
            address=address_of(request),
        )
        super().delete_model(request, obj)

    def panel(self, request: HttpRequest, row: MappingExtension | None) -> dict[str, Any]:
        """What it makes of its sample, now."""
        if row is None:
            return {}
        shared = {
            "changes": row.history.select_related("history_user").order_by("-history_id")[:10],
            "studio": studio_url(row.mapping_id, row.pk),
        }
        if not row.sample or not may_see_sample(request):
            return shared
        tried = studio_try(draft=draft_of(row), source=row.sample)
        if tried.trouble is not None:
            return shared | {"trouble": said(tried.trouble)}
        return shared | {"preview": json.dumps(tried.after, indent=2, ensure_ascii=False)}


def studio_url(mapping: int, extension: int | str = "", source: str = "") -> str:
    """The studio's address for a mapping; an extension's number, "new", or "" for the first one."""
    page = reverse("admin:integrations_mapping_studio", args=[mapping])
    given = {"extension": extension, "source": source}
    query = "&".join(f"{name}={value}" for name, value in given.items() if value != "")
    return f"{page}?{query}" if query else page
