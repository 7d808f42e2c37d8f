"""The forms of the call centre's pages, in the console's look; what they ask for is done by services."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from crm.config import Config, config
from crm.models import CallerContact, Crew, Incident
from crm.services.incident_change import UNSET
from integrations.engine.faults import Fault

MINUTES = "%Y-%m-%dT%H:%M"
FIELD = "bb-input"
EARLIEST, LATEST = 1990, 2200


class PageForm(forms.Form):
    """A form in a panel. A service that refuses is told in it, so that nothing that was typed is lost."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Django's; the id of each field is the form's own, as a page has several forms."""
        kwargs.setdefault("auto_id", f"{type(self).__name__.removesuffix('Form').lower()}-%s")
        super().__init__(*args, **kwargs)

    def refused(self, fault: Fault) -> None:
        """Say why a service would not."""
        self.add_error(None, f"{fault.text.rstrip('.')}. {fault.hint}".strip())


def text_box(rows: int = 3) -> forms.Textarea:
    """Several lines."""
    return forms.Textarea(attrs={"class": FIELD, "rows": rows})


def text_line(**attributes: str) -> forms.TextInput:
    """One line."""
    return forms.TextInput(attrs={"class": FIELD, **attributes})


def chooser() -> forms.Select:
    """One of several."""
    return forms.Select(attrs={"class": FIELD})


class ClockField(forms.DateTimeField):
    """A day and a time of day, in the console's zone."""

    input_formats = [MINUTES, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]

    def __init__(self, **kwargs: Any) -> None:
        """Not required."""
        widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": f"{FIELD} bb-narrow"}, format=MINUTES
        )
        super().__init__(required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """The time. ValidationError for one that is a slip of the keyboard, such as the year 0204."""
        found: datetime | None = super().to_python(value)
        if found is not None and not EARLIEST <= found.year <= LATEST:
            raise forms.ValidationError(f"Enter a year between {EARLIEST} and {LATEST}.")
        return found


def zone_name() -> str:
    """Whose time of day the console's clocks show."""
    return timezone.get_current_timezone_name()


class IncidentForm(PageForm):
    """What an operator changes of an incident.

    Each field brings along what it showed, so that of two people at one incident neither undoes what the other did
    to a field that he left alone.
    """

    status = forms.ChoiceField(widget=chooser(), show_hidden_initial=True)
    cause = forms.CharField(required=False, max_length=100, widget=text_line(), show_hidden_initial=True)
    subcause = forms.CharField(required=False, max_length=100, widget=text_line(), show_hidden_initial=True)
    estimated_restoration_at = ClockField(label="Estimated restoration", show_hidden_initial=True)
    crews: Any = forms.ModelMultipleChoiceField(
        queryset=Crew.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        show_hidden_initial=True,
    )
    comment = forms.CharField(
        required=False,
        widget=text_box(),
        show_hidden_initial=True,
        help_text="The call centre gets it with every ticket.",
    )

    def __init__(self, incident: Incident, *args: Any, **kwargs: Any) -> None:
        """As the incident is now; of a restored one the comment alone is left.

        Who posts more than that had a page from before the restoration, and is told by the service.
        """
        super().__init__(*args, initial=_as_it_is(incident), **kwargs)
        if incident.restored_at and "status" not in self.data:
            for name in set(self.fields) - {"comment"}:
                del self.fields[name]
            return
        choices = config().active_statuses()
        known = choices if incident.status in choices else [incident.status, *choices]
        self.fields["status"].choices = [(one, one) for one in known]  # type: ignore[attr-defined]  # ChoiceField
        self.fields["estimated_restoration_at"].help_text = _restoration_help(config())

    def changes(self) -> dict[str, Any]:
        """What this person changed, as incident_change takes it."""
        given = {name: self.cleaned_data[name] for name in self.changed_data}
        given.setdefault("estimated_restoration_at", UNSET)
        if "crews" in given:
            given["crews"] = list(given["crews"])
        return given


def _as_it_is(incident: Incident) -> dict[str, Any]:
    estimated = incident.estimated_restoration_at
    return {
        "status": incident.status,
        "cause": incident.cause,
        "subcause": incident.subcause,
        "comment": incident.comment,
        # The clock has no seconds: it must not look as if somebody had taken them away.
        "estimated_restoration_at": estimated.replace(second=0, microsecond=0) if estimated else None,
        "crews": [crew.pk for crew in incident.crews.all()],
    }


def _restoration_help(settings: Config) -> str:
    calls = settings.properties.flag("callback.on.etr.change", False)
    then = "A change calls back who asked for it." if calls else "A change calls nobody back."
    return f"{zone_name()}. {then}"


class RestoreForm(PageForm):
    """When the power came back."""

    at = ClockField(label="Restored at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Django's."""
        super().__init__(*args, **kwargs)
        self.fields["at"].help_text = f"{zone_name()}. Empty: now."


class ContactForm(PageForm):
    """One more way to reach a ticket's caller."""

    first_name = forms.CharField(required=False, widget=text_line(autocomplete="off"))
    last_name = forms.CharField(required=False, widget=text_line(autocomplete="off"))
    kind = forms.ChoiceField(required=False, choices=CallerContact.Media.choices, widget=chooser())
    value = forms.CharField(label="Number or address", required=False, widget=text_line(autocomplete="off"))

    def contact(self) -> dict[str, str]:
        """What was entered, as contact_add takes it."""
        given = dict(self.cleaned_data)
        return {"media": given.pop("kind"), **given}


class ResultForm(PageForm):
    """What came of a callback."""

    result = forms.ChoiceField(widget=chooser())
    comment = forms.CharField(required=False, widget=text_box(2), help_text="Is added to what is there.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Django's; the results of the lookup, each with what it does."""
        super().__init__(*args, **kwargs)
        settings = config()
        self.fields["result"].choices = [("", "Choose …")] + [  # type: ignore[attr-defined]  # ChoiceField
            (one, f"{one} ({'closes it' if settings.closes(one) else 'it is called again'})")
            for one in settings.results.values()
        ]
