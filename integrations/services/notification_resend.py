"""Send a notification again now: one given up, or one that waits for its next try."""

from django.db import transaction
from django.utils import timezone

from integrations.models import Notification
from integrations.services.audit import audit

State = Notification.State


def notification_resend(*, notification: Notification, actor: str, address: str | None = None) -> bool:
    """Make it due now with its tries counted anew; False where it is sent or being sent, and nothing changes.

    The message id stays, so a mail that did arrive is known as the same by the reader's mail program.
    """
    with transaction.atomic():
        again = Notification.objects.filter(pk=notification.pk, state__in=[State.PENDING, State.GIVEN_UP])
        changed = again.update(state=State.PENDING, tries=0, next_try_at=timezone.now())
        if changed:
            audit(
                actor=actor,
                action="notification_resend",
                subject=f"notification:{notification.pk}",
                detail={"subject": notification.subject, "message_id": notification.message_id},
                address=address,
            )
    return bool(changed)
