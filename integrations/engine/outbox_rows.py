"""What outboxes have in common: rows with a stable id, claimed by one sender at a time, tried again with back-off."""

from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import F, QuerySet

from integrations.engine.clock import db_now
from integrations.models import Notification, WebhookDelivery

PENDING, SENDING, SENT, GIVEN_UP = "pending", "sending", "sent", "given up"
CLAIM_SECONDS = 120
LONGEST_WAIT = 600
MOST_REFUSALS = 5
GIVE_UP_AFTER = timedelta(days=3)

Row = TypeVar("Row", Notification, WebhookDelivery)


def due_rows(rows: "QuerySet[Row]", limit: int) -> list[Row]:
    """Those to send now, the longest due first; one whose sender fell silent is among them."""
    due = rows.filter(state__in=[PENDING, SENDING], next_try_at__lte=db_now())
    return list(due.order_by("next_try_at")[:limit])


def take(row: Row, **more: Any) -> bool:
    """Claim a row for two minutes; False where another sender was faster. `more`: other columns to set."""
    stored = type(row)._default_manager.filter(pk=row.pk, state=row.state, tries=row.tries)
    until = db_now() + timedelta(seconds=CLAIM_SECONDS)
    return bool(stored.update(state=SENDING, tries=F("tries") + 1, next_try_at=until, **more))


def mine(row: Row) -> "QuerySet[Any]":
    """The row, if nobody took it over meanwhile because this sender was silent for too long."""
    return type(row)._default_manager.filter(pk=row.pk, state=SENDING, tries=row.tries + 1)


def sent(row: Row, **more: Any) -> None:
    """It went out."""
    mine(row).update(state=SENT, sent_at=db_now(), trouble="", **more)


def after_failure(row: Row, *, passing: bool, not_before: float = 0) -> dict[str, Any]:
    """State and next try of a row that did not go out; `not_before`: seconds the other side asked for.

    Given up after three days of a server that is down, or of one that says never, after five tries; both count from
    when a person had it sent again, where one had.
    """
    tries = row.tries + 1
    since = row.resent_at or row.created_at
    over = db_now() - since > GIVE_UP_AFTER or (not passing and tries >= MOST_REFUSALS)
    return {
        "state": GIVEN_UP if over else PENDING,
        "next_try_at": db_now() + timedelta(seconds=min(max(2.0**tries, not_before), LONGEST_WAIT)),
    }
