"""Incidents are restored, and those who asked for it are called back (seed 004 chapters 3 and 8)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import Callback, Crew, Incident, ServiceDeliveryPoint
from crm.services.incident_confirm import incident_confirm
from crm.services.incident_restore import Restored, incident_restore
from integrations.engine.faults import Conflict, Fault, InvalidMessage
from integrations.models import AuditEntry
from tests.crm.conftest import Crm, crm_property
from tests.crm.scene import (
    ETR,
    RESTORED,
    add_callback,
    add_ticket,
    add_tickets,
    assigned,
    open_incident,
    stories,
)

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=2)


@pytest.fixture
def incident(db: None) -> Incident:
    """An open one."""
    return open_incident()


def restore(incident: Incident, **given: Any) -> Restored:
    return incident_restore(incident=incident, actor="op", **given)


def reasons() -> list[str]:
    return list(Callback.objects.order_by("pk").values_list("reason", flat=True))


def test_restoring_calls_those_back_who_asked(incident: Incident):
    point = ServiceDeliveryPoint.objects.create(mrid="P", customer_priority=6)
    add_ticket(incident, service_point=point)
    add_ticket(incident, language_id=21514)
    add_ticket(incident, call_back=False)
    assert restore(incident) == Restored(2, closed=False)
    assert incident.stage == "restored"
    assert (incident.status, incident.confirmed_at) == ("Field Completed", incident.restored_at)
    rows = Callback.objects.order_by("-priority")
    assert [(row.reason, row.priority, row.language_id) for row in rows] == [
        (RESTORED, 6, 1033),
        (RESTORED, 0, 21514),
    ]
    assert stories(incident) == ["Restored by op"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail["callbacks"], entry.detail["closed"]) == ("incident_restore", 2, False)


def test_of_one_priority_the_first_caller_is_called_first(crm: Crm, incident: Incident):
    add_tickets(incident, 40)
    restore(incident)
    rows = Callback.objects.all()
    assert [row.ticket_id for row in rows] == sorted(row.ticket_id for row in rows)
    assert [one["mRID"] for one in crm.pull(count=40).callbacks] == [str(row.pk) for row in rows]


def test_with_nobody_to_call_the_incident_closes_at_once(incident: Incident):
    add_ticket(incident, call_back=False)
    assert restore(incident) == Restored(0, closed=True)
    assert (incident.stage, incident.status) == ("closed", "Closed")
    assert stories(incident) == ["Restored by op", "Closed: no callback is left"]


def test_the_history_of_closing_keeps_the_crews(incident: Incident):
    crew = Crew.objects.create(mrid="C1", name="North")
    incident.crews.add(crew)
    restore(incident)
    last = Incident.history.latest()
    assert (last.status, last.closed_at) == ("Closed", incident.closed_at)
    assert [one.crew_id for one in last.crews.all()] == [crew.pk]


def test_statuses_and_reasons_are_settings(incident: Incident):
    crm_property("incident.status.restored", "Back on")
    crm_property("callback.reason.restored", "Power is back")
    add_ticket(incident)
    restore(incident)
    assert (incident.status, reasons()) == ("Back on", ["Power is back"])


def test_it_was_restored_when_the_operator_says(incident: Incident):
    at = timezone.now() - timedelta(minutes=20)
    restore(incident, at=at)
    assert incident.restored_at == at
    assert incident.closed_at is not None
    assert incident.closed_at > at


@pytest.mark.parametrize("shift", [timedelta(minutes=1), timedelta(days=400)])
def test_it_cannot_have_been_restored_in_the_future(incident: Incident, shift: timedelta):
    with pytest.raises(InvalidMessage, match="is still to come") as caught:
        restore(incident, at=timezone.now() + shift)
    assert caught.value.hint == "Set the estimated restoration instead."
    with pytest.raises(InvalidMessage, match="has no time zone"):
        restore(incident, at=datetime(2020, 1, 1))  # noqa: DTZ001
    incident.refresh_from_db()
    assert incident.stage == "open"


def test_a_confirmation_that_was_there_stays(incident: Incident):
    incident_confirm(incident=incident, actor="op")
    at = incident.confirmed_at
    restore(incident)
    assert incident.confirmed_at == at


def test_a_second_click_restores_nothing(incident: Incident):
    add_ticket(incident)
    same = Incident.objects.get()
    restore(incident)
    with pytest.raises(Conflict, match="is restored already") as caught:
        restore(same)
    assert isinstance(caught.value, Fault)
    assert reasons() == [RESTORED]


def test_calls_about_the_estimate_become_calls_about_the_restoration(incident: Incident):
    waiting, over, held, done = (add_ticket(incident) for _ in range(4))
    add_callback(incident, waiting, reason=ETR, automatic=True)
    past = timezone.now() - LATER
    assigned(add_callback(incident, over, reason=ETR), to="slow", release_at=past)
    assigned(add_callback(incident, held, reason=ETR), to="csr7")
    add_callback(incident, done, reason=ETR, state="closed")
    assert restore(incident) == Restored(4, closed=False)
    found = {
        row.pk: sorted(row.callbacks.values_list("reason", "state", "assigned_to"))
        for row in (waiting, over, held, done)
    }
    queued = (RESTORED, "queued", "")
    assert found == {
        waiting.pk: [queued],
        over.pk: [queued],
        held.pk: [(ETR, "assigned", "csr7"), queued],
        done.pk: [(ETR, "closed", ""), queued],
    }
    assert Callback.objects.get(ticket=waiting).automatic


def test_calls_of_other_incidents_stay_what_they_are(incident: Incident):
    add_callback(open_incident(), reason=ETR)
    restore(incident)
    assert reasons() == [ETR]


def test_the_last_result_closes_the_incident(crm: Crm, incident: Incident):
    add_tickets(incident, 2)
    restore(incident)
    for left in (1, 0):
        (call,) = crm.pull().callbacks
        result = {"mRID": call["mRID"], "csrId": "csr7", "status": {"value": "Restored"}}
        assert crm.report(result).result == "OK"
        incident.refresh_from_db()
        assert incident.stage == ("restored" if left else "closed")


def test_a_restoration_takes_a_statement_for_a_thousand_calls_and_none_for_each():
    def statements(count: int) -> int:
        row = open_incident()
        add_tickets(row, count)
        tickets = row.tickets.all()[: count // 2]
        Callback.objects.bulk_create(
            Callback(incident=row, ticket=ticket, reason=ETR, language_id=1033) for ticket in tickets
        )
        with CaptureQueriesContext(connection) as seen:
            assert restore(row) == Restored(count, closed=False)
        return len(seen)

    _, few, many = statements(2), statements(20), statements(2400)  # the first one reads the settings
    assert many == few + 1


def test_after_a_restoration_a_new_call_opens_a_new_incident(crm: Crm, points: list[ServiceDeliveryPoint]):
    crm.create({"UsagePoint": {"mRID": "SDP-1"}, "callBack": True})
    first = Incident.objects.get()
    restore(first)
    crm.create({"UsagePoint": {"mRID": "SDP-1"}, "callBack": True})
    second = Incident.objects.exclude(pk=first.pk).get()
    assert (second.stage, second.tickets.count(), first.tickets.count()) == ("open", 1, 1)
