"""Alert rules, checked before they are saved; the webhook's secret is made here and shown once."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from integrations.adapters.webhook import webhook_problems
from integrations.engine.clock import db_now
from integrations.engine.faults import InvalidMessage
from integrations.models import Alert, AlertRule, Flow
from integrations.services.alert_findings import Finding
from integrations.services.alert_text import mail_body, subject_of
from integrations.services.alerts_evaluate import rule_findings
from integrations.services.alerts_send import recipients_of
from integrations.services.audit import audit
from integrations.services.webhook_sign import new_secret, rotated

MOST_RECIPIENTS = 50
LONGEST_SPAN = 7 * 24 * 60  # minutes
LONGEST_DIGEST = 24 * 60  # minutes
_SPANNED = (AlertRule.Event.FAMILY, AlertRule.Event.THRESHOLD)


class AlertRuleProblems(Exception):
    """The rule could not be followed; `problems` is field → sentence."""

    def __init__(self, problems: dict[str, str]) -> None:
        """`problems`: never empty."""
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def alert_rule_problems(rule: AlertRule) -> dict[str, str]:
    """Field → what is wrong with it; {} if the rule can be saved and will be followed. Asks nobody outside."""
    found = _addresses(rule) | _times(rule)
    if rule.webhook_url and (said := webhook_problems(rule.webhook_url, settings.HUB_ALLOWED_NETWORKS)):
        found["webhook_url"] = said[0]
    if rule.enabled and not (recipients_of(rule) or rule.webhook_url):
        found["recipients"] = "Give an address or a webhook, or nobody would hear of it"
    if rule.event in _SPANNED and not 1 <= rule.minutes <= LONGEST_SPAN:
        found["minutes"] = f"From 1 to {LONGEST_SPAN:,} minutes"
    if rule.event != AlertRule.Event.EXPIRY and rule.threshold < 1:
        found["threshold"] = "At least 1"
    return found


def _addresses(rule: AlertRule) -> dict[str, str]:
    addresses = recipients_of(rule)
    if len(addresses) > MOST_RECIPIENTS:
        return {"recipients": f"At most {MOST_RECIPIENTS} addresses; more belong into a distribution list"}
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            return {"recipients": f"{address!r} is no e-mail address; write one a line"}
    return {}


def _times(rule: AlertRule) -> dict[str, str]:
    found: dict[str, str] = {}
    if rule.time_zone not in available_timezones():
        found["time_zone"] = f"There is no time zone {rule.time_zone!r}; an example is Europe/London"
    if (rule.quiet_from is None) != (rule.quiet_until is None):
        found["quiet_until" if rule.quiet_until is None else "quiet_from"] = "Quiet hours need both times"
    elif rule.quiet_from is not None and rule.quiet_from == rule.quiet_until:
        found["quiet_until"] = "Quiet hours end at another time than they begin"
    if rule.digest_minutes > LONGEST_DIGEST:
        found["digest_minutes"] = f"At most {LONGEST_DIGEST:,} minutes"
    return found


def alert_rule_save(*, rule: AlertRule, flows: Iterable[Flow], actor: str, address: str | None = None) -> str:
    """Check, save with history, audit; the webhook's secret where one was made now, to be shown once, else "".

    AlertRuleProblems where the rule could not be followed.
    """
    problems = alert_rule_problems(rule)
    if problems:
        raise AlertRuleProblems(problems)
    made, secret = rule.pk is None, ""
    chosen = list(flows)
    if rule.webhook_url and not rule.webhook_secret:
        secret = new_secret()
        rule.webhook_secret = rotated({}, secret)
    with transaction.atomic():
        rule.save()
        rule.flows.set(chosen)
        detail = {
            "name": rule.name,
            "event": rule.event,
            "enabled": rule.enabled,
            "webhook": bool(rule.webhook_url),
        }
        audit(
            actor=actor,
            action="alert_rule_create" if made else "alert_rule_change",
            subject=f"alertrule:{rule.pk}",
            detail=detail
            | {"recipients": recipients_of(rule), "flows": [flow.identifier for flow in chosen]},
            address=address,
        )
    return secret


def alert_rule_rotate_secret(*, rule: AlertRule, actor: str, address: str | None = None) -> str:
    """A new webhook secret, returned to be shown once; the old one signs beside it for a day."""
    if not rule.webhook_url:
        raise InvalidMessage("The rule has no webhook", hint="Enter its URL first.")
    secret = new_secret()
    with transaction.atomic():
        rule.webhook_secret = rotated(rule.webhook_secret, secret)
        rule.save(update_fields=["webhook_secret"])
        audit(
            actor=actor,
            action="alert_rule_rotate_secret",
            subject=f"alertrule:{rule.pk}",
            detail={"name": rule.name},
            address=address,
        )
    return secret


def alert_rule_preview(rule: AlertRule) -> tuple[str, str]:
    """Subject and text of what the rule would say of how things are now; ("", "") for nothing. Changes nothing."""
    now = db_now()
    found = list(rule_findings(rule, now, set()))
    if not found:
        return "", ""
    alerts = [_draft(rule, one, now) for one in found]
    return subject_of(rule, alerts), mail_body(rule, alerts)


def _draft(rule: AlertRule, one: Finding, now: datetime) -> Alert:
    said = {"title": one.title[:300], "text": one.text, "link": one.link, "count": one.count}
    return Alert(rule=rule, subject=one.subject, first_at=now, last_at=now, **said)
