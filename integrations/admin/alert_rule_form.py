"""The alert rule's form: what each field means for the event chosen."""

import json

from django import forms

from integrations.models import AlertRule
from integrations.services.alert_rule_save import alert_rule_problems

Event = AlertRule.Event

# Event → what "Number" is, and what it is for; "" hides the field where scripts run.
NUMBER: dict[str, tuple[str, str]] = {
    Event.FAMILY: ("", ""),
    Event.THRESHOLD: ("More errors than", "Of one flow, within the minutes below."),
    Event.OVERDUE: ("Overdue records, at least", "Of one package; 1 tells of the first."),
    Event.LATE: ("Minutes late", "Schedules that have not started, expected files that have not come."),
    Event.BREAKER: ("", ""),
    Event.EXPIRY: (
        "Days before",
        "30 is usual. Told again as often as “Say again” says, until it is renewed.",
    ),
    Event.BACKLOG: ("Minutes the oldest has waited", "Of what is due in the queue and not begun."),
}
SPAN: dict[str, str] = {
    Event.FAMILY: "A kind of error counts as new, or as open again, if it was seen within so many minutes.",
    Event.THRESHOLD: "Errors are counted over so many minutes up to now.",
}


def explained() -> str:
    """What the script needs, as JSON: event → label and help of the number, help of the minutes."""
    return json.dumps(
        {
            str(event): {"number": NUMBER[event][0], "help": NUMBER[event][1], "minutes": SPAN.get(event, "")}
            for event in Event
        }
    )


def in_one_text() -> str:
    """The number's help for a page without scripts."""
    said = [f"{Event(event).label}: {label.lower()}" for event, (label, _) in NUMBER.items() if label]
    return "By what it looks for. " + ". ".join(said) + "."


class AlertRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """Checked by the service's own rules, so that the page and the beat agree."""

    class Meta:
        model = AlertRule
        fields = [
            "name",
            "event",
            "flows",
            "threshold",
            "minutes",
            "recipients",
            "webhook_url",
            "digest_minutes",
            "repeat_hours",
            "quiet_from",
            "quiet_until",
            "time_zone",
            "enabled",
        ]
        labels = {
            "event": "Look for",
            "threshold": "Number",
            "minutes": "Within minutes",
            "recipients": "E-mail to",
            "webhook_url": "Webhook",
            "digest_minutes": "Gather for minutes",
            "repeat_hours": "Say again after hours",
            "quiet_from": "Quiet from",
            "quiet_until": "Quiet until",
            "enabled": "On",
        }
        help_texts = {
            "name": "What people read first in each message, e.g. New errors, night shift.",
            "flows": "None chosen: every flow.",
            "recipients": "One address a line.",
            "webhook_url": (
                "The address a chat gives for incoming webhooks, https://…; Slack, Teams, Mattermost and alike "
                "show its text as it is. A secret to sign with is made when this is saved first, and shown once."
            ),
            "digest_minutes": (
                "All that comes within so many minutes of the first goes out in one message; 0: at once."
            ),
            "repeat_hours": "What is still so after so many hours is said again; 0: never.",
            "quiet_from": "Nothing goes out from this time on …",
            "quiet_until": "… until this one; it is kept and told then. Over midnight works too.",
            "time_zone": "Of the quiet hours and of times in messages, e.g. Europe/London.",
        }
        widgets = {
            "recipients": forms.Textarea(attrs={"rows": 3, "class": "bb-input"}),
            "webhook_url": forms.URLInput(attrs={"class": "bb-input"}),
            "quiet_from": forms.TimeInput(
                format="%H:%M", attrs={"type": "time", "class": "bb-input bb-narrow"}
            ),
            "quiet_until": forms.TimeInput(
                format="%H:%M", attrs={"type": "time", "class": "bb-input bb-narrow"}
            ),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        """The event's field carries what the script shows."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they are
        if "event" in self.fields:
            self.fields["event"].widget.attrs["data-explained"] = explained()
        if "threshold" in self.fields:
            self.fields["threshold"].help_text = in_one_text()

    def full_clean(self) -> None:
        """The fields first, then the whole."""
        super().full_clean()
        if self.is_bound and not self.errors:
            for field, problem in alert_rule_problems(self.instance).items():
                self.add_error(field, problem)
