"""The connection's form, built from the fields its adapter declares; secrets go in and never come out."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from integrations.adapters import adapter_class, adapter_names
from integrations.adapters.contract import Adapter, Caller, Field
from integrations.crypto import decrypt, encrypt
from integrations.models import Connection
from integrations.services.connection_accept_host_key import host_key_fingerprint
from integrations.services.connection_save import connection_problems

PLAIN = ("name", "role", "package", "description", "agent_group")
LIMITS = ("connect_timeout", "read_timeout", "retries", "parallel")
SETTING, SECRET, CLEAR = "setting_", "secret_", "clear_"
_FORM_FIELDS: dict[type, type[forms.Field]] = {
    int: forms.IntegerField,
    float: forms.FloatField,
    bool: forms.BooleanField,
    dict: forms.JSONField,
    list: forms.JSONField,
}


class WriteOnlyInput(forms.PasswordInput):
    """A password box that never shows what is stored or was typed."""

    input_type = "password"

    def __init__(self) -> None:
        """Browsers are asked not to fill in the person's own password."""
        super().__init__(attrs={"autocomplete": "new-password", "class": "bb-input"}, render_value=False)


class WriteOnlyTextarea(forms.Textarea):
    """A text box for keys that never shows what is stored or was typed."""

    def __init__(self) -> None:
        """Six lines, which is where a key begins to be recognisable."""
        super().__init__(
            attrs={"autocomplete": "off", "rows": 6, "class": "bb-input bb-code", "spellcheck": "false"}
        )

    def format_value(self, value: Any) -> str:
        """Nothing, whatever the value is."""
        return ""


def adapter_choices() -> list[tuple[str, str]]:
    """(name, label) of every adapter a site can use."""
    return [(name, adapter_class(name).label) for name in adapter_names() if name != "memory"]


def _widget(field: Field) -> forms.Widget | None:
    if field.secret:
        return WriteOnlyTextarea() if field.multiline else WriteOnlyInput()
    if field.choices or field.kind is bool:
        return None
    if field.multiline or field.kind in (dict, list):
        return forms.Textarea(attrs={"rows": 6, "class": "bb-input bb-code", "spellcheck": "false"})
    if field.kind in (int, float):
        return forms.NumberInput(attrs={"class": "bb-input bb-narrow"})
    return forms.TextInput(attrs={"class": "bb-input"})


