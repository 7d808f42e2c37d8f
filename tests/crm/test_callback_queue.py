"""The callback queue: who gets which, and whose results count (seed 004 chapters 7 and 8)."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from crm.models import Callback, Incident
from tests.crm.conftest import Crm, Plain, crm_property
from tests.crm.scene import State, add_callback, add_ticket, assigned, at_once, restored_incident

pytestmark = pytest.mark.django_db
QUEUE, AGENTS = 1000, 32


@pytest.fixture
def incident(db: None) -> Incident:
    """A restored one, whose callbacks these are."""
    return restored_incident()


def pulled(crm: Crm, csr: str = "csr7", /, **wanted: Any) -> list[str]:
    return [one["mRID"] for one in crm.pull(csr, **wanted).callbacks]


def keys(*rows: Callback) -> list[str]:
    return [str(row.pk) for row in rows]


def result(row: Callback, csr: str = "csr7", value: str = "Restored", **more: Any) -> Plain:
    return {"mRID": str(row.pk), "csrId": csr, "status": {"value": value}, **more}


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row


# -- which come first ----------------------------------------------------------------------------------------


def test_the_highest_priority_first_then_the_oldest(crm: Crm, incident: Incident):
    now = timezone.now()
    made = [
        add_callback(incident, priority=priority, created_at=now - timedelta(minutes=age))
        for priority, age in ((0, 9), (6, 1), (5, 8), (6, 2), (0, 10))
    ]
    expected = [made[place] for place in (3, 1, 2, 4, 0)]
    assert [pulled(crm)[0] for _ in made] == keys(*expected)


def test_one_where_no_count_is_given_and_as_many_as_are_asked_for(crm: Crm, incident: Incident):
    for _ in range(6):
        add_callback(incident)
    assert [len(pulled(crm, **wanted)) for wanted in ({}, {"count": 0}, {"count": 3}, {"count": 9})] == [
        1,
        1,
        3,
        1,
    ]


def test_no_more_than_the_limit_in_one_go(crm: Crm, incident: Incident):
    crm_property("callback.pull.limit", "2")
    for _ in range(3):
        add_callback(incident)
    assert len(pulled(crm, count=100)) == 2


def test_language_and_priority_narrow_the_queue(crm: Crm, incident: Incident):
    spanish = add_callback(incident, language_id=21514)
    high = add_callback(incident, priority=6)
    both = add_callback(incident, priority=6, language_id=21514)
    assert pulled(crm, languageId=21514, priority="6", count=9) == keys(both)
    assert pulled(crm, languageId=21514, count=9) == keys(spanish)
    assert crm.pull(languageId=21514).reasons == ["EntityNotFound"]
    assert pulled(crm, priority="6", count=9) == keys(high)


def test_automatic_ones_never_go_to_agents(crm: Crm, incident: Incident):
    add_callback(incident, automatic=True, priority=6)
    mine = add_callback(incident)
    assert pulled(crm, count=9) == keys(mine)
    assert crm.pull(priority="6").reasons == ["EntityNotFound"]


# -- who has which -------------------------------------------------------------------------------------------


def test_what_one_agent_has_no_other_gets(crm: Crm, incident: Incident):
    row = add_callback(incident)
    assert pulled(crm, "csr1") == keys(row)
    assert crm.pull("csr2").reasons == ["EntityNotFound"]
    assert crm.pull("csr1").reasons == ["EntityNotFound"]
    assert (fresh(row).state, row.assigned_to, row.times_assigned) == (State.ASSIGNED, "csr1", 1)


def test_what_is_not_closed_in_time_goes_to_the_next(crm: Crm, incident: Incident):
    crm_property("callback.release.minutes", "10")
    row = add_callback(incident)
    began = timezone.now()
    with time_machine.travel(began, tick=False):
        assert pulled(crm, "csr1") == keys(row)
    with time_machine.travel(began + timedelta(minutes=9, seconds=59), tick=False):
        assert pulled(crm, "csr2") == []
    with time_machine.travel(began + timedelta(minutes=10), tick=False):
        assert pulled(crm, "csr2") == keys(row)
        assert crm.report(result(row, "csr1")).reasons == ["DifferentCsrId"]
        assert crm.report(result(row, "csr2")).result == "OK"
    assert (fresh(row).times_assigned, row.state) == (2, State.CLOSED)


def test_one_that_was_not_reached_is_called_again_after_the_release_time(crm: Crm, incident: Incident):
    row = add_callback(incident)
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        pulled(crm)
        clock.shift(timedelta(minutes=20))
        assert crm.report(result(row, value="Busy")).result == "OK"
        clock.shift(timedelta(minutes=29))
        assert pulled(crm, "csr2") == []
        clock.shift(timedelta(minutes=1))
        assert pulled(crm, "csr2") == keys(row)


@pytest.mark.django_db(transaction=True)
def test_32_agents_empty_a_queue_of_1000_and_each_callback_goes_to_exactly_one(crm: Crm):
    incident = restored_incident()
    ticket = add_ticket(incident)
    Callback.objects.bulk_create(
        Callback(incident=incident, ticket=ticket, reason="Restored", language_id=1033, priority=place % 7)
        for place in range(QUEUE)
    )

    def agent(csr: str) -> Callable[[], list[str]]:
        def work() -> list[str]:
            got: list[str] = []
            while more := pulled(crm, csr, count=7):
                got += more
            return got

        return work

    names = [f"csr{number}" for number in range(AGENTS)]
    found = at_once([agent(name) for name in names])
    assert not [one for one in found if isinstance(one, Exception)]
    counted = Counter(key for one in found for key in one)
    assert (len(counted), set(counted.values())) == (QUEUE, {1})
    held = {str(key): csr for key, csr in Callback.objects.values_list("pk", "assigned_to")}
    assert held == {key: name for name, got in zip(names, found, strict=True) for key in got}
    assert set(Callback.objects.values_list("times_assigned", flat=True)) == {1}


# -- whose results count -------------------------------------------------------------------------------------


def test_a_result_of_another_agent_is_refused(crm: Crm, incident: Incident):
    row = assigned(add_callback(incident), "csr1")
    said = crm.report(result(row, "csr2"))
    assert (said.result, said.reasons) == ("FAILED", ["DifferentCsrId"])
    assert (fresh(row).state, row.result) == (State.ASSIGNED, "")


def test_a_result_for_one_that_nobody_has_is_refused(crm: Crm, incident: Incident):
    row = add_callback(incident)
    assert crm.report(result(row)).reasons == ["DifferentCsrId"]
    assert fresh(row).state == State.QUEUED


@pytest.mark.parametrize("csr", ["csr9", "IVR", "CrmAdapter"])
def test_anybody_s_result_is_taken_where_the_adapter_has_it(crm: Crm, incident: Incident, csr: str):
    row = assigned(add_callback(incident), "CrmAdapter")
    assert crm.report(result(row, csr)).result == "OK"
    assert (fresh(row).state, row.last_update_user) == (State.CLOSED, csr)
    assert fresh(incident).stage == "closed"


def test_one_result_each_of_a_message_is_judged_by_itself(crm: Crm, incident: Incident):
    mine, theirs = assigned(add_callback(incident), "csr7"), assigned(add_callback(incident), "csr1")
    said = crm.report(result(mine), result(theirs))
    assert (said.result, [one["status"]["value"] for one in said.results]) == (
        "PARTIAL",
        ["UPDATED", "FAILED"],
    )
    assert fresh(incident).stage == "restored"


@pytest.mark.django_db(transaction=True)
def test_two_last_results_at_once_close_the_incident(crm: Crm):
    for _ in range(5):
        incident = restored_incident()
        rows = [assigned(add_callback(incident), f"csr{number}") for number in range(2)]
        jobs = [lambda row=row: crm.report(result(row, row.assigned_to)).result for row in rows]
        assert at_once(jobs) == ["OK", "OK"]
        assert fresh(incident).stage == "closed"
