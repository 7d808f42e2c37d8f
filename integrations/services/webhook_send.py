"""Sending webhooks: the outbox of signed POSTs, claimed and put back as mails are."""

import time

import structlog
from django.conf import settings

from integrations.adapters.errors import AdapterError, Misconfigured, Refused
from integrations.adapters.webhook import webhook_post
from integrations.crypto import SecretUnreadable
from integrations.engine.clock import db_now
from integrations.engine.outbox_rows import GIVEN_UP, after_failure, due_rows, mine, sent, take
from integrations.models import WebhookDelivery
from integrations.services.webhook_sign import body_bytes, signed_headers

log = structlog.get_logger(__name__)
ROUND_SECONDS = 15  # after these no further one is begun, so that the beat can end in good order


def webhooks_send(limit: int = 20) -> int:
    """Send what is due, the longest due first; how many were taken. One that hangs or is refused stops no other."""
    begun = time.monotonic()
    rows = due_rows(WebhookDelivery.objects.select_related("rule"), limit)
    return sum(webhook_send(delivery=row) for row in rows if time.monotonic() - begun < ROUND_SECONDS)


def webhook_send(*, delivery: WebhookDelivery) -> bool:
    """Send this one now; False where it was not taken, or another sender has it.

    Every try carries the same id and body, so that a receiver that has seen it can tell: after a crash between its
    yes and the record it is sent again.
    """
    if not take(delivery):
        return False
    try:
        status = _post(delivery)
    except (AdapterError, SecretUnreadable) as error:
        _put_back(delivery, error)
        return False
    sent(delivery, status_code=status)
    return True


def _post(delivery: WebhookDelivery) -> int:
    rule = delivery.rule
    if not rule.webhook_url:
        raise Misconfigured("The rule has no webhook any more")
    body = body_bytes(delivery.body)
    headers = signed_headers(rule.webhook_secret, delivery.message_id, body, db_now())
    return webhook_post(rule.webhook_url, body, headers, allowed=settings.HUB_ALLOWED_NETWORKS)


def _put_back(delivery: WebhookDelivery, error: Exception) -> None:
    """Again later, or given up."""
    answered = error if isinstance(error, Refused) else None
    later = after_failure(
        delivery,
        passing=isinstance(error, AdapterError) and error.passing,
        not_before=(answered and answered.retry_after) or 0,
    )
    mine(delivery).update(**later, status_code=answered.status if answered else None, trouble=_said(error))
    log.warning(
        "webhook_not_sent",
        delivery=delivery.pk,
        error=str(error),
        given_up=later["state"] == GIVEN_UP,
    )


def _said(error: Exception) -> str:
    if not isinstance(error, AdapterError):
        return str(error)
    more = " ".join(part for part in (error.detail, error.hint) if part)
    return f"{error.text}: {more}" if more else error.text
