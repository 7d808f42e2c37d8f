"""Holding rows while they are worked on, always in the order of their keys, so that nobody waits in a circle.

Who joins tickets to an incident holds it FOR SHARE until they are written (crm.outage.placing); who holds it here waits
for them, and sees them afterwards. Rows that refer to a held one (FOR KEY SHARE) can be written meanwhile. On SQLite a
transaction that writes is alone anyway.
"""

from collections import deque
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet

from crm.models import Incident, TroubleTicket
from integrations.engine.faults import Conflict

_CHUNK = 5000


def hold_incident(key: UUID) -> Incident:
    """The incident as it is now, nobody else's until the transaction ends. Conflict where there is none any more."""
    row = Incident.objects.select_for_update(of=("self",), no_key=True).filter(pk=key).first()
    if row is None:
        raise Conflict(f"There is no incident {key} any more")
    return row


def hold_open_incident(key: UUID) -> Incident:
    """The same of one that is open; Conflict says what became of any other."""
    row = hold_incident(key)
    if row.restored_at is not None:
        raise Conflict(f"Incident {key} is {row.stage} already", hint="Only an open incident can be changed.")
    return row


def hold_ticket(key: UUID) -> TroubleTicket:
    """The same of a ticket. Conflict where it is archived, or gone."""
    row = TroubleTicket.objects.select_for_update(of=("self",), no_key=True).filter(pk=key).first()
    if row is None or row.archived_at is not None:
        raise Conflict(f"Ticket {key} is archived and cannot be changed")
    return row


def hold_in_order(rows: "QuerySet[Model]") -> list[UUID]:
    """Hold the rows; their keys."""
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))


def hold_many(rows: "QuerySet[Model]") -> None:
    """Hold rows of which there may be very many: no key is kept here."""
    if not connection.features.has_select_for_update:
        return
    held = rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True)
    deque(held.iterator(chunk_size=_CHUNK), maxlen=0)