def form_field(field: Field, *, stored: bool = False) -> forms.Field:
    """One declared setting as a form field. `stored`: a secret is set already; required ones say so in the label."""
    label = f"{field.label} *" if field.required else field.label
    if field.secret:
        said = "Set; leave empty to keep it." if stored else "Not set."
        text = f"{said} {field.help}".strip()
        return forms.CharField(
            label=label, required=False, help_text=text, widget=_widget(field), strip=False
        )
    common: dict[str, Any] = {
        "label": label,
        "required": False,
        "help_text": field.help,
        "initial": field.default,
    }
    if field.choices:
        options = [] if field.default in field.choices else [("", "Choose …")]
        options += [(choice, choice) for choice in field.choices]
        return forms.ChoiceField(
            choices=options, widget=forms.Select(attrs={"class": "bb-input bb-narrow"}), **common
        )
    made = _FORM_FIELDS.get(field.kind, forms.CharField)
    widget = _widget(field)
    return made(**common, widget=widget) if widget else made(**common)


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """What all adapters share; `connection_form` adds the adapter's own fields."""

    chosen = ""
    declared_by_adapter: tuple[Field, ...] = ()
    for_test = False
    draft = forms.CharField(required=False, widget=forms.HiddenInput)
    adapter = forms.CharField(widget=forms.HiddenInput)

    class Meta:
        model = Connection
        fields = [*PLAIN, "host_key", "trust", "catalog_url", "secrets_expire_on", *LIMITS]
        widgets = {
            "secrets_expire_on": forms.DateInput(
                attrs={"type": "date", "class": "bb-input bb-narrow"}, format="%Y-%m-%d"
            ),
            "host_key": forms.Textarea(attrs={"rows": 3, "class": "bb-input bb-code", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Stored settings are the initial values; stored secrets are not."""
        super().__init__(*args, **kwargs)
        for field in self.declared_by_adapter:
            if not field.secret and field.name in self.instance.settings:
                self.initial[SETTING + field.name] = self.instance.settings[field.name]
        self.initial.update({"draft": "", "adapter": self.chosen})
        self.typed: dict[str, str] = {}
        if "host_key" in self.fields and self.instance.host_key:
            known = host_key_fingerprint(self.instance.host_key)
            self.fields["host_key"].help_text = f"Stored key: {known}. {self.fields['host_key'].help_text}"

    def clean(self) -> dict[str, Any]:
        """Put settings and secrets together as they would be stored, and ask the adapter what is wrong."""
        super().clean()
        self.instance.adapter = self.cleaned_data.get("adapter", "")
        self.instance.settings = self._settings()
        self.instance.secrets = self._secrets()
        return self.cleaned_data

    def full_clean(self) -> None:
        """The fields first; then, of a whole draft, what the adapter says of it."""
        super().full_clean()
        if self.is_bound and not self.errors:
            for problem in connection_problems(connection=self.instance, trust=self.trusted()):
                if not (self.for_test and "host key" in problem.lower()):
                    self.add_error(self._place_of(problem), problem)

    def is_valid(self) -> bool:
        """A form that is only tried is never saved, so the page is drawn again with what was typed."""
        return super().is_valid() and not self.for_test

    def trusted(self) -> list[Any]:
        """The certificates chosen."""
        return list(self.cleaned_data.get("trust") or [])

    def _place_of(self, problem: str) -> str | None:
        """The field a sentence is about, where it begins with the field's label."""
        for field in self.declared_by_adapter:
            if problem.startswith(field.label):
                return (SECRET if field.secret else SETTING) + field.name
        about_key = "host key" in problem.lower() and "host_key" in self.fields
        return "host_key" if about_key else None

    def _settings(self) -> dict[str, Any]:
        """What was entered; settings the adapter does not declare stay as they are."""
        kept = dict(self.instance.settings)
        for field in self.declared_by_adapter:
            if not field.secret:
                value = self.cleaned_data.get(SETTING + field.name)
                kept.pop(field.name, None)
                if value not in (None, ""):
                    kept[field.name] = value
        return kept

    def _secrets(self) -> dict[str, str]:
        """Empty keeps, the box clears; what was typed before a test of the form is in the draft."""
        typed = self._draft()
        kept = {**self.instance.secrets, **typed}
        for field in self.declared_by_adapter:
            if field.secret and (value := self.cleaned_data.get(SECRET + field.name)):
                kept[field.name] = typed[field.name] = value
            elif field.secret and self.cleaned_data.get(CLEAR + field.name):
                kept.pop(field.name, None)
                typed.pop(field.name, None)
        self.typed = typed
        return kept

    def _draft(self) -> dict[str, str]:
        """Secrets typed before the form was tested, encrypted in the page; {} where there are none."""
        token = self.cleaned_data.get("draft")
        if not token:
            return {}
        try:
            draft = json.loads(decrypt(token))
        except Exception:  # noqa: BLE001  (whatever a tampered token is, it is not ours)
            raise forms.ValidationError("The page was changed on its way. Enter the secrets again.") from None
        if draft.get("connection") != self.instance.pk:
            raise forms.ValidationError("The page belongs to another connection. Enter the secrets again.")
        secrets: dict[str, str] = draft["secrets"]
        return secrets

    def draft_token(self) -> str:
        """The secrets typed into this form as a token only the hub can read."""
        return (
            encrypt(json.dumps({"connection": self.instance.pk, "secrets": self.typed})) if self.typed else ""
        )


def shown_fields(adapter: type[Adapter]) -> dict[str, list[str]]:
    """Which of the connection's own fields this adapter uses, by fieldset."""
    trust = [] if adapter.name == "sftp" else ["trust"]
    return {
        "security": ["host_key"] if adapter.name == "sftp" else trust,
        "catalog": ["catalog_url"] if issubclass(adapter, Caller) and adapter.catalog_at_target else [],
    }


def connection_form(
    adapter: type[Adapter], secrets: Mapping[str, str], *, for_test: bool = False
) -> type[ConnectionForm]:
    """The form for one adapter. `secrets` says which are set; their values are not looked at."""
    fields: dict[str, Any] = {
        "declared_by_adapter": adapter.fields,
        "chosen": adapter.name,
        "for_test": for_test,
    }
    for field in adapter.fields:
        stored = field.name in secrets
        fields[(SECRET if field.secret else SETTING) + field.name] = form_field(field, stored=stored)
        if field.secret and stored:
            fields[CLEAR + field.name] = forms.BooleanField(
                label=f"Clear {field.label.lower()}", required=False
            )
    return type("AdapterConnectionForm", (ConnectionForm,), fields)


def fieldsets_for(
    adapter: type[Adapter], secrets: Mapping[str, str]
) -> list[tuple[str | None, dict[str, Any]]]:
    """The form's parts in the order a person fills them in."""
    shown = shown_fields(adapter)
    own = [SETTING + field.name for field in adapter.fields if not field.secret]
    security: list[str] = []
    for field in adapter.fields:
        if field.secret:
            security += [SECRET + field.name, *([CLEAR + field.name] if field.name in secrets else [])]
    parts: list[tuple[str | None, list[str]]] = [
        (None, [*PLAIN, "adapter", "draft"]),
        (f"{adapter.label} settings", own + shown["catalog"]),
        ("Security", security + (["secrets_expire_on"] if security else []) + shown["security"]),
        ("Timeouts and retries", list(LIMITS)),
    ]
    return [(title, {"fields": names}) for title, names in parts if names]
