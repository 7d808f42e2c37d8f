"""What an alert message says: to a mail's reader, to a chat, to a program."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from integrations.models import Alert, AlertRule
from integrations.services.alert_findings import listed, moment, number, page

LONGEST_SUBJECT = 300
IN_MAIL, IN_CHAT, IN_BODY = 50, 10, 100  # alerts told one by one; the others by their number
# What chats take as a call to everybody, or as markup: a message of an edge system must not ring all telephones.
_MENTION = re.compile(r"@(?=\w)")
_BRACKETS = {ord("<"): "\u2039", ord(">"): "\u203a"}


def console(path: str) -> str:
    """A path of the console as an address that works from anywhere."""
    return f"{settings.HUB_URL.rstrip('/')}{path}" if path else ""


def subject_of(rule: AlertRule, alerts: Sequence[Alert]) -> str:
    """One line."""
    said = alerts[0].title if len(alerts) == 1 else f"{number(len(alerts), 'alert')}: {rule.name}"
    return " ".join(f"Busbar: {said}".split())[:LONGEST_SUBJECT]


def mail_body(rule: AlertRule, alerts: Sequence[Alert]) -> str:
    """Plain text: what, since when, how many, where to look."""
    lines: list[str] = []
    for alert in alerts[:IN_MAIL]:
        lines += [alert.title, *_about(rule, alert), console(alert.link), ""]
    if len(alerts) > IN_MAIL:
        lines += [f"And {number(len(alerts) - IN_MAIL, 'more alert')}.", ""]
    return "\n".join(
        [
            *lines,
            f"All alerts of this rule: {console(alerts_of(rule))}",
            f"This mail is sent by the rule {rule.name!r}: {console(page('alertrule', rule.pk))}",
            "",
        ]
    )


def alerts_of(rule: AlertRule) -> str:
    """The list of a rule's alerts, as a path."""
    return listed("alert", f"rule__id__exact={rule.pk}")


def chat_text(rule: AlertRule, alerts: Sequence[Alert]) -> str:
    """A few lines that chats show as they are."""
    if len(alerts) == 1:
        return tame(f"{rule.name}: {_in_chat(rule, alerts[0])}")
    lines = [f"{rule.name}: {number(len(alerts), 'alert')}."]
    lines += [f"• {_in_chat(rule, alert)}" for alert in alerts[:IN_CHAT]]
    if len(alerts) > IN_CHAT:
        lines.append(f"And {len(alerts) - IN_CHAT} more: {console(alerts_of(rule))}")
    return tame("\n".join(lines))


def _in_chat(rule: AlertRule, alert: Alert) -> str:
    end = "" if alert.title.endswith((".", "…", "!", "?")) else "."
    return " ".join([f"{alert.title}{end}", *_about(rule, alert), console(alert.link)])


def _about(rule: AlertRule, alert: Alert) -> list[str]:
    over = [f"Over since {moment(alert.ended_at, rule)}."] if alert.ended_at else []
    again = (
        [f"Told before, on {moment(alert.told_at, rule)}."] if alert.told_at and not alert.ended_at else []
    )
    return [part for part in (alert.text, *again, *over) if part]


def tame(text: str) -> str:
    """Without what a chat would take for markup or for a call to everybody."""
    return _MENTION.sub("@\u200b", text.translate(_BRACKETS))


def webhook_body(
    rule: AlertRule, alerts: Sequence[Alert], *, message_id: str, now: datetime
) -> dict[str, Any]:
    """The JSON of docs/console/alerts.md."""
    return {
        "id": message_id,
        "sentAt": now.isoformat(),
        "hub": settings.HUB_URL,
        "rule": rule.name,
        "event": rule.event,
        "text": chat_text(rule, alerts),
        "alerts": [_as_json(alert) for alert in alerts[:IN_BODY]],
    }


def _as_json(alert: Alert) -> dict[str, Any]:
    return {
        "subject": alert.subject,
        "title": alert.title,
        "text": alert.text,
        "link": console(alert.link),
        "count": alert.count,
        "firstAt": alert.first_at.isoformat(),
        "lastAt": alert.last_at.isoformat(),
        "endedAt": alert.ended_at.isoformat() if alert.ended_at else None,
    }
