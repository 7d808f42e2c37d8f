"""Send a test message of an alert rule, now, and say what became of it."""

import secrets
from dataclasses import dataclass

from integrations.engine.clock import db_now
from integrations.engine.faults import InvalidMessage
from integrations.engine.outbox import send_now
from integrations.engine.outbox_rows import GIVEN_UP, PENDING
from integrations.models import Alert, AlertRule, Notification, WebhookDelivery
from integrations.services.alert_findings import page
from integrations.services.alerts_send import queue_messages
from integrations.services.audit import audit
from integrations.services.webhook_send import webhook_send


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a test: to whom, whether it went out, and what was in the way."""

    to: str
    ok: bool
    trouble: str = ""


def alert_rule_test(*, rule: AlertRule, actor: str, address: str | None = None) -> list[Told]:
    """A mail and a webhook, as the rule has them, really sent; one that fails is not tried again.

    InvalidMessage where the rule has neither. Not to be called within a transaction.
    """
    now = db_now()
    alert = Alert(
        rule=rule,
        subject=f"alertrule:{rule.pk}",
        title=f"A test of the alert rule {rule.name}",
        text=f"Sent by {actor}. Nothing has happened.",
        link=page("alertrule", rule.pk),
        first_at=now,
        last_at=now,
    )
    rows = queue_messages(rule, [alert], key=f"{rule.pk}:test:{secrets.token_hex(8)}", now=now)
    if not rows:
        raise InvalidMessage("The rule has neither an address nor a webhook", hint="Enter one and save.")
    told = [_send(row) for row in rows]
    audit(
        actor=actor,
        action="alert_rule_test",
        subject=f"alertrule:{rule.pk}",
        detail={"name": rule.name, "told": {one.to: one.trouble or "sent" for one in told}},
        address=address,
    )
    return told


def _send(row: Notification | WebhookDelivery) -> Told:
    if isinstance(row, Notification):
        to, ok = f"Mail to {', '.join(row.recipients)}", send_now(row)
    else:
        to, ok = "Webhook", webhook_send(delivery=row)
    if not ok:
        type(row)._default_manager.filter(pk=row.pk, state=PENDING).update(state=GIVEN_UP)
    row.refresh_from_db()
    return Told(to, row.state == "sent", row.trouble)
