"""The call centre's pages as people see them: who enters, what there is to see, where it stands."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.models import (
    Callback,
    CallerContact,
    Crew,
    Incident,
    ReceivedMessage,
    ServiceDeliveryPoint,
    TroubleTicket,
)
from crm.outage.contacts import search_text
from integrations.models import AuditEntry
from tests import factories

MARKUP = "<script>alert('x')</script>"
UNESCAPED = "<script>alert("


def enter(role: str = "") -> Browser:
    """A browser of a person with this role; of a superuser without one."""
    person = factories.UserFactory(role=role) if role else factories.UserFactory(is_superuser=True)
    browser = Browser()
    browser.force_login(person)
    return browser


def list_of(model: Any) -> str:
    """A model's list."""
    return reverse(f"admin:crm_{model._meta.model_name}_changelist")


def page_of(row: Any, name: str = "change") -> str:
    """A row's page, or where one of its buttons posts to."""
    return reverse(f"admin:crm_{row._meta.model_name}_{name}", args=[row.pk])


def text_of(answer: Any) -> str:
    """An answer's HTML."""
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def shown(browser: Browser, model: Any, **query: str) -> list[Any]:
    """Keys of the rows that a list shows."""
    answer = browser.get(list_of(model), query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def questions(browser: Browser, address: str, **query: str) -> int:
    """How many statements a page takes; of the settings each is read anew within a test's transaction."""
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(address, query).status_code == 200
    return sum("lookups_" not in one["sql"] for one in asked.captured_queries)


def said(answer: Any) -> str:
    """The messages on a page."""
    return " ".join(str(message) for message in answer.context["messages"])


def bulk(browser: Browser, model: Any, action: str, rows: list[Any]) -> Any:
    """Post a bulk action."""
    chosen = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows]}
    return browser.post(list_of(model), chosen, follow=True)


def refused(action: str) -> AuditEntry:
    """The one entry that says so."""
    entry = AuditEntry.objects.get(action="refused")
    assert entry.detail["action"] == action
    return entry


def make_point(mrid: str = "SDP-1", **given: Any) -> ServiceDeliveryPoint:
    """A service delivery point on the map."""
    made = {"transformer_id": "T-1", "address": "1 Main St", "x": -73.9, "y": 40.6, **given}
    return ServiceDeliveryPoint.objects.create(mrid=mrid, **made)


def make_incident(**given: Any) -> Incident:
    """An open incident."""
    return Incident.objects.create(**{"status": "New", **given})


def make_ticket(
    incident: Incident | None = None, phone: str = "", last_name: str = "", **given: Any
) -> TroubleTicket:
    """A ticket with its caller."""
    made = {
        "kind": "unlocated",
        "trouble_code": "No Power/No Light",
        "source": "CallCenter",
        "language_id": 1033,
        "event_at": timezone.now(),
        "received_at": timezone.now(),
        **given,
    }
    ticket = TroubleTicket.objects.create(incident=incident or make_incident(), **made)
    if phone or last_name:
        make_contact(ticket, phone, last_name)
    return ticket


def make_contact(ticket: TroubleTicket, phone: str = "", last_name: str = "", **given: Any) -> CallerContact:
    """One more contact."""
    media = ("email" if "@" in phone else "mobile") if phone else ""
    return CallerContact.objects.create(
        ticket=ticket,
        position=ticket.contacts.count(),
        last_name=last_name,
        media=media,
        value=phone,
        search=search_text(phone) if phone else "",
        **given,
    )


def make_callback(ticket: TroubleTicket | None = None, **given: Any) -> Callback:
    """A queued callback."""
    ticket = ticket or make_ticket(phone="555-0100", last_name="Example")
    return Callback.objects.create(
        **{"ticket": ticket, "incident": ticket.incident, "reason": "Restored", "language_id": 1033, **given}
    )


def assigned(
    ticket: TroubleTicket | None = None, to: str = "csr7", minutes: float = 30, **given: Any
) -> Callback:
    """A callback that somebody has for so many minutes yet."""
    now = timezone.now()
    return make_callback(
        ticket,
        state="assigned",
        assigned_to=to,
        assigned_at=now,
        release_at=now + timedelta(minutes=minutes),
        **given,
    )


def make_message(**given: Any) -> ReceivedMessage:
    """A message that was answered."""
    made = {
        "operation": "CreatedTroubleTickets",
        "transport": "soap",
        "message_id": "m-1",
        "source": "IVR",
        "result": "OK",
        "header": {"Verb": "created"},
        "reply": b'{"Reply":{"Result":"OK"}}',
        "items": 1,
        **given,
    }
    return ReceivedMessage.objects.create(**made)


def make_crew(name: str = "Line crew 4") -> Crew:
    """A crew."""
    return Crew.objects.create(mrid=name.lower().replace(" ", "-"), name=name)
