"""What the call centre knows of a business object: tickets, callbacks, incidents and messages, for the page of it."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from crm.admin.find import find_callbacks, find_incidents, find_messages, find_tickets
from crm.models import Callback, Incident, ReceivedMessage, TroubleTicket
from integrations.services.business_object import Event, Sought, object_source


def _newest(rows: QuerySet[Any], column: str, sought: Sought, limit: int) -> Iterator[Any]:
    yield from rows.filter(**sought.before(column)).order_by(f"-{column}", "-pk")[:limit]


def _tickets(sought: Sought, limit: int) -> Iterator[Event]:
    rows = find_tickets(TroubleTicket.objects.all(), sought.value)
    for row in _newest(rows, "created_at", sought, limit):
        title = f"Trouble ticket {row}: {row.trouble_code}"
        yield Event(row.created_at, "Tickets", row, title, text=row.comment, flow=row.source)


def _callbacks(sought: Sought, limit: int) -> Iterator[Event]:
    rows = find_callbacks(Callback.objects.all(), sought.value)
    for row in _newest(rows, "created_at", sought, limit):
        state = (row.state, str(row.get_state_display()))
        yield Event(row.created_at, "Callbacks", row, f"Callback: {row.reason}", *state, row.result)


def _incidents(sought: Sought, limit: int) -> Iterator[Event]:
    rows = find_incidents(Incident.objects.all(), sought.value)
    for row in _newest(rows, "created_at", sought, limit):
        yield Event(
            row.created_at, "Incidents", row, "Incident", row.stage, row.stage, row.comment or row.status
        )


def _messages(sought: Sought, limit: int) -> Iterator[Event]:
    rows = find_messages(ReceivedMessage.objects.defer("reply", "header"), sought.value)
    for row in _newest(rows, "received_at", sought, limit):
        states = {"OK": "succeeded", "PARTIAL": "warning", "FAILED": "failed"}
        said = ", ".join(map(str, row.reasons))
        yield Event(
            row.received_at, "Messages", row, row.operation, states.get(row.result, ""), row.result, said
        )


object_source("crm.troubleticket", _tickets)
object_source("crm.callback", _callbacks)
object_source("crm.incident", _incidents)
object_source("crm.receivedmessage", _messages)
