"""Closed incidents become archived ones, and what was kept long enough goes (seed 004 chapter 6)."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import Crew, Incident, Nonce, ReceivedMessage, TroubleTicket
from crm.services import crm_housekeep as housekeeping
from crm.services import incidents_archive as archiving
from crm.services.crm_housekeep import crm_housekeep
from crm.services.incidents_archive import Archived, incidents_archive
from integrations.models import AuditEntry
from integrations.services import chores
from integrations.services.beat import tasks
from integrations.services.chores import chore
from tests.crm.conftest import Crm, crm_property
from tests.crm.scene import add_ticket, closed_incident, open_incident, restored_incident, stories

pytestmark = pytest.mark.django_db


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


def archived() -> set[Incident]:
    return set(Incident.objects.filter(archived_at__isnull=False))


def test_what_was_closed_long_enough_ago_is_archived_with_its_tickets():
    old, young = closed_incident(ago(days=31), tickets=2), closed_incident(ago(days=29))
    now = timezone.now()
    assert incidents_archive(now=now) == Archived(1, 2)
    old.refresh_from_db()
    assert (old.stage, old.status, old.archived_at) == ("archived", "Archived", now)
    assert set(old.tickets.values_list("archived_at", flat=True)) == {now}
    assert archived() == {old}
    assert young.tickets.get().archived_at is None
    assert stories(old) == ["Archived by hub"]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.detail) == (
        "hub",
        "incidents_archive",
        {"incidents": 1, "tickets": 2},
    )


def test_the_days_and_the_status_are_settings():
    crm_property("incident.archive.days", "2")
    crm_property("incident.status.archived", "Filed")
    row = closed_incident(ago(days=2, minutes=1))
    closed_incident(ago(days=1))
    assert incidents_archive().incidents == 1
    assert archived() == {row}
    row.refresh_from_db()
    assert row.status == "Filed"


def test_the_days_can_be_said():
    closed_incident(ago(days=5))
    assert incidents_archive(days=6) == Archived(0, 0)
    assert incidents_archive(days=4) == Archived(1, 1)
    assert incidents_archive(days=0) == Archived(0, 0)


def test_what_is_open_or_restored_stays_however_old_it_is():
    then = ago(days=400)
    open_incident(created_at=then)
    restored_incident(restored_at=then)
    assert incidents_archive(days=0) == Archived(0, 0)
    assert not AuditEntry.objects.exists()


def test_those_that_are_named_are_archived_if_they_are_closed():
    now, other = closed_incident(timezone.now()), closed_incident(ago(days=90))
    rows = [now.pk, now.pk, open_incident().pk, restored_incident().pk]
    assert incidents_archive(incidents=rows, actor="op") == Archived(1, 1)
    assert archived() == {now}
    assert stories(now) == ["Archived by op"]
    assert incidents_archive(incidents=rows) == Archived(0, 0)
    assert incidents_archive(incidents=[]) == Archived(0, 0)
    other.refresh_from_db()
    assert other.stage == "closed"


def test_the_history_keeps_the_crews():
    row = closed_incident(ago(days=31))
    crew = Crew.objects.create(mrid="C1", name="North")
    row.crews.add(crew)
    incidents_archive()
    last = Incident.history.latest()
    assert (last.status, [one.crew_id for one in last.crews.all()]) == ("Archived", [crew.pk])


def test_many_are_archived_some_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archiving, "AT_ONCE", 3)
    for _ in range(7):
        closed_incident(ago(days=31))
    assert incidents_archive() == Archived(7, 7)
    assert AuditEntry.objects.count() == 1
    rows = [closed_incident(ago(days=31)).pk for _ in range(7)]
    assert incidents_archive(incidents=rows) == Archived(7, 7)


def test_a_batch_takes_a_constant_number_of_statements():
    def statements(count: int) -> int:
        for _ in range(count):
            closed_incident(ago(days=31))
        with CaptureQueriesContext(connection) as seen:
            assert incidents_archive().incidents == count
        return len(seen)

    _, few, many = statements(1), statements(2), statements(40)  # the first one reads the settings
    assert many <= few + 2  # SQLite splits what it inserts


def test_archived_tickets_leave_the_active_set_and_are_found_as_archived(crm: Crm):
    crm.create({"name": "T1"})
    row = Incident.objects.get()
    Incident.objects.update(restored_at=ago(days=40), closed_at=ago(days=40))
    assert len(crm.get("active", name="T1").tickets) == 1
    incidents_archive()
    assert len(crm.get("active", name="T1").tickets) == 0
    for context in ("archived", "all"):
        assert len(crm.get(context, name="T1").tickets) == 1
    assert crm.change({"name": "T1", "comment": "late"}).reasons == ["EntityNotFound"]
    row.refresh_from_db()
    assert row.stage == "archived"


# -- housekeeping --------------------------------------------------------------------------------------------


def message(**given: Any) -> ReceivedMessage:
    return ReceivedMessage.objects.create(operation="CreatedTroubleTickets", transport="rest", **given)


def test_old_messages_go_and_their_tickets_stay():
    old, young = message(received_at=ago(days=31)), message(received_at=ago(days=29))
    incident = open_incident()
    tickets = [add_ticket(incident, message=one) for one in (old, old, young)]
    assert crm_housekeep()["messages deleted"] == 1
    assert set(ReceivedMessage.objects.all()) == {young}
    found = dict(TroubleTicket.objects.values_list("pk", "message"))
    assert found == {tickets[0].pk: None, tickets[1].pk: None, tickets[2].pk: young.pk}


def test_how_long_messages_are_kept_is_a_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(housekeeping, "AT_ONCE", 2)
    crm_property("message.retention.days", "3")
    for days in (2, 4, 5, 6, 7, 8):
        message(received_at=ago(days=days))
    assert crm_housekeep()["messages deleted"] == 5


def test_nonces_go_after_a_day(crm: Crm):
    for hours in (23, 25, 26):
        Nonce.objects.create(client=crm.client, value=str(hours), seen_at=ago(hours=hours))
    assert crm_housekeep()["nonces deleted"] == 2
    assert Nonce.objects.get().value == "23"


def test_housekeeping_says_what_it_did():
    closed_incident(ago(days=31), tickets=3)
    message(received_at=ago(days=31))
    said = StringIO()
    call_command("crm_housekeep", stdout=said)
    assert said.getvalue() == (
        "1 incidents archived, 3 tickets archived, 1 messages deleted, 0 nonces deleted\n"
    )
    assert set(crm_housekeep().values()) == {0}


def test_on_the_standby_site_nothing_is_written():
    closed_incident(ago(days=31))
    crm_property("site.active", "false")
    assert crm_housekeep() == {}
    said = StringIO()
    call_command("crm_housekeep", stdout=said)
    assert said.getvalue().startswith("This site is the standby")
    assert archived() == set()


def test_the_beat_housekeeps_every_hour():
    closed_incident(ago(days=31))
    (task,) = (one for one in tasks() if one.name == "crm housekeeping")
    assert task.every == 3600
    task.do()
    assert len(archived()) == 1


def test_of_two_chores_of_one_name_the_later_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chores, "_chores", {})
    chore("sweep the yard", 5, lambda: 1)
    chore("sweep the yard", 7, lambda: 2)
    assert [(one.name, one.every, one.do()) for one in chores.chores()] == [("sweep the yard", 7, 2)]
    assert [task.name for task in tasks()].count("sweep the yard") == 1
