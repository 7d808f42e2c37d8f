"""Send a notification again now: one given up, or one that waits for its next try."""

from integrations.models import Notification
from integrations.services.outbox_resend import outbox_resend


def notification_resend(*, notification: Notification, actor: str, address: str | None = None) -> bool:
    """Make it due now with its tries counted anew; False where it is sent or being sent, and nothing changes.

    The message id stays, so a mail that did arrive is known as the same by the reader's mail program.
    """
    return outbox_resend(
        row=notification,
        action="notification_resend",
        detail={"subject": notification.subject, "message_id": notification.message_id},
        actor=actor,
        address=address,
    )
