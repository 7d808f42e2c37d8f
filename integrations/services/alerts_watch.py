"""What the beat does for alerts: follow the rules, tell, send webhooks, forget what is long over."""

from datetime import timedelta

from django.conf import settings

from integrations.engine.clock import db_now
from integrations.engine.outbox_rows import GIVEN_UP, SENT
from integrations.models import Alert, WebhookDelivery
from integrations.services.alerts_evaluate import alerts_evaluate
from integrations.services.alerts_send import alerts_send
from integrations.services.chores import chore
from integrations.services.webhook_send import webhooks_send

EVERY_SECONDS, WEBHOOKS_EVERY, FORGET_EVERY = 20, 2, 3600
AT_ONCE = 1000


def alerts_watch() -> int:
    """Follow the rules and queue what is to be told; how many rules had something to say."""
    alerts_evaluate()
    return alerts_send()


def alerts_forget() -> int:
    """Delete alerts and webhooks that were over before HUB_RETENTION_DAYS; how many, a thousand of each at most."""
    before = db_now() - timedelta(days=settings.HUB_RETENTION_DAYS)
    over = Alert.objects.filter(ended_at__lt=before).order_by("pk").values_list("pk", flat=True)
    old = WebhookDelivery.objects.filter(created_at__lt=before, state__in=[SENT, GIVEN_UP]).order_by("pk")
    gone, _ = Alert.objects.filter(pk__in=list(over[:AT_ONCE])).delete()
    sent, _ = WebhookDelivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()
    return gone + sent


def alert_chores() -> None:
    """Have the beat do all this."""
    chore("alerts", EVERY_SECONDS, alerts_watch)
    chore("webhooks", WEBHOOKS_EVERY, webhooks_send)
    chore("old alerts", FORGET_EVERY, alerts_forget)
