"""Rows of the outage side as the work of operators and callers leaves them, made without that work."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import Callback, CallerContact, Crew, Incident, ServiceDeliveryPoint, TroubleTicket

ADAPTER = "CrmAdapter"
CSR = "csr7"
State = Callback.State


def a_point(mrid: str = "SDP-9", **given: Any) -> ServiceDeliveryPoint:
    """A service delivery point, the one there is or a new one."""
    return ServiceDeliveryPoint.objects.get_or_create(mrid=mrid, defaults=given)[0]


def an_incident(*crews: str, **given: Any) -> Incident:
    """An incident that was confirmed an hour ago, with crews of these names."""
    since = timezone.now() - timedelta(hours=1)
    made = Incident.objects.create(**{"status": "New", "created_at": since, "confirmed_at": since, **given})
    for name in crews:
        made.crews.add(Crew.objects.get_or_create(mrid=f"crew-{name}", defaults={"name": name})[0])
    return made


def a_ticket(incident: Incident | None = None, point: str = "", **given: Any) -> TroubleTicket:
    """A ticket of an incident; with `point` it is that service delivery point's."""
    place: dict[str, Any] = {"kind": TroubleTicket.Kind.UNLOCATED}
    if point:
        place = {
            "kind": TroubleTicket.Kind.CUSTOMER,
            "service_point": a_point(point),
            "usage_point": point,
        }
    now = timezone.now()
    defaults = {
        **place,
        "trouble_code": "No Power/No Light",
        "source": "CallCenter",
        "language_id": 1033,
        "event_at": now - timedelta(hours=2),
        "received_at": now - timedelta(hours=1),
    }
    return TroubleTicket.objects.create(incident=incident or an_incident(), **{**defaults, **given})


def archived(incident: Any) -> Incident:
    """The incident and its tickets, archived."""
    now = timezone.now()
    given: dict[str, Any] = {"restored_at": now, "closed_at": now, "archived_at": now, "status": "Archived"}
    Incident.objects.filter(pk=incident.pk).update(**given)
    TroubleTicket.objects.filter(incident=incident).update(archived_at=now)
    incident.refresh_from_db()
    return incident


def a_contact(ticket: TroubleTicket, media: str, value: str, **given: Any) -> CallerContact:
    """One more way to reach a caller of the ticket."""
    place = ticket.contacts.count()
    defaults = {"first_name": "Ann", "last_name": "Example", "position": place}
    return CallerContact.objects.create(ticket=ticket, media=media, value=value, **{**defaults, **given})


def a_callback(ticket: TroubleTicket | None = None, **given: Any) -> Callback:
    """A queued callback of a ticket."""
    ticket = ticket or a_ticket()
    defaults = {"incident": ticket.incident, "reason": "Restored", "language_id": ticket.language_id}
    return Callback.objects.create(ticket=ticket, **{**defaults, **given})


def a_queue(*priorities: int, **given: Any) -> list[Callback]:
    """Callbacks of these priorities, the first the oldest."""
    oldest = timezone.now() - timedelta(hours=1)
    return [
        a_callback(priority=priority, created_at=oldest + timedelta(minutes=place), **given)
        for place, priority in enumerate(priorities)
    ]


def held(by: str = CSR, **given: Any) -> Callback:
    """A callback that somebody was given a minute ago."""
    since = timezone.now() - timedelta(minutes=1)
    return a_callback(
        **{
            "state": State.ASSIGNED,
            "assigned_to": by,
            "assigned_at": since,
            "release_at": since + timedelta(minutes=30),
            "times_assigned": 1,
            **given,
        }
    )


def again(row: Any) -> Any:
    """The row as it is now."""
    row.refresh_from_db()
    return row


def same_moment(text: str, moment: datetime) -> bool:
    """Whether a message's date-time is this one."""
    return datetime.fromisoformat(text) == moment


def statements(call: Callable[[], Any]) -> int:
    """How many statements about the outage side's tables a call takes; the lists are read besides."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum('"crm_' in one["sql"] for one in captured.captured_queries)
