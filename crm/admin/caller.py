"""CRM callers: which clients may call the call centre's interface, and which of its operations."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from crm.admin.audited import AuditedAdmin
from crm.models import CrmCaller
from crm.operations.registry import OPERATIONS
from crm.services.caller import caller_allow
from hub.theme import display
from integrations.admin.base import actor_of


class CallerForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """A client, and a box for each operation."""

    operations = forms.MultipleChoiceField(
        required=False,
        choices=[(one.name, f"{one.name} (service {one.service})") for one in OPERATIONS],
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: it may call all of them.",
    )

    class Meta:
        model = CrmCaller
        fields = ["client", "operations"]


@admin.register(CrmCaller)
class CrmCallerAdmin(AuditedAdmin[CrmCaller]):
    """Clients themselves, with their secrets, are under Access."""

    form = CallerForm
    fields = ("client", "operations")
    list_display = ("client", "may_call", "created_at")
    list_select_related = ("client",)
    search_fields = ("client__client_id", "client__name")
    search_help_text = "Part of a client's id or name."

    @display(description="May call")
    def may_call(self, row: CrmCaller) -> str:
        """The operations by name."""
        return ", ".join(row.operations) or "all operations"

    def get_readonly_fields(self, request: HttpRequest, obj: CrmCaller | None = None) -> Any:
        """Another client is another row."""
        return ["client"] if obj else []

    def save_model(self, request: HttpRequest, obj: CrmCaller, form: Any, change: bool) -> None:
        """By the service, which audits."""
        saved = caller_allow(
            client=obj.client, operations=form.cleaned_data["operations"], actor=actor_of(request)
        )
        obj.__dict__.update(saved.__dict__)
