"""Clients: edge systems' log-ins. Secrets are made here, shown once, kept as a hash."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, PostAction, actor_of, address_of, subject_of
from integrations.models import Client
from integrations.present import badge
from integrations.services.audit import audit
from integrations.services.client_create import NewClient, client_create
from integrations.services.client_disable import client_disable, client_enable
from integrations.services.client_rotate import client_rotate_api_key, client_rotate_secret


class ClientForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """The id cannot be changed once partners have it."""

    with_api_key = forms.BooleanField(
        label="Make an API key too",
        required=False,
        help_text="For callers that send X-API-Key instead of Basic or OAuth2.",
    )

    class Meta:
        model = Client
        fields = ["client_id", "name", "flows", "user", "secret_expires_on"]
        widgets = {
            "secret_expires_on": forms.DateInput(
                attrs={"type": "date", "class": "bb-input bb-narrow"}, format="%Y-%m-%d"
            )
        }

    def clean_client_id(self) -> str:
        """As HTTP Basic and URLs take it."""
        value: str = self.cleaned_data["client_id"]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}", value):
            raise forms.ValidationError("Letters, digits, . _ @ - and at most 100 of them.")
        return value


@admin.register(Client)
class ClientAdmin(ConsoleAdmin[Client]):
    """Which flows each may call."""

    form = ClientForm
    post_actions = (
        PostAction("rotate_secret", "integrations.change_client"),
        PostAction("rotate_api_key", "integrations.change_client"),
        PostAction("enable", "integrations.change_client"),
        PostAction("disable", "integrations.change_client"),
    )
    panel_template = "admin/integrations/client/panel.html"
    list_display = ("client_id", "name", "state", "may_call", "user", "created_at")
    list_filter = ("enabled",)
    linked = ("secret_expires_on__lt",)
    search_fields = ("client_id", "name")
    list_select_related = ("user",)
    filter_horizontal = ("flows",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """With the number of flows."""
        return super().get_queryset(request).annotate(flow_count=Count("flows"))

    def get_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:
        """An API key is asked for when the client is made; later it has its own button."""
        return ["client_id", "name", "flows", "user", "secret_expires_on"] + ([] if obj else ["with_api_key"])

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:
        """The id stays."""
        return ["client_id"] if obj else []

    @display(description="State", ordering="enabled")
    def state(self, row: Client) -> SafeString:
        """Whether it is let in."""
        return badge("active", "enabled") if row.enabled else badge("disabled", variant="warn")

    @display(description="Flows", ordering="flow_count")
    def may_call(self, row: Any) -> int:
        """How many it may call."""
        return int(row.flow_count)

    def panel(self, request: HttpRequest, row: Client | None) -> dict[str, Any]:
        """What it has to log in with."""
        return {"has_secret": bool(row.secret_hash), "has_key": bool(row.api_key_hash)} if row else {}

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        """A new one by the service, whose secret `response_add` shows; a change is saved and audited."""
        if not change:
            made = client_create(
                client_id=obj.client_id,
                name=obj.name,
                flows=form.cleaned_data["flows"],
                user=obj.user,
                secret_expires_on=obj.secret_expires_on,
                api_key=form.cleaned_data["with_api_key"],
                actor=actor_of(request),
                address=address_of(request),
            )
            obj.__dict__.update(made.client.__dict__)
            request.made_client = made  # type: ignore[attr-defined]  # read by response_add, in the same request
            return
        super().save_model(request, obj, form, change)
        detail = {
            "changed": form.changed_data,
            "flows": [flow.identifier for flow in form.cleaned_data["flows"]],
        }
        audit(
            actor=actor_of(request),
            action="client_change",
            subject=subject_of(obj),
            detail=detail,
            address=address_of(request),
        )

    def response_add(
        self, request: HttpRequest, obj: Client, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, once: in this answer, not in a message, which would be stored."""
        made: NewClient | None = getattr(request, "made_client", None)
        if made is None:
            return super().response_add(request, obj, post_url_continue)
        return self._shown_once(request, obj, secret=made.secret, api_key=made.api_key)

    def _shown_once(
        self, request: HttpRequest, row: Client, *, secret: str = "", api_key: str = ""
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/integrations/page.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Credentials of {row.client_id}",
                "original": row,
                "opts": self.opts,
                "media": self.media,
                "secret": secret,
                "api_key": api_key,
                "panel_template": "admin/integrations/client/secret.html",
            },
            headers={"Cache-Control": "no-store"},
        )

    def post_rotate_secret(self, request: HttpRequest, row: Client) -> HttpResponse:
        """A new secret; the old one ends now."""
        secret = client_rotate_secret(client=row, actor=actor_of(request), address=address_of(request))
        return self._shown_once(request, row, secret=secret)

    def post_rotate_api_key(self, request: HttpRequest, row: Client) -> HttpResponse:
        """A new API key; the old one ends now."""
        key = client_rotate_api_key(client=row, actor=actor_of(request), address=address_of(request))
        return self._shown_once(request, row, api_key=key)

    def post_enable(self, request: HttpRequest, row: Client) -> None:
        """Let it in again."""
        client_enable(client=row, actor=actor_of(request), address=address_of(request))
        self.message_user(request, f"{row.client_id} is let in.", messages.SUCCESS)

    def post_disable(self, request: HttpRequest, row: Client) -> None:
        """Shut it out from its next call on."""
        client_disable(client=row, actor=actor_of(request), address=address_of(request))
        self.message_user(request, f"{row.client_id} is shut out.", messages.SUCCESS)
