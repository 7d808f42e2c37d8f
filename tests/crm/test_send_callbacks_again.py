"""The flow SendCallbacks: much to do, nothing to do, and what a retry and a resubmission send (seed 004 chapter 9)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import Callback, Incident, ServiceDeliveryPoint
from crm.outage.callback_queue import Wanted, assign
from crm.services.callbacks_release import callbacks_release
from crm.services.incident_restore import incident_restore
from demo import soap
from demo.ivr import FAILED, PATH
from integrations.engine.runner import work_on
from integrations.models import BusinessKey, ErrorInstance, Flow, Instance, Schedule, Step
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import FlowNotReady, flow_activate
from integrations.services.instance_resubmit import instance_resubmit
from integrations.services.purge import purge
from tests.crm.conftest import Crm, crm_property
from tests.crm.ivr import (
    FLOW,
    Listening,
    State,
    again,
    messages,
    mrids,
    over,
    point_at,
    queued,
    resubmitted,
    run,
    running_ivr,
    sent,
    worked,
)
from tests.flows.conftest import lines, mails


@pytest.fixture
def ivr(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    """The IVR, to which callbacks are sent."""
    with running_ivr(monkeypatch) as running:
        yield running


def test_restored_incidents_come_all_the_way(ivr: Listening, crm: Crm, points: list[ServiceDeliveryPoint]):
    crm.create({"callBack": True, "UsagePoint": {"mRID": "SDP-2"}})
    incident_restore(incident=Incident.objects.get(), actor="olga")
    run()
    (one,) = ivr.callbacks().values()
    assert one.reason == "Restored"
    said = crm.report({"mRID": one.mrid, "csrId": "IVR", "status": {"value": "Restored"}})
    assert said.result == "OK"
    assert Incident.objects.get().status == "Closed"


def test_messages_are_of_the_configured_size_and_all_are_sent(ivr: Listening):
    crm_property("ivr.batch", "2")
    rows = queued(6, 6, 6, 5, 5)
    done = run()
    assert sent(ivr) == [mrids(*rows[:2]), mrids(*rows[2:4]), mrids(rows[4])]
    assert done.status == "succeeded"
    assert len({soap.text_at(one, "Header/MessageID") for one in messages(ivr)}) == 3


# -- nothing to do ---------------------------------------------------------------------------------------


def test_nothing_to_send_is_skipped_and_the_ivr_not_asked(ivr: Listening):
    queued(4)
    instance = flow_run(flow=Flow.objects.get(identifier=FLOW), parameters={}, actor="olga")
    with CaptureQueriesContext(connection) as asked:
        work_on(instance.pk)
    instance.refresh_from_db()
    assert (instance.status, ivr.received()) == ("skipped", [])
    assert not Step.objects.exists()
    assert not mails("error") + mails("process-complete") + mails("no-file")
    # Tests look for changed lookups with each question, a hub that runs twice a second.
    own = [one["sql"] for one in asked if "lookups_" not in one["sql"] and "SAVEPOINT" not in one["sql"]]
    assert len(own) <= 14


def test_the_standby_sends_nothing(ivr: Listening):
    (row,) = queued(6)
    crm_property("site.active", "false")
    assert run().status == "skipped"
    assert again(row).state == State.QUEUED


# -- again -----------------------------------------------------------------------------------------------


def test_a_retry_sends_the_same_callbacks_under_the_same_message_id(ivr: Listening):
    point_at(ivr.url + PATH, retries=2)
    (row,) = queued(6)
    ivr.fail("cut", 1)  # it was taken, and the answer lost
    waiting = run()
    assert waiting.status == "waiting"
    (newer,) = queued(6)
    assert worked(waiting).status == "succeeded"
    assert sent(ivr) == [mrids(row), mrids(row)]
    first, second = (soap.text_at(one, "Header/MessageID") for one in messages(ivr))
    assert first == second
    assert ivr.callbacks()[str(row.pk)].times == 1  # it knew the message
    assert again(newer).state == State.QUEUED  # the next run's


def test_a_resubmission_sends_the_same_and_no_others(ivr: Listening):
    (row,) = queued(6)
    ivr.answer_with(FAILED, 1)
    failed = run()
    (newer,) = queued(6)
    done = resubmitted(failed)
    assert done.status == "succeeded"
    assert sent(ivr) == [mrids(row), mrids(row)]
    assert again(newer).state == State.QUEUED
    assert ErrorInstance.objects.get().state == "recovered"
    assert again(row).times_assigned == 1


def test_a_resubmission_after_the_time_is_over_takes_them_again(ivr: Listening):
    (row,) = queued(6)
    ivr.answer_with(FAILED, 1)
    failed = run()
    over(row)
    assert resubmitted(failed).status == "succeeded"
    assert sent(ivr)[-1] == mrids(row)
    release_at = again(row).release_at
    assert release_at is not None
    assert release_at > timezone.now() + timedelta(minutes=29)


def test_a_resubmission_leaves_out_what_others_have_or_what_is_done(ivr: Listening):
    agents, closed, freed, told, left = queued(6, 6, 6, 6, 6)
    ivr.answer_with(FAILED, 1)
    failed = run()
    Callback.objects.filter(pk=closed.pk).update(state=State.CLOSED)
    callbacks_release(callbacks=[freed.pk], actor="olga")
    Callback.objects.filter(pk=told.pk).update(result="No Answer", result_at=timezone.now())
    over(agents)
    assert [one.pk for one in assign(Wanted(1), to="csr7", minutes=30, now=timezone.now())] == [agents.pk]
    done = resubmitted(failed)
    assert sent(ivr)[-1] == mrids(left)
    assert any(line.startswith("4 callbacks are closed, with an agent") for line in lines(done))
    assert again(agents).assigned_to == "csr7"
    assert again(freed).state == State.QUEUED


def test_a_resubmission_of_which_nothing_is_left_is_skipped(ivr: Listening):
    (row,) = queued(6)
    ivr.answer_with(FAILED, 1)
    failed = run()
    Callback.objects.update(state=State.CLOSED)
    assert resubmitted(failed).status == "skipped"
    assert sent(ivr) == [mrids(row)]


def test_a_retry_after_the_time_is_over_sends_nothing_an_agent_could_have(ivr: Listening):
    point_at(ivr.url + PATH, retries=1)
    (row,) = queued(6)
    ivr.fail("down", 1)
    waiting = run()
    over(row)
    assert worked(waiting).status == "skipped"
    assert sent(ivr) == []


def test_what_another_run_has_taken_meanwhile_is_not_sent_by_the_first(ivr: Listening):
    (row,) = queued(6)
    ivr.answer_with(FAILED, 1)
    failed = run()
    over(row)
    assert run().status == "succeeded"
    assert resubmitted(failed).status == "skipped"
    assert ivr.callbacks()[str(row.pk)].times == 1


def test_messages_that_went_through_are_not_sent_again(ivr: Listening):
    crm_property("ivr.batch", "1")
    first, second = queued(6, 6)
    answer = ivr._take

    def fails_later(envelope: Any) -> Any:
        ivr.answer_with("OK" if len(ivr.callbacks()) < 1 else FAILED, 1)
        return answer(envelope)

    ivr._take = fails_later  # type: ignore[method-assign]  # the second message fails
    failed = run()
    assert failed.status == "failed"
    ivr._take = answer  # type: ignore[method-assign]  # as it was
    assert resubmitted(failed).status == "succeeded"
    assert sent(ivr) == [mrids(first), mrids(second), mrids(second)]


def test_a_resubmission_from_the_start_takes_anew(ivr: Listening):
    (row,) = queued(6)
    ivr.answer_with(FAILED, 1)
    failed = run()
    over(row)
    (newer,) = queued(5)
    worked(instance_resubmit(instance=failed, actor="olga", from_start=True))
    assert sent(ivr)[-1] == mrids(row, newer)


def test_a_worker_that_dies_between_taking_and_sending_loses_nothing(
    ivr: Listening, monkeypatch: pytest.MonkeyPatch
):
    class Dies(BaseException):
        pass

    def die(name: str) -> None:
        if name == "after_intent":
            raise Dies

    (row,) = queued(6)
    with monkeypatch.context() as patched:
        patched.setattr("integrations.engine.steps.crash", die)
        with pytest.raises(Dies):
            run()
    instance = Instance.objects.get(flow__identifier=FLOW)
    assert (instance.status, again(row).state) == ("running", State.ASSIGNED)
    (newer,) = queued(6)
    Instance.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work_on(instance.pk)
    instance.refresh_from_db()
    assert (instance.status, sent(ivr)) == ("succeeded", [mrids(row)])
    assert again(newer).state == State.QUEUED


def test_the_taking_is_undone_with_its_record(ivr: Listening, monkeypatch: pytest.MonkeyPatch):
    """A worker that dies before the record is written has assigned nothing."""

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the worker died")

    (row,) = queued(6)
    with monkeypatch.context() as patched:
        patched.setattr("integrations.engine.steps.Step.objects.create", fails)
        assert run().status == "failed"
    assert again(row).state == State.QUEUED


# -- in the console --------------------------------------------------------------------------------------


def test_the_instance_is_found_by_its_callbacks(ivr: Listening):
    (row,) = queued(6)
    done = run()
    assert BusinessKey.objects.get(value=str(row.pk)).instance == done


@pytest.mark.django_db
def test_it_ships_with_a_schedule_that_a_person_switches_on():
    schedule = Schedule.objects.get(flow__identifier=FLOW)
    assert (schedule.cron, schedule.enabled) == ("* * * * *", False)


@pytest.mark.django_db
def test_it_is_switched_on_once_the_ivr_has_an_address():
    flow = Flow.objects.get(identifier=FLOW)
    with pytest.raises(FlowNotReady, match="Address"):
        flow_activate(flow=flow, actor="olga")
    point_at("https://ivr.example.org/SendCallBacks")
    flow_activate(flow=flow, actor="olga")
    assert flow.active


def test_purged_it_is_forgotten_as_others_are(ivr: Listening):
    queued(6)
    done = run()
    Instance.objects.filter(pk=done.pk).update(ended_at=timezone.now() - timedelta(days=4000))
    assert purge().instances == 1
