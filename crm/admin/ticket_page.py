"""What a trouble ticket's page says."""

from typing import Any

from crm.admin.map import Place, draw
from crm.admin.words import language, period, places
from crm.config import config
from crm.models import Incident, ServiceDeliveryPoint, TroubleTicket
from crm.present import page_address

CALLBACKS = 100


def ticket_context(row: TroubleTicket) -> dict[str, Any]:
    """Everything about it in plain words, with its contacts, callbacks, incident, message and map."""
    mapped = ticket_places([row], linked=False) + incident_place(row.incident)
    callbacks = row.callbacks.order_by("-created_at", "-id")[:CALLBACKS]
    return {
        "title": f"Trouble ticket {row}"[:120],
        "contacts": list(row.contacts.all()),
        "incident": row.incident,
        "message": row.message,
        "point": row.service_point,
        "callbacks": callbacks,
        "language": language(row.language_id),
        "periods": [text for one in row.callback_periods if (text := period(one))],
        "location": places(row.location),
        "map": draw(mapped, config().model_projection),
        "missing": 0 if mapped and mapped[0].kind != "incident" else 1,
    }


def ticket_places(tickets: list[TroubleTicket], *, linked: bool = True) -> list[Place]:
    """The tickets on the map, above their service delivery points, which have to be with them.

    A ticket without coordinates of its own is drawn at its service delivery point.
    """
    points = {row.service_point_id: row.service_point for row in tickets if row.service_point}
    below = [place for point in points.values() if (place := _point(point))]
    return below + [place for row in tickets if (place := _ticket(row, linked=linked))]


def incident_place(incident: Incident | None) -> list[Place]:
    """The incident on the map."""
    if incident is None or incident.x is None or incident.y is None:
        return []
    return [Place(incident.x, incident.y, "incident", f"Incident {incident.pk} was opened here")]


def _point(point: ServiceDeliveryPoint) -> Place | None:
    if point.x is None or point.y is None:
        return None
    where = f", {point.address}" if point.address else ""
    title = f"Service delivery point {point.pk}{where}"
    return Place(point.x, point.y, "point", title, page_address(ServiceDeliveryPoint, point.pk))


def _ticket(row: TroubleTicket, *, linked: bool) -> Place | None:
    x, y = row.x, row.y
    if (x is None or y is None) and row.service_point:
        x, y = row.service_point.x, row.service_point.y
    if x is None or y is None:
        return None
    title = f"{row.get_kind_display()} ticket {row}: {row.trouble_code}"
    return Place(x, y, row.kind, title, page_address(TroubleTicket, row.pk) if linked else "")
