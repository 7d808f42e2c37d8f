"""An outage in short: incidents with tickets, callbacks, and several who do something at once."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from crm.models import Callback, CallerContact, Incident, TroubleTicket

RESTORED, ETR = "Restored", "Estimated restoration changed"
State = Callback.State


def open_incident(scope: str = "", **given: Any) -> Incident:
    """An incident as a ticket opens one: without an entry in its history."""
    return Incident.objects.bulk_create([Incident(**{"status": "New", "scope": scope, **given})])[0]


def add_ticket(incident: Incident, *, call_back: bool = True, **given: Any) -> TroubleTicket:
    """A ticket of the incident that asked for a callback."""
    now = timezone.now()
    made = {
        "kind": "unlocated",
        "trouble_code": "No Power/No Light",
        "source": "CallCenter",
        "language_id": 1033,
        "event_at": now,
        "received_at": now,
        **given,
    }
    return TroubleTicket.objects.create(incident=incident, call_back=call_back, **made)


def add_tickets(incident: Incident, count: int, **given: Any) -> None:
    """Many of them."""
    now = timezone.now()
    TroubleTicket.objects.bulk_create(
        TroubleTicket(
            incident=incident,
            call_back=True,
            kind="unlocated",
            trouble_code="No Power/No Light",
            source="CallCenter",
            language_id=1033,
            event_at=now,
            received_at=now,
            **given,
        )
        for _ in range(count)
    )


def add_callback(incident: Incident, ticket: TroubleTicket | None = None, **given: Any) -> Callback:
    """A callback that waits, of a ticket of its own unless one is given."""
    made = {"reason": RESTORED, "language_id": 1033, **given}
    return Callback.objects.create(incident=incident, ticket=ticket or add_ticket(incident), **made)


def restored_incident(**given: Any) -> Incident:
    """An incident that was restored just now."""
    return open_incident(**{"restored_at": timezone.now(), "status": "Field Completed", **given})


def closed_incident(at: datetime, tickets: int = 1, **given: Any) -> Incident:
    """An incident that was closed then."""
    row = restored_incident(restored_at=at, closed_at=at, **{"status": "Closed", **given})
    for _ in range(tickets):
        add_ticket(row)
    return row


def assigned(row: Callback, to: str = "csr7", **given: Any) -> Callback:
    """The callback, with somebody."""
    now = timezone.now()
    row.state, row.assigned_to, row.assigned_at = State.ASSIGNED, to, now
    row.release_at = now + timedelta(minutes=30)
    for name, value in given.items():
        setattr(row, name, value)
    row.save()
    return row


def contact(ticket: TroubleTicket, position: int = 0, **given: Any) -> CallerContact:
    """One of the ticket's contacts."""
    made = {"first_name": "Ada", "last_name": "Byron", "media": "mobile", "value": "555 0100", **given}
    return CallerContact.objects.create(ticket=ticket, position=position, **made)


def at_once(doing: Sequence[Callable[[], Any]]) -> list[Any]:
    """Let each do its thing in a thread of its own, all beginning together; what each returned, or raised."""
    found: list[Any] = [None] * len(doing)
    together = threading.Barrier(len(doing))

    def run(place: int, do: Callable[[], Any]) -> None:
        together.wait()
        try:
            found[place] = do()
        except Exception as error:  # noqa: BLE001  (handed to the test)
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(doing)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return found


def stories(incident: Incident) -> list[str]:
    """The reasons in its history, the newest last."""
    return list(
        Incident.history.filter(id=incident.pk)
        .order_by("history_id")
        .values_list("history_change_reason", flat=True)
    )
