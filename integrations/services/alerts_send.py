"""Tell what the rules have found: one mail and one webhook a rule with all of it, not one for each thing.

What comes within the rule's digest minutes of the first goes out together; in its quiet hours nothing does, and it
waits till they end.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from integrations.engine.clock import db_now
from integrations.engine.notify import message_id
from integrations.models import Alert, AlertRule, Notification, WebhookDelivery
from integrations.services.alert_text import mail_body, subject_of, webhook_body

log = structlog.get_logger(__name__)
MOST = 500  # alerts in one message; what is beyond goes into the next


def alerts_send() -> int:
    """Queue the messages that are due; how many rules had one. A rule that cannot be told stops no other."""
    now = db_now()
    said = 0
    for rule in AlertRule.objects.filter(enabled=True).order_by("pk"):
        try:
            said += rule_send(rule, now)
        except Exception as error:  # noqa: BLE001  (one rule's trouble, whatever it is, must not stop the others)
            AlertRule.objects.filter(pk=rule.pk).update(trouble=str(error) or type(error).__name__)
            log.warning("alert_not_sent", rule=rule.pk, error=str(error))
    return said


def rule_send(rule: AlertRule, now: datetime) -> bool:
    """One message with all that is to be told, if it is time; False where there is nothing to say now."""
    untold = rule.alerts.filter(told_at__isnull=True).order_by("first_at", "pk")
    first = untold.first()
    due = first is not None and first.first_at <= now - timedelta(minutes=rule.digest_minutes)
    if is_quiet(rule, now) or not (due or _still_so(rule, now).exists()):
        return False
    alerts = [*untold[:MOST], *_still_so(rule, now).order_by("first_at", "pk")[:MOST]][:MOST]
    with transaction.atomic():
        if not _mine(rule, now):
            return False
        queue_messages(rule, alerts, key=f"{rule.pk}:{now.isoformat()}", now=now)
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(told_at=now)
    return True


def _still_so(rule: AlertRule, now: datetime) -> "QuerySet[Alert]":
    """What was told so long ago that it is said again."""
    if not rule.repeat_hours:
        return rule.alerts.none()
    before = now - timedelta(hours=rule.repeat_hours)
    return rule.alerts.filter(ended_at__isnull=True, told_at__lte=before)


def _mine(rule: AlertRule, now: datetime) -> bool:
    """Whether nobody else has told for this rule since it was read: two beats must not send twice."""
    same = Q(last_sent_at__isnull=True) if rule.last_sent_at is None else Q(last_sent_at=rule.last_sent_at)
    return bool(AlertRule.objects.filter(same, pk=rule.pk).update(last_sent_at=now))


def is_quiet(rule: AlertRule, now: datetime) -> bool:
    """Whether the rule's quiet hours are on; they may go over midnight."""
    if rule.quiet_from is None or rule.quiet_until is None or rule.quiet_from == rule.quiet_until:
        return False
    here = now.astimezone(ZoneInfo(rule.time_zone)).time()
    return _between(here, rule.quiet_from, rule.quiet_until)


def _between(here: time, begin: time, end: time) -> bool:
    return begin <= here < end if begin < end else here >= begin or here < end


def queue_messages(
    rule: AlertRule, alerts: Sequence[Alert], *, key: str, now: datetime
) -> list[Notification | WebhookDelivery]:
    """A mail and a webhook, as the rule has recipients and a URL; `key` makes their ids, the same for every try."""
    made: list[Notification | WebhookDelivery] = []
    if recipients := recipients_of(rule):
        made.append(_mail(rule, alerts, recipients, key))
    if rule.webhook_url:
        identity = f"msg_{hashlib.sha256(f'alert:{key}'.encode()).hexdigest()[:32]}"
        body = webhook_body(rule, alerts, message_id=identity, now=now)
        made.append(WebhookDelivery.objects.create(rule=rule, message_id=identity, body=body))
    return made


def _mail(rule: AlertRule, alerts: Sequence[Alert], recipients: list[str], key: str) -> Notification:
    return Notification.objects.create(
        kind=Notification.Kind.ALERT,
        dedupe=f"alert:{key}",
        message_id=message_id(f"alert:{key}"),
        sender=settings.HUB_MAIL_FROM,
        recipients=recipients,
        subject=subject_of(rule, alerts),
        body=mail_body(rule, alerts),
        headers={"X-Busbar-Kind": "alert", "X-Busbar-Rule": str(rule.pk), "Auto-Submitted": "auto-generated"},
    )


def recipients_of(rule: AlertRule) -> list[str]:
    """The rule's addresses, each once."""
    return list(dict.fromkeys(line.strip() for line in rule.recipients.splitlines() if line.strip()))
