"""Send a webhook again now: one given up, or one that waits for its next try."""

from integrations.models import WebhookDelivery
from integrations.services.outbox_resend import outbox_resend


def webhook_resend(*, delivery: WebhookDelivery, actor: str, address: str | None = None) -> bool:
    """Make it due now with its tries counted anew; False where it is sent or being sent, and nothing changes."""
    return outbox_resend(
        row=delivery,
        action="webhook_resend",
        detail={"rule": delivery.rule.name, "message_id": delivery.message_id},
        actor=actor,
        address=address,
    )
