"""Several who do something to one incident at the same time."""

import threading
import time
from typing import Any

import pytest

from crm.models import Callback, CallerContact, Incident, ServiceDeliveryPoint
from crm.operations import created_trouble_tickets
from crm.outage.placing import join_incidents
from crm.services.contact_prefer import contact_prefer
from crm.services.incident_change import Changed, incident_change
from crm.services.incident_restore import Restored, incident_restore
from crm.services.incidents_archive import incidents_archive
from integrations.engine.faults import Conflict
from tests.crm.conftest import Crm, crm_property
from tests.crm.scene import (
    add_ticket,
    add_tickets,
    at_once,
    contact,
    open_incident,
)

pytestmark = pytest.mark.django_db(transaction=True)


def change(incident: Incident, **given: Any) -> Changed:
    return incident_change(incident=incident, actor="op", **given)


def restore(incident: Incident, **given: Any) -> Restored:
    return incident_restore(incident=incident, actor="op", **given)


def test_of_two_who_restore_at_once_one_does():
    row = open_incident()
    add_tickets(row, 50)

    def again() -> Restored:
        return restore(Incident.objects.get(pk=row.pk))

    found = at_once([again] * 4)
    assert sorted(type(one).__name__ for one in found) == ["Conflict"] * 3 + ["Restored"]
    assert Callback.objects.count() == 50


def test_no_ticket_that_joins_while_it_is_restored_loses_its_callback(
    crm: Crm, points: list[ServiceDeliveryPoint]
):
    """Each ticket's incident either calls it back, or is still open."""
    place = {"UsagePoint": {"mRID": "SDP-1"}, "callBack": True}

    def send() -> list[str]:
        return [crm.create(place, place).result for _ in range(8)]

    def restore_all() -> int:
        done = 0
        for _ in range(12):
            for row in Incident.objects.filter(restored_at=None):
                done += isinstance(restore(row), Restored)
        return done

    sent = at_once([send, send, send, restore_all])
    assert sent[:3] == [["OK"] * 8] * 3
    assert isinstance(sent[3], int), sent[3]
    assert Incident.objects.filter(restored_at=None).count() <= 1
    for row in Incident.objects.exclude(restored_at=None):
        assert row.callbacks.count() == row.tickets.count() > 0
    assert sum(row.tickets.count() for row in Incident.objects.all()) == 48


class Paused:
    """Messages that wait once their tickets have their incident, before these are written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.joined = [threading.Event(), threading.Event()]
        self.go_on = [threading.Event(), threading.Event()]
        self._places = iter(range(2))
        self._join = join_incidents
        monkeypatch.setattr(created_trouble_tickets, "join_incidents", self)

    def __call__(self, *given: Any, **more: Any) -> None:
        self._join(*given, **more)
        place = next(self._places)
        self.joined[place].set()
        assert self.go_on[place].wait(15)


def test_a_restoration_waits_for_the_tickets_that_have_just_joined(
    crm: Crm, points: list[ServiceDeliveryPoint], monkeypatch: pytest.MonkeyPatch
):
    """The first message opens the incident, the second one finds it opened in this moment; neither is overlooked."""
    paused = Paused(monkeypatch)
    restored = threading.Event()

    def send(after: threading.Event | None = None) -> str:
        assert after is None or after.wait(15)
        return crm.create({"UsagePoint": {"mRID": "SDP-1"}, "callBack": True}).result

    def restore_it() -> Restored:
        assert paused.joined[1].wait(15)
        done = restore(Incident.objects.get())
        restored.set()
        return done

    def watch() -> bool:
        assert paused.joined[0].wait(15)
        time.sleep(0.3)  # until the second has come to the incident that the first has not committed
        paused.go_on[0].set()
        assert paused.joined[1].wait(15)
        early = restored.wait(0.5)
        paused.go_on[1].set()
        return early

    found = at_once([send, lambda: send(paused.joined[0]), restore_it, watch])
    assert found == ["OK", "OK", Restored(2, closed=False), False]
    assert Callback.objects.count() == Incident.objects.get().tickets.count() == 2


def test_two_preferred_at_once_leave_one():
    ticket = add_ticket(open_incident())
    rows = [contact(ticket, place, value=f"555 {place}") for place in range(4)]
    found = at_once([lambda row=row: contact_prefer(contact=row, preferred=True, actor="op") for row in rows])
    assert found == [None] * 4
    assert CallerContact.objects.filter(preferred=True).count() == 1


def test_changing_archiving_and_restoring_at_once_wait_for_each_other_in_one_order():
    rows = [open_incident() for _ in range(6)]
    for row in rows:
        add_tickets(row, 5)

    def sweep(rows: list[Incident]) -> str:
        for row in rows:
            try:
                change(row, comment="x")
                restore(row)
            except Conflict:
                pass
            incidents_archive(days=0)
        return "done"

    found = at_once([lambda: sweep(rows), lambda: sweep(rows[::-1]), lambda: sweep(rows)])
    assert found == ["done"] * 3
    assert Callback.objects.count() == 30


def test_messages_at_once_confirm_by_their_number_and_none_waits_for_the_others(
    crm: Crm, points: list[ServiceDeliveryPoint]
):
    crm_property("incident.confirm.tickets", "8")
    place = {"UsagePoint": {"mRID": "SDP-1"}}
    for _ in range(4):
        found = at_once([lambda: [crm.create(place).status for _ in range(2)]] * 4)
        assert found == [[200, 200]] * 4
        row = Incident.objects.get(restored_at=None)
        assert row.confirmed_at is not None
        restore(row)
