"""Making callbacks for an incident's tickets, as many as there are in one go (seed 004 chapters 3 and 9)."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from crm.models import Callback, Incident, TroubleTicket
from crm.outage.bulk import key_of, put_rows
from crm.outage.callback_queue import waiting
from crm.outage.holding import hold_in_order
from integrations.models.ids import time_ordered_key

State = Callback.State
_COLUMNS = (
    "id",
    "ticket",
    "incident",
    "reason",
    "priority",
    "language_id",
    "automatic",
    "state",
    "assigned_to",
    "times_assigned",
    "result",
    "comment",
    "last_update_user",
    "created_at",
)
AT_ONCE = 1000


def make_callbacks(incident: Incident, *, reason: str, now: datetime) -> int:
    """A callback for each of the tickets that asked for one, unless one with this reason waits already; how many.

    Inside a transaction that holds the incident (crm.outage.holding).
    """
    waiting_for_it = waiting(now).filter(incident=incident, ticket=OuterRef("pk"), reason=reason)
    tickets = _asking(incident).exclude(Exists(waiting_for_it))
    found = list(tickets.order_by("pk").values_list("pk", "language_id", "service_point__customer_priority"))
    # Keys of one millisecond sort by chance: put in order, the first caller of a priority is called first.
    keys = sorted(time_ordered_key() for _ in found)
    fixed = (False, str(State.QUEUED), "", 0, "", "", "", now)
    rows = [
        (key, key_of(ticket), key_of(incident.pk), reason, priority or 0, language, *fixed)
        for key, (ticket, language, priority) in zip(keys, found, strict=True)
    ]
    put_rows(Callback, _COLUMNS, rows)
    return len(rows)


def turn_callbacks(incident: Incident, *, reason: str, into: str, now: datetime) -> int:
    """Let the callbacks that wait for one reason be made for another, as new ones; how many.

    Those that somebody is just making stay what they are.
    """
    held = hold_in_order(waiting(now).filter(incident=incident, reason=reason))
    for start in range(0, len(held), AT_ONCE):
        _turn(held[start : start + AT_ONCE], into)
    return len(held)


def _turn(callbacks: list[UUID], into: str) -> None:
    Callback.objects.filter(pk__in=callbacks).update(
        reason=into, state=State.QUEUED, assigned_to="", assigned_at=None, release_at=None
    )


def _asking(incident: Incident) -> "QuerySet[TroubleTicket]":
    return TroubleTicket.objects.filter(incident=incident, call_back=True, archived_at__isnull=True)
