"""Housekeeping: what is over is archived, what was kept long enough is let go."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm.config import config
from crm.models import Nonce, ReceivedMessage, TroubleTicket
from crm.outage.holding import hold_many
from crm.services.incidents_archive import incidents_archive
from crm.services.message_receive import NONCE_DAYS

AT_ONCE = 200  # messages, of up to thousands of tickets each
EVERY = 3600


def crm_housekeep() -> dict[str, int]:
    """Archive incidents, drop messages past `message.retention.days` and old nonces; how many of each.

    On the standby site nothing is written: {}.
    """
    settings, now = config(), timezone.now()
    if not settings.active:
        return {}
    archived = incidents_archive(now=now)
    days = settings.properties.number("message.retention.days", 30)
    return {
        "incidents archived": archived.incidents,
        "tickets archived": archived.tickets,
        "messages deleted": _drop_messages(now - timedelta(days=days)),
        "nonces deleted": Nonce.objects.filter(seen_at__lt=now - NONCE_DAYS).delete()[0],
    }


def _drop_messages(before: datetime) -> int:
    old = ReceivedMessage.objects.filter(received_at__lt=before).order_by("received_at")
    count = 0
    while keys := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        _drop(keys)
        count += len(keys)
    return count


def _drop(messages: list[UUID]) -> None:
    """Delete the messages; their tickets stay."""
    with transaction.atomic():
        tickets = TroubleTicket.objects.filter(message__in=messages)
        hold_many(tickets)
        tickets.update(message=None)
        ReceivedMessage.objects.filter(pk__in=messages).only("pk").delete()
