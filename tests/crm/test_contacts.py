"""Operators add contacts to tickets and say which is to be used first (seed 004 table 10.10)."""

from typing import Any

import pytest
from django.utils import timezone

from crm.models import CallerContact, Incident
from crm.services.contact_add import contact_add
from crm.services.contact_prefer import contact_prefer
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import AuditEntry
from tests.crm.scene import (
    add_ticket,
    contact,
    open_incident,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(db: None) -> Incident:
    """An open one."""
    return open_incident()


def test_one_contact_of_a_ticket_is_the_preferred_one(incident: Incident):
    ticket, other = add_ticket(incident), add_ticket(incident)
    first, second = contact(ticket, 0), contact(ticket, 1, value="555 0101")
    elsewhere = contact(other, preferred=True)
    contact_prefer(contact=first, preferred=True, actor="op")
    contact_prefer(contact=second, preferred=True, actor="op")
    assert set(CallerContact.objects.filter(preferred=True)) == {second, elsewhere}
    contact_prefer(contact=second, preferred=False, actor="op")
    contact_prefer(contact=second, preferred=False, actor="op")
    assert set(CallerContact.objects.filter(preferred=True)) == {elsewhere}
    entries = AuditEntry.objects.filter(subject=f"troubleticket:{ticket.pk}").order_by("pk")
    assert [entry.detail["contact"] for entry in entries] == [first.pk, *[second.pk] * 3]


def test_a_contact_that_is_gone_is_not_preferred_and_the_others_stay(incident: Incident):
    ticket = add_ticket(incident)
    kept, gone = contact(ticket, 0, preferred=True), contact(ticket, 1)
    CallerContact.objects.filter(pk=gone.pk).delete()
    with pytest.raises(Conflict, match="is not there any more"):
        contact_prefer(contact=gone, preferred=True, actor="op")
    kept.refresh_from_db()
    assert kept.preferred


def test_the_preferred_contact_of_an_archived_ticket_stays(incident: Incident):
    row = contact(add_ticket(incident, archived_at=timezone.now()))
    with pytest.raises(Conflict, match="is archived and cannot be changed"):
        contact_prefer(contact=row, preferred=True, actor="op")


def add(ticket: Any, first: str = "", last: str = "", media: str = "", value: str = "") -> CallerContact:
    return contact_add(ticket=ticket, first_name=first, last_name=last, media=media, value=value, actor="op")


def test_a_contact_is_added_after_the_others(incident: Incident):
    ticket = add_ticket(incident)
    contact(ticket, 3)
    made = add(ticket, " Grace ", "Hopper", "email", " Grace@Example.org ")
    assert (made.position, made.first_name, made.value, made.search) == (
        4,
        "Grace",
        "Grace@Example.org",
        "grace@example.org",
    )
    assert add(ticket, "Grace", "Hopper", "landline", "+1 (555) 01-02").search == "15550102"
    assert add(add_ticket(incident), "Grace").position == 0
    ticket.refresh_from_db()
    assert ticket.last_update_user == "op"
    assert AuditEntry.objects.filter(action="contact_add").count() == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "A contact needs a name, or a way to reach it"),
        ({"media": "pigeon", "value": "1"}, "'pigeon' is no kind of contact"),
        ({"value": "555 0100"}, "What '555 0100' is has to be said"),
        ({"first": "Ada", "media": "mobile"}, "The contact's mobile is missing"),
        ({"media": "mobile", "value": "none"}, "has no digit"),
        ({"media": "email", "value": "ada at example.org"}, "is no e-mail address"),
        ({"media": "mobile", "value": "1" * 256}, "Value has 256 characters"),
        ({"last": "x" * 256}, "Last name has 256 characters"),
        ({"first": "Ad\x1ba"}, "First name has a control character"),
    ],
)
def test_a_contact_that_is_none_is_refused(incident: Incident, given: dict[str, str], said: str):
    with pytest.raises(InvalidMessage, match=said):
        add(add_ticket(incident), **given)
    assert not CallerContact.objects.exists()


def test_the_same_contact_is_not_added_twice_and_none_to_an_archived_ticket(incident: Incident):
    ticket = add_ticket(incident)
    add(ticket, "Ada", media="mobile", value="5")
    with pytest.raises(Conflict, match="has this contact already"):
        add(ticket, "Ada", media="mobile", value="5")
    with pytest.raises(Conflict, match="is archived and cannot be changed"):
        add(add_ticket(incident, archived_at=timezone.now()), "Ada")
