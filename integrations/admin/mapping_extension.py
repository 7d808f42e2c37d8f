"""Mapping extensions: a site's own fields, compiled and tried before they are saved."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of, subject_of
from integrations.engine.faults import fault_of
from integrations.mapping import MappingError
from integrations.models import MappingExtension
from integrations.present import badge, short
from integrations.services.audit import audit
from integrations.services.extension_save import extension_preview, extension_problems, extension_save
from lookups.errors import LookupFault


class ExtensionForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """Checked by the service's own rules; the reason is asked for at each change."""

    class Meta:
        model = MappingExtension
        fields = ["mapping", "pointer", "expression", "sample", "position", "active", "reason"]

    def full_clean(self) -> None:
        """The fields first, then the whole."""
        super().full_clean()
        if self.is_bound and not self.errors:
            for field, problem in extension_problems(self.instance).items():
                self.add_error(field, problem)


@admin.register(MappingExtension)
class MappingExtensionAdmin(ConsoleAdmin[MappingExtension]):
    """Who changed what and why is in its history."""

    form = ExtensionForm
    panel_template = "admin/integrations/mapping/extension_panel.html"
    list_display = ("mapping", "where", "line", "state", "position", "reason")
    list_filter = ("active", "mapping__flow__package", "mapping__flow")
    list_select_related = ("mapping__flow",)
    search_fields = ("expression", "pointer", "reason", "mapping__flow__identifier")
    fields = ("mapping", "pointer", "expression", "sample", "position", "active", "reason")
    actions = None

    @display(description="At", ordering="pointer")
    def where(self, row: MappingExtension) -> str:
        """The point of the target."""
        return row.pointer or "the whole"

    @display(description="Expression")
    def line(self, row: MappingExtension) -> str:
        """Its first line."""
        return short(row.expression)

    @display(description="State", ordering="active")
    def state(self, row: MappingExtension) -> SafeString:
        """Whether it is applied."""
        return badge("active") if row.active else badge("inactive")

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
        shared = {"changes": row.history.select_related("history_user").all()[:10]}
        if not row.sample:
            return shared
        try:
            made = json.dumps(extension_preview(row), indent=2, ensure_ascii=False)
        except (MappingError, LookupFault) as error:
            return shared | {"trouble": fault_of(error).text}
        return shared | {"preview": made}
