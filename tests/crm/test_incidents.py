"""What operators say of incidents, and what follows from it (seed 004 chapters 3 and 9)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Callback, Crew, Incident, ServiceDeliveryPoint
from crm.services.incident_change import Changed, incident_change
from crm.services.incident_confirm import incident_confirm
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import AuditEntry
from tests.crm.conftest import Crm, crm_property
from tests.crm.scene import (
    ETR,
    add_ticket,
    assigned,
    closed_incident,
    open_incident,
    restored_incident,
    stories,
)

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=2)


@pytest.fixture
def incident(db: None) -> Incident:
    """An open one."""
    return open_incident()


@pytest.fixture
def calls_on_etr(db: None) -> None:
    """A changed estimated restoration is told."""
    crm_property("callback.on.etr.change", "true")


def change(incident: Incident, **given: Any) -> Changed:
    return incident_change(incident=incident, actor="op", **given)


# -- changing -------------------------------------------------------------------------------------------------


def test_what_is_given_is_changed_and_the_rest_left_alone(incident: Incident):
    Crew.objects.create(mrid="C1", name="North")
    at = timezone.now() + LATER
    given = {"comment": "Tree on line", "cause": "Weather", "subcause": "Wind", "status": "Assigned"}
    done = change(incident, estimated_restoration_at=at, crews=list(Crew.objects.all()), **given)
    assert set(done.fields) == {*given, "estimated_restoration_at", "crews", "confirmed_at"}
    again = Incident.objects.get()
    assert {name: getattr(again, name) for name in given} == given
    assert (again.estimated_restoration_at, [str(crew) for crew in again.crews.all()]) == (at, ["North"])
    assert change(incident, cause="Animal").fields == ("cause",)
    again.refresh_from_db()
    assert (again.cause, again.comment, again.crews.count()) == ("Animal", "Tree on line", 1)


def test_an_estimated_restoration_is_taken_back_with_none(incident: Incident):
    change(incident, estimated_restoration_at=timezone.now() + LATER)
    change(incident, cause="Weather")
    assert incident.estimated_restoration_at is not None
    assert change(incident, estimated_restoration_at=None).fields == ("estimated_restoration_at",)
    assert Incident.objects.get().estimated_restoration_at is None


def test_the_same_values_again_change_nothing_and_leave_no_trace(incident: Incident):
    crew = Crew.objects.create(mrid="C1", name="North")
    given = {"comment": "One\r\ntwo", "status": "Assigned", "crews": [crew]}
    change(incident, **given)
    assert change(incident, **given) == Changed((), 0)
    assert change(incident, status="assigned") == Changed(())  # in another spelling
    assert (len(stories(incident)), AuditEntry.objects.count()) == (1, 1)


def test_the_history_has_one_entry_a_change_with_the_crews(incident: Incident):
    north, south = (Crew.objects.create(mrid=name, name=name) for name in ("N", "S"))
    change(incident, cause="Weather", crews=[north])
    change(incident, crews=[south])
    change(incident, crews=[])
    assert stories(incident) == ["Changed by op"] * 3
    rows = Incident.history.order_by("history_id")
    assert [[one.crew_id for one in row.crews.all()] for row in rows] == [[north.pk], [south.pk], []]


def test_the_audit_trail_says_who_changed_what(incident: Incident):
    crew = Crew.objects.create(mrid="C1", name="North")
    at = timezone.now() + LATER
    change(incident, cause="Weather", crews=[crew], estimated_restoration_at=at)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("op", "incident_change", f"incident:{incident.pk}")
    assert entry.detail == {
        "cause": "Weather",
        "crews": ["C1"],
        "estimated_restoration_at": at.isoformat(),
    }


@pytest.mark.parametrize("status", ["Assigned", "en route", "ARRIVED", "EN_ROUTE"])
def test_a_status_other_than_the_first_confirms(incident: Incident, status: str):
    assert "confirmed_at" in change(incident, status=status).fields
    assert incident.confirmed_at is not None
    assert incident.status.casefold() == status.casefold().replace("_", " ")


def test_the_first_status_confirms_nothing_and_takes_no_confirmation_back(incident: Incident):
    incident_confirm(incident=incident, actor="op")
    at = incident.confirmed_at
    change(incident, status="Assigned")
    change(incident, status="New")
    assert incident.confirmed_at == at
    other = open_incident(confirmed_at=None)
    change(other, status="New", cause="x")
    assert other.confirmed_at is None


def test_an_operator_confirms_and_takes_it_back(incident: Incident):
    assert change(incident, confirmed=True).fields == ("confirmed_at",)
    assert change(incident, confirmed=True) == Changed(())
    assert change(incident, confirmed=False).fields == ("confirmed_at",)
    assert incident.confirmed_at is None
    change(incident, status="Assigned")
    with pytest.raises(InvalidMessage, match="An incident that is Assigned is confirmed") as caught:
        change(incident, confirmed=False)
    assert caught.value.hint == "Set its status to New as well to take its confirmation back."
    change(incident, confirmed=False, status="New")
    assert incident.confirmed_at is None


@pytest.mark.parametrize("status", ["Closed", "Field Completed", "Nonsense", ""])
def test_a_status_that_operators_do_not_set_is_refused(incident: Incident, status: str):
    with pytest.raises(InvalidMessage, match="is no status that an operator sets") as caught:
        change(incident, status=status, cause="Weather")
    assert "New, In Progress, Assigned" in caught.value.hint
    assert Incident.objects.get().cause == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"comment": "x" * 501}, "Comment has 501 characters, 500 are the most"),
        ({"cause": "x" * 101}, "Cause has 101 characters"),
        ({"comment": "bell \a"}, r"Comment has a control character \(U\+0007\) at 6"),
        ({"subcause": "\x00"}, r"Subcause has a control character \(U\+0000\) at 1"),
        ({"estimated_restoration_at": datetime(2030, 1, 1)}, "has no time zone"),  # noqa: DTZ001
    ],
)
def test_a_value_that_could_not_go_out_is_refused(incident: Incident, given: dict[str, Any], said: str):
    with pytest.raises(InvalidMessage, match=said):
        change(incident, **given)
    assert stories(incident) == []


def test_only_the_comment_of_a_restored_incident_can_be_changed():
    row = restored_incident(cause="Weather")
    assert change(row, comment="Thank you", cause="Weather").fields == ("comment",)
    for given in ({"cause": "x"}, {"status": "New"}, {"confirmed": True}, {"crews": [Crew(pk=1)]}):
        with pytest.raises(Conflict, match="is restored already") as caught:
            change(row, comment="More", **given)
        assert caught.value.hint == "Its comment can, until it is closed."
    assert Incident.objects.get().comment == "Thank you"


def test_a_closed_incident_cannot_be_changed():
    row = closed_incident(timezone.now())
    with pytest.raises(Conflict, match="is closed already and cannot be changed"):
        change(row, comment="x")
    assert change(row, comment="", status="Closed") == Changed(())


def test_an_incident_that_is_gone_is_said(incident: Incident):
    Incident.objects.all().delete()
    with pytest.raises(Conflict, match="There is no incident"):
        change(incident, comment="x")


# -- a new estimated restoration ------------------------------------------------------------------------------


def test_a_new_estimated_restoration_calls_nobody_by_default(incident: Incident):
    add_ticket(incident)
    assert change(incident, estimated_restoration_at=timezone.now() + LATER).callbacks == 0
    assert not Callback.objects.exists()


def test_a_new_estimated_restoration_is_told_who_asked(incident: Incident, calls_on_etr: None):
    point = ServiceDeliveryPoint.objects.create(mrid="P", customer_priority=5)
    add_ticket(incident, service_point=point, language_id=21514)
    add_ticket(incident, call_back=False)
    add_ticket(open_incident())
    add_ticket(incident, archived_at=timezone.now())
    assert change(incident, estimated_restoration_at=timezone.now() + LATER).callbacks == 1
    row = Callback.objects.get()
    assert (row.reason, row.priority, row.language_id, row.state) == (ETR, 5, 21514, "queued")
    assert (row.incident, row.automatic, row.assigned_to) == (incident, False, "")
    assert AuditEntry.objects.get().detail["callbacks"] == 1


def test_a_second_estimate_is_no_second_call_for_those_who_wait(incident: Incident, calls_on_etr: None):
    for _ in range(3):
        add_ticket(incident)
    at = timezone.now() + LATER
    assert change(incident, estimated_restoration_at=at).callbacks == 3
    assert change(incident, estimated_restoration_at=at + LATER).callbacks == 0
    first, second, _ = Callback.objects.order_by("pk")
    assigned(first)  # has been told the former one by now
    assigned(second, release_at=timezone.now() - LATER)  # waits again
    assert change(incident, estimated_restoration_at=at).callbacks == 1
    assert Callback.objects.filter(ticket=first.ticket).count() == 2


def test_other_changes_call_nobody(incident: Incident, calls_on_etr: None):
    add_ticket(incident)
    at = timezone.now() + LATER
    incident.estimated_restoration_at = at
    incident.save()
    assert change(incident, status="Assigned", estimated_restoration_at=at).callbacks == 0


# -- confirming -----------------------------------------------------------------------------------------------


def test_confirming_makes_its_service_points_deenergized(crm: Crm, points: list[ServiceDeliveryPoint]):
    place = {"UsagePoint": {"mRID": "SDP-1"}}
    (before,) = crm.create(place).tickets
    incident_confirm(incident=Incident.objects.get(), actor="op")
    (after,) = crm.create(place).tickets
    assert [one["status"]["value"] for one in (before, after)] == ["ENERGIZED", "DEENERGIZED"]
    assert stories(Incident.objects.get()) == ["Confirmed by op"]
    assert AuditEntry.objects.filter(action="incident_confirm").count() == 1


def test_what_is_confirmed_or_restored_is_not_confirmed(incident: Incident):
    incident_confirm(incident=incident, actor="op")
    with pytest.raises(Conflict, match="is confirmed already"):
        incident_confirm(incident=incident, actor="op")
    with pytest.raises(Conflict, match="is restored already"):
        incident_confirm(incident=restored_incident(), actor="op")
