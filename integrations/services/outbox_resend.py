"""Make a row of an outbox due now: one given up, or one that waits for its next try."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.engine.outbox_rows import GIVEN_UP, PENDING
from integrations.models import Notification, WebhookDelivery
from integrations.services.audit import audit


def outbox_resend(
    *,
    row: Notification | WebhookDelivery,
    action: str,
    detail: dict[str, Any],
    actor: str,
    address: str | None = None,
) -> bool:
    """Due now, its tries and its days counted anew; False where it is sent or being sent, and nothing changes.

    The message id stays, so that one that did arrive is known as the same.
    """
    rows = type(row)._default_manager
    with transaction.atomic():
        again = rows.filter(pk=row.pk, state__in=[PENDING, GIVEN_UP])
        now = timezone.now()
        changed = again.update(state=PENDING, tries=0, next_try_at=now, resent_at=now)
        if changed:
            subject = f"{row._meta.model_name}:{row.pk}"
            audit(actor=actor, action=action, subject=subject, detail=detail, address=address)
    return bool(changed)
