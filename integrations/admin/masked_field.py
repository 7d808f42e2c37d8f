"""Masked fields: which names are shown as dots, in which flows' payloads."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of
from integrations.models import MaskedField
from integrations.services.mask_save import mask_delete, mask_save, try_mask


class MaskedFieldForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """A name, and whose payloads it is masked in."""

    class Meta:
        """As the model has them."""

        model = MaskedField
        fields = ("name", "flow", "enabled", "reason")

    def clean_name(self) -> str:
        """A name that would mask every field is taken only where it says so: `*`."""
        name: str = self.cleaned_data["name"].strip()
        if not name:
            raise forms.ValidationError("A field has a name.")
        return name


@admin.register(MaskedField)
class MaskedFieldAdmin(ConsoleAdmin[MaskedField]):
    """Who may read what is masked has the permission "Can read masked fields"."""

    form = MaskedFieldForm
    panel_template = "admin/integrations/masked_field/panel.html"
    list_display = ("name", "whose", "enabled", "reason")
    list_filter = ("enabled", "flow")
    list_select_related = ("flow",)
    search_fields = ("name", "reason")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "flow", "enabled", "reason"),
                "description": "A field of this name is shown as dots in every view of a payload, but to who may "
                "read masked fields.",
            },
        ),
    )

    @display(description="Payloads of", ordering="flow__identifier")
    def whose(self, row: MaskedField) -> str:
        """One flow, or all."""
        return row.flow.identifier if row.flow else "every flow"

    def panel(self, request: HttpRequest, row: MaskedField | None) -> dict[str, Any]:
        """What it does to a small document."""
        return {"example": try_mask(row.name)} if row else {}

    def save_model(self, request: HttpRequest, obj: MaskedField, form: Any, change: bool) -> None:
        """By the service, which audits it."""
        mask_save(row=obj, actor=actor_of(request), address=address_of(request))

    def delete_model(self, request: HttpRequest, obj: MaskedField) -> None:
        """By the service, which audits it."""
        mask_delete(row=obj, actor=actor_of(request), address=address_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one, each audited."""
        for row in queryset:
            self.delete_model(request, row)
