"""What an incident's page says."""

from typing import Any

from django.db.models import Case, QuerySet, Value, When, prefetch_related_objects

from crm.admin.map import draw
from crm.admin.ticket_page import incident_place, ticket_places
from crm.admin.timeline import timeline
from crm.config import config
from crm.models import Callback, Incident, TroubleTicket
from crm.present import list_address

DRAWN = 1_000  # tickets on the map
LISTED = 200  # tickets and callbacks in the tables
_CLOSED_LAST = Case(When(state=Callback.State.CLOSED, then=Value(1)), default=Value(0))


def tickets_of(row: Incident) -> str:
    """The list of an incident's tickets, archived ones among them."""
    return list_address(TroubleTicket, f"incident__id__exact={row.pk}&set=all")


def callbacks_of(row: Incident, state: str = "") -> str:
    """The list of an incident's callbacks; those to be made unless a state or `all` is asked for."""
    return list_address(Callback, f"incident__id__exact={row.pk}" + (f"&state={state}" if state else ""))


def incident_context(row: Incident) -> dict[str, Any]:
    """The incident with its tickets on the map and in a table, its callbacks and its history."""
    tickets = TroubleTicket.objects.filter(incident=row)
    number, asking = tickets.count(), tickets.filter(call_back=True).count()
    return {
        "title": f"Incident {row.transformer_id or row.service_point_id or ''} {row.status}".replace(
            "  ", " "
        ),
        "crews": list(row.crews.all()),
        "unconfirmable": _unconfirmable(row),
        "number": number,
        "asking": asking,
        **_tickets(row, tickets, number),
        **_callbacks(row),
        "timeline": timeline(row),
    }


def _unconfirmable(row: Incident) -> bool:
    """Whether its confirmation can be taken back: any status but the first one confirms it."""
    first = config().properties.text("incident.status.new", "New")
    at_first = row.status.strip().casefold() == first.casefold()
    return row.confirmed_at is not None and row.restored_at is None and at_first


def _tickets(row: Incident, tickets: "QuerySet[TroubleTicket]", number: int) -> dict[str, Any]:
    """The newest of them: on the map, and in the table."""
    link = tickets_of(row)
    newest = _newest(tickets)
    mapped = ticket_places(newest[::-1])
    seen = sum(place.kind != "point" for place in mapped)
    return {
        "tickets": newest[:LISTED],
        "tickets_link": link,
        "tickets_more": max(number - LISTED, 0),
        "map": draw(mapped + incident_place(row), config().model_projection, more=link),
        "missing": len(newest) - seen,
        "undrawn": max(number - DRAWN, 0),
        "drawn_most": DRAWN,
    }


def _newest(tickets: "QuerySet[TroubleTicket]") -> list[TroubleTicket]:
    """As many as are drawn, those that are listed with their contacts.

    Keys first: to sort tens of thousands of whole rows for a thousand of them takes twice as long.
    """
    keys = list(tickets.order_by("-id").values_list("pk", flat=True)[:DRAWN])
    rows = list(TroubleTicket.objects.filter(pk__in=keys).select_related("service_point").order_by("-id"))
    prefetch_related_objects(rows[:LISTED], "contacts")
    return rows


def _callbacks(row: Incident) -> dict[str, Any]:
    """Those to be made first, then those that were."""
    rows = Callback.objects.filter(incident=row)
    waiting = rows.exclude(state=Callback.State.CLOSED).count()
    number = rows.count()
    shown = rows.select_related("ticket").prefetch_related("ticket__contacts")
    return {
        "callbacks": shown.order_by(_CLOSED_LAST, "-priority", "created_at", "id")[:LISTED],
        "callbacks_open": waiting,
        "callbacks_number": number,
        "callbacks_link": callbacks_of(row, "all"),
        "callbacks_more": max(number - LISTED, 0),
    }
