"""Follow the alert rules: what they find opens an alert, once while it lasts, and what is over ends it.

The beat does it every 20 seconds, and one beat at a time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from integrations.engine.clock import db_now
from integrations.models import Alert, AlertRule
from integrations.services.alert_findings import Finding
from integrations.services.alert_waiting import FIND

log = structlog.get_logger(__name__)
SAME_AGAIN = timedelta(hours=1)  # what ends and is back within it is the same alert: nobody is told twice
LONGEST_TITLE = 300


def alerts_evaluate() -> int:
    """Follow every rule that is on; how many alerts were opened. A bad rule says so and stops only itself."""
    now = db_now()
    _silence(now)
    opened = 0
    for rule in AlertRule.objects.filter(enabled=True).order_by("pk"):
        trouble = ""
        try:
            opened += rule_evaluate(rule, now)
        except Exception as error:  # noqa: BLE001  (one rule's trouble, whatever it is, must not stop the others)
            trouble = str(error) or type(error).__name__
            log.warning("alert_rule_not_followed", rule=rule.pk, error=trouble)
        if trouble != rule.trouble:
            AlertRule.objects.filter(pk=rule.pk).update(trouble=trouble)
    return opened


def _silence(now: datetime) -> None:
    """What rules that are off have found is over, and what they have not told is not told when they are on again."""
    of_those_off = Alert.objects.filter(rule__enabled=False)
    of_those_off.filter(told_at__isnull=True).update(told_at=now)
    of_those_off.filter(ended_at__isnull=True).update(ended_at=now)


def rule_evaluate(rule: AlertRule, now: datetime) -> int:
    """Open, go on with and end this rule's alerts; how many were opened."""
    lasting = {alert.subject: alert for alert in rule.alerts.filter(ended_at__isnull=True)}
    found = {one.subject: one for one in rule_findings(rule, now, set(lasting))}
    with transaction.atomic():
        opened = [_open(rule, one, now) for one in found.values() if one.subject not in lasting]
        for subject, alert in lasting.items():
            _go_on(alert, found.get(subject), now)
    return sum(opened)


def rule_findings(rule: AlertRule, now: datetime, lasting: set[str]) -> Iterable[Finding]:
    """What the rule finds now; `lasting`: the subjects of its alerts that are open."""
    return FIND[rule.event](rule, now, lasting)


def _open(rule: AlertRule, one: Finding, now: datetime) -> bool:
    """A new alert, or the one of a moment ago again; False for the latter."""
    recent = rule.alerts.filter(subject=one.subject, ended_at__gte=now - SAME_AGAIN)
    last = recent.order_by("-ended_at").first()
    if last is not None:
        # One marked as told because its rule was off has never been: it is told, now that it is so again.
        never = last.told_at and (rule.last_sent_at is None or last.told_at > rule.last_sent_at)
        told_at = None if never else last.told_at
        Alert.objects.filter(pk=last.pk).update(ended_at=None, told_at=told_at, last_at=now, **_said(one))
        return False
    _, made = Alert.objects.get_or_create(
        rule=rule,
        subject=one.subject,
        ended_at=None,
        defaults={"first_at": now, "last_at": now, **_said(one)},
    )
    return made


def _go_on(alert: Alert, one: Finding | None, now: datetime) -> None:
    """Still so, and what is said of it now; or over."""
    if one is None:
        Alert.objects.filter(pk=alert.pk).update(ended_at=now)
        return
    said = _said(one)
    if any(getattr(alert, name) != value for name, value in said.items()):
        Alert.objects.filter(pk=alert.pk).update(last_at=now, **said)


def _said(one: Finding) -> dict[str, str | int]:
    return {"title": one.title[:LONGEST_TITLE], "text": one.text, "link": one.link, "count": one.count}
