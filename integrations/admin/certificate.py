"""Trust certificates: uploaded or pasted, read before they are stored, their expiry in colour."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import ConsoleAdmin, actor_of, address_of
from integrations.models import TrustCertificate
from integrations.present import badge
from integrations.services.certificate_store import (
    LARGEST,
    BadCertificate,
    CertificateInUse,
    certificate_delete,
    certificate_parse,
    certificate_store,
)

SOON = timedelta(days=30)


def expiry_badge(not_after: datetime) -> SafeString:
    """Green while it lasts, amber in its last 30 days, red after."""
    left = not_after - timezone.now()
    if left.total_seconds() < 0:
        return badge("expired", f"expired {-left.days} days ago")
    return badge("soon", f"{left.days} days left", "warn" if left < SOON else "good")


class CertificateForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """An alias, and the certificate as a file or as text."""

    upload = forms.FileField(
        label="Certificate file",
        required=False,
        help_text="PEM (.pem, .crt, .cer) or DER (.der, .cer), one or a bundle.",
    )
    pasted = forms.CharField(
        label="or its text",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "bb-input bb-code", "spellcheck": "false"}),
        help_text="From -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
    )
    content: bytes = b""

    class Meta:
        model = TrustCertificate
        fields = ["alias"]

    def clean(self) -> dict[str, Any]:
        """Read what was given; a bad file is said at its own field."""
        super().clean()
        upload, pasted = self.cleaned_data.get("upload"), self.cleaned_data.get("pasted", "")
        if upload and pasted:
            self.add_error("pasted", "Give a file or a text, not both")
        elif upload:
            self._read("upload", upload.read(LARGEST + 1))
        elif pasted:
            self._read("pasted", pasted.encode())
        elif self.instance.pk is None and "upload" not in self.errors:
            self.add_error("upload", "Choose a file, or paste its text")
        return self.cleaned_data

    def _read(self, field: str, content: bytes) -> None:
        try:
            certificate_parse(content)
        except BadCertificate as error:
            self.add_error(field, str(error))
        else:
            self.content = content


@admin.register(TrustCertificate)
class TrustCertificateAdmin(ConsoleAdmin[TrustCertificate]):
    """Who signed what, until when, and which connections trust it."""

    form = CertificateForm
    panel_template = "admin/integrations/certificate/panel.html"
    list_display = ("alias", "subject", "issuer", "not_after", "expiry", "used_by")
    linked = ("not_after__lt",)
    search_fields = ("alias", "subject", "issuer", "fingerprint")
    fields = ("alias", "upload", "pasted")
    actions = None

    @display(description="Expiry", ordering="not_after")
    def expiry(self, row: TrustCertificate) -> SafeString:
        """Days left."""
        return expiry_badge(row.not_after)

    @display(description="Connections")
    def used_by(self, row: TrustCertificate) -> int:
        """How many trust it."""
        return row.connections.count()

    def save_model(self, request: HttpRequest, obj: TrustCertificate, form: Any, change: bool) -> None:
        """By the service: a new content replaces the old, or only the alias changes."""
        certificate_store(
            alias=obj.alias,
            content=form.content or obj.pem.encode(),
            certificate=obj,
            actor=actor_of(request),
            address=address_of(request),
        )

    def panel(self, request: HttpRequest, row: TrustCertificate | None) -> dict[str, Any]:
        """What the certificate says."""
        if row is None:
            return {}
        return {"expiry": expiry_badge(row.not_after), "connections": row.connections.all()}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Refused, with the names, while connections trust it."""
        row = self.get_object(request, unquote(object_id))
        if row is not None and self.has_delete_permission(request, row) and row.connections.exists():
            names = ", ".join(row.connections.values_list("name", flat=True))
            self.message_user(
                request,
                f"{row.alias} is trusted by {names}. Take it from there first, then delete it.",
                messages.ERROR,
            )
            return HttpResponseRedirect(self.page_of(row))
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: TrustCertificate) -> None:
        """By the service, which looks again."""
        try:
            certificate_delete(certificate=obj, actor=actor_of(request), address=address_of(request))
        except CertificateInUse as error:
            self.message_user(request, str(error), messages.ERROR)
