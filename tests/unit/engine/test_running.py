"""Submitting, claiming, running, failing, resubmitting: the life of an instance."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.engine import leases, recovery, registry, wake
from integrations.engine.faults import (
    BusinessFault,
    Conflict,
    Inactive,
    InvalidMessage,
    LeaseLost,
    RemoteFault,
    UnknownFlow,
)
from integrations.engine.leases import Released
from integrations.engine.runner import work_on
from integrations.engine.spec import HOLD, SYNCHRONOUS, registered
from integrations.engine.steps import take_step
from integrations.models import Attempt, ErrorInstance, Instance, Notification, Step
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit, resubmit_refusal
from integrations.services.instance_submit import instance_submit
from lookups.models import Row


def submit(client, message=None, identifier="TEST-FLOW", **more):
    body = json.dumps({} if message is None else message).encode()
    return instance_submit(
        identifier=identifier, resource="go", version="1.0", message=body, client=client, **more
    )


def worked(instance: Instance) -> Instance:
    work_on(instance.pk)
    instance.refresh_from_db()
    return instance


def expire(instance: Instance) -> None:
    """Its worker died: the lease runs out."""
    Instance.objects.filter(pk=instance.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_message_is_stored_queued_and_run(make_flow, client):
    make_flow(lambda run, message: {"got": message["a"]})
    instance = submit(client, {"a": 1}).instance
    assert instance.status == "ready"
    assert worked(instance).status == "succeeded"
    assert instance.attempts.get().outcome == "succeeded"


def test_a_queue_that_is_down_loses_nothing(make_flow, client, monkeypatch):
    def down(*_, **__):
        raise ConnectionError("redis is down")

    monkeypatch.setattr(wake, "async_task", down)
    make_flow(lambda run, message: None)
    instance = submit(client).instance
    assert Instance.objects.get().status == "ready"
    monkeypatch.undo()
    Instance.objects.update(woken_at=None)
    assert recovery.sweep() == 1
    assert worked(instance).status == "succeeded"


def test_an_id_that_comes_twice_runs_once(make_flow, client):
    ran = []
    make_flow(lambda run, message: ran.append(1))
    instance = submit(client).instance
    work_on(instance.pk)
    work_on(instance.pk)
    assert ran == [1]


def test_two_workers_take_an_instance_once(make_flow, client):
    ran = []
    make_flow(lambda run, message: ran.append(1))
    instance = submit(client).instance

    def work() -> None:
        work_on(instance.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]
    assert Attempt.objects.count() == 1


def test_a_passing_fault_waits_and_is_tried_again(make_flow, client):
    def body(run, message):
        run.allows_retries(1)
        if run.instance.retries == 0:
            raise RemoteFault("down for a moment", passing=True)

    make_flow(body)
    instance = worked(submit(client).instance)
    assert (instance.status, instance.retries) == ("waiting", 1)
    assert not Notification.objects.exists()
    Instance.objects.update(due_at=timezone.now())
    assert worked(instance).status == "succeeded"


def test_the_error_mail_goes_out_once_after_the_last_attempt(make_flow, client):
    def body(run, message):
        run.allows_retries(2)
        raise RemoteFault("down", passing=True)

    make_flow(body)
    instance = submit(client).instance
    for _ in range(3):
        Instance.objects.update(due_at=timezone.now())
        worked(instance)
    assert instance.status == "failed"
    assert Notification.objects.filter(kind="error").count() == 1
    assert instance.error.fault_class == "remote"


def test_errors_of_one_cause_are_one_family(make_flow, client):
    def body(run, message):
        raise BusinessFault(f"order {message['order']} is refused")

    make_flow(body)
    for order in (17, 4711):
        worked(submit(client, {"order": order}).instance)
    family = ErrorInstance.objects.values_list("family", flat=True).distinct().get()
    assert ErrorInstance.objects.filter(family=family).count() == 2
    assert ErrorInstance.objects.first().family.count == 2


def test_a_fault_nobody_foresaw_is_an_error_that_names_its_type(make_flow, client):
    make_flow(lambda run, message: {}["missing"])
    instance = worked(submit(client).instance)
    assert (instance.fault_code, instance.fault_text) == ("HUB-BUG", "KeyError: 'missing'")


def test_a_broken_error_handler_does_not_hide_the_fault(make_flow, client):
    def body(run, message):
        raise BusinessFault("no")

    make_flow(body)
    for row in Row.objects.filter(lookup__name="OUTL-BRT-CCS_DACS_Email_ID"):
        row.delete()
    instance = worked(submit(client).instance)
    assert (instance.status, instance.fault_text) == ("failed", "no")
    assert instance.activities.filter(text__contains="error handler could not tell anybody").exists()


def test_a_dead_worker_s_instance_is_claimed_again(make_flow, client):
    make_flow(lambda run, message: None)
    instance = submit(client).instance
    leases.claim(instance.pk)
    assert leases.claim(instance.pk) is None
    expire(instance)
    assert worked(instance).status == "succeeded"
    assert [attempt.outcome for attempt in instance.attempts.all()] == ["crashed", "succeeded"]


def test_what_kills_five_workers_is_an_error_that_says_so(make_flow, client):
    make_flow(lambda run, message: None)
    instance = submit(client).instance
    for _ in range(5):
        leases.claim(instance.pk)
        expire(instance)
    assert worked(instance).status == "failed"
    assert instance.fault_text == "worker died 5 times"


def test_a_late_worker_s_result_is_recorded_as_fenced_and_not_applied(make_flow, client):
    def body(run, message):
        if run.claim.fence == 1:
            expire(run.instance)
            leases.claim(run.instance.pk)
        return {"from": run.claim.fence}

    make_flow(body)
    instance = worked(submit(client).instance)
    assert instance.status == "running"
    assert [attempt.outcome for attempt in instance.attempts.all()] == ["fenced", "running"]
    assert instance.answer is None


def test_a_lost_lease_stops_the_work_before_its_next_effect(make_flow, client):
    done = []

    def body(run, message):
        expire(run.instance)
        leases.claim(run.instance.pk)
        run.claim.renewed -= 3600
        take_step(run, "effect", lambda repeat: done.append(1))

    make_flow(body)
    worked(submit(client).instance)
    assert done == []


def test_at_shutdown_work_is_given_back_and_no_crash_is_counted(make_flow, client, tmp_path, monkeypatch):
    stop = tmp_path / "stop"
    monkeypatch.setenv("HUB_STOP_FILE", str(stop))

    def body(run, message):
        stop.touch()
        run.claim.check()

    make_flow(body)
    instance = worked(submit(client).instance)
    assert (instance.status, instance.crashes) == ("ready", 0)
    assert instance.attempts.get().outcome == "released"


def test_a_step_done_in_an_earlier_attempt_is_not_repeated(make_flow, client):
    calls = []

    def body(run, message):
        take_step(run, "charge", lambda repeat: calls.append(repeat) or {"ok": 1})
        if run.claim.fence == 1:
            raise BusinessFault("later trouble")

    make_flow(body)
    instance = worked(submit(client).instance)
    assert worked(instance_resubmit(instance=instance, actor="op")).status == "succeeded"
    assert calls == [False]


def test_from_the_start_repeats_every_step(make_flow, client):
    calls = []

    def body(run, message):
        take_step(run, "charge", calls.append)
        if run.claim.fence == 1:
            raise BusinessFault("later trouble")

    make_flow(body)
    instance = worked(submit(client).instance)
    worked(instance_resubmit(instance=instance, actor="op", from_start=True))
    assert calls == [False, False]


def test_an_intent_found_after_a_crash_is_sent_again_and_marked(make_flow, client):
    repeats = []
    make_flow(lambda run, message: take_step(run, "charge", repeats.append))
    instance = submit(client).instance
    leases.claim(instance.pk)
    Step.objects.create(instance=instance, key="charge", attempt=1)
    expire(instance)
    assert worked(instance).status == "succeeded"
    assert repeats == [True]
    assert Step.objects.get().repeats == 1
    assert instance.activities.filter(level="warning", text__contains="not known whether charge").exists()


def test_a_flow_that_holds_waits_for_a_person_who_decides_by_resubmitting(make_flow, client):
    repeats = []
    make_flow(lambda run, message: take_step(run, "charge", repeats.append), when_unknown=HOLD)
    instance = submit(client).instance
    leases.claim(instance.pk)
    Step.objects.create(instance=instance, key="charge", attempt=1)
    expire(instance)
    assert worked(instance).status == "held"
    assert repeats == []
    assert worked(instance_resubmit(instance=instance, actor="op")).status == "succeeded"
    assert repeats == [True]


def test_a_synchronous_flow_whose_process_died_is_never_run_by_itself(make_flow, client):
    ran = []
    make_flow(lambda run, message: ran.append(1), pattern=SYNCHRONOUS)
    instance = submit(client).instance
    assert instance.status == "running"
    expire(instance)
    recovery.sweep_dead()
    instance.refresh_from_db()
    assert (instance.status, instance.fault_code, ran) == ("failed", "HUB-WORKER-DIED", [])


def test_resubmitted_twice_is_one_run(make_flow, client):
    def body(run, message):
        raise BusinessFault("no")

    make_flow(body)
    instance = worked(submit(client).instance)
    stale = Instance.objects.get(pk=instance.pk)
    instance_resubmit(instance=instance, actor="one")
    with pytest.raises(Conflict, match="by somebody else just now"):
        instance_resubmit(instance=stale, actor="two")
    assert instance.resubmissions.count() == 1


def test_an_edited_message_is_kept_beside_the_original_with_its_reason(make_flow, client):
    seen = []

    def body(run, message):
        seen.append(message)
        if message["amount"] < 0:
            raise BusinessFault("negative")

    make_flow(body)
    instance = worked(submit(client, {"amount": -1}).instance)
    with pytest.raises(InvalidMessage, match="reason"):
        instance_resubmit(instance=instance, actor="op", message=b'{"amount": 1}')
    instance_resubmit(instance=instance, actor="op", message=b'{"amount": 1}', reason="a typing error")
    assert worked(instance).status == "succeeded"
    assert seen == [{"amount": -1}, {"amount": 1}]
    kept = instance.resubmissions.get()
    assert kept.message_before != kept.message_after
    assert kept.reason == "a typing error"


def test_a_discarded_instance_says_who_and_why(make_flow, client):
    def body(run, message):
        raise BusinessFault("no")

    make_flow(body)
    instance = worked(submit(client).instance)
    with pytest.raises(InvalidMessage):
        instance_discard(instance=instance, actor="op", reason=" ")
    instance_discard(instance=instance, actor="op", reason="sent by mistake")
    instance.error.refresh_from_db()
    assert (instance.status, instance.error.state, instance.error.settled_by) == (
        "discarded",
        "discarded",
        "op",
    )
    with pytest.raises(Conflict):
        instance_discard(instance=instance, actor="op", reason="again")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("ready", "waiting for a worker"),
        ("running", "running"),
        ("succeeded", "succeeded"),
        ("waiting", "by itself"),
    ],
)
def test_why_an_instance_cannot_be_resubmitted(make_flow, client, status: str, said: str):
    make_flow(lambda run, message: None)
    instance = submit(client).instance
    instance.status = status
    assert said in resubmit_refusal(instance)


def test_the_same_message_while_running_is_the_same_instance(make_flow, client):
    make_flow(lambda run, message: None, message_id="id")
    first = submit(client, {"id": "m1"})
    again = submit(client, {"id": "m1"})
    assert (again.repeated, again.instance, again.answer) == (True, first.instance, None)


def test_the_header_s_message_id_wins_over_the_field(make_flow, client):
    make_flow(lambda run, message: None, message_id="id")
    submit(client, {"id": "m1"}, message_id="h1")
    assert submit(client, {"id": "m1"}, message_id="h2").repeated is False


def test_the_same_failed_message_is_a_new_attempt_from_the_checkpoint(make_flow, client):
    calls = []

    def body(run, message):
        take_step(run, "first half", lambda repeat: calls.append("first"))
        if run.claim.fence == 1:
            raise BusinessFault("second half failed")
        return {"done": True}

    make_flow(body, message_id="id")
    instance = worked(submit(client, {"id": "m1"}).instance)
    again = submit(client, {"id": "m1"})
    assert (again.repeated, again.instance) == (False, instance)
    assert worked(instance).status == "succeeded"
    assert calls == ["first"]
    assert submit(client, {"id": "m1"}).answer == {"done": True}


def test_two_at_once_of_one_message_are_one_instance(make_flow, client):
    make_flow(lambda run, message: None, message_id="id")
    found = []

    def send() -> None:
        found.append(submit(client, {"id": "m1"}).instance.pk)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_flow_is_not_found_at_another_resource_or_version(make_flow, client):
    make_flow(lambda run, message: None)
    with pytest.raises(UnknownFlow, match=r"does not answer at 1\.0/elsewhere"):
        instance_submit(
            identifier="TEST-FLOW", resource="elsewhere", version="1.0", message=b"{}", client=client
        )
    with pytest.raises(UnknownFlow, match=r"does not answer at 2\.0/go"):
        instance_submit(identifier="TEST-FLOW", resource="go", version="2.0", message=b"{}", client=client)
    assert instance_submit(
        identifier="test-flow", resource="go", version="01.00.0000", message=b"{}", client=client
    ).instance


def test_an_inactive_flow_accepts_nothing(make_flow, client):
    row = make_flow(lambda run, message: None)
    row.active = False
    row.save()
    with pytest.raises(Inactive):
        submit(client)
    assert not Instance.objects.exists()


def test_business_keys_come_from_the_message(make_flow, client):
    make_flow(
        lambda run, message: run.key("extra", 7), keys={"account": "customer.account", "none": "customer.no"}
    )
    instance = worked(submit(client, {"customer": {"account": "A-1"}}).instance)
    assert (instance.primary_key_name, instance.primary_key_value) == ("account", "A-1")
    assert set(instance.keys.values_list("name", "value")) == {("account", "A-1"), ("extra", "7")}


def test_a_flow_that_skips_ends_as_skipped_with_the_reason(make_flow, client):
    make_flow(lambda run, message: run.skip("nothing to do here", {"status": "skipped"}))
    instance = worked(submit(client).instance)
    assert instance.status == "skipped"
    assert instance.activities.filter(text="Skipped: nothing to do here").exists()


def test_lease_lost_and_released_pass_through_a_flow_s_own_error_handling():
    assert not issubclass(LeaseLost, Exception)
    assert not issubclass(Released, Exception)


def test_error_mails_of_a_flow_that_fails_all_day_are_held_back(make_flow, client, settings):
    settings.HUB_ERROR_MAILS_AN_HOUR = 2

    def body(run, message):
        raise BusinessFault("no")

    make_flow(body)
    for number in range(3):
        instance = worked(submit(client, {"n": number}).instance)
    assert sorted(Notification.objects.values_list("state", flat=True)) == ["given up", "pending", "pending"]
    assert "in the last hour" in Notification.objects.get(state="given up").trouble
    assert instance.status == "failed"


def test_an_instance_whose_flow_the_code_has_no_more_is_an_error(make_flow, client):
    make_flow(lambda run, message: None)
    instance = submit(client).instance
    registered().pop("TEST-FLOW")
    registry._found.clear()
    assert worked(instance).fault_code == "HUB-UNKNOWN-FLOW"
    assert instance.error.state == "open"
    registered()["TEST-FLOW"] = registered()["OUTL-BA-CCS_DACS_ERR_HNDLR"]


def test_a_message_whose_bytes_are_gone_is_an_error_that_says_so(make_flow, client, settings, tmp_path):
    make_flow(lambda run, message: None)
    instance = submit(client).instance
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'empty'}"
    assert (worked(instance).status, instance.fault_code) == ("failed", "HUB-STORE")


def test_an_edit_is_refused_where_there_is_no_message_or_it_does_not_fit(make_flow, client):
    def body(run, message):
        raise BusinessFault("no")

    make_flow(body, schema={"type": "object", "required": ["a"]})
    instance = worked(submit(client, {"a": 1}).instance)
    with pytest.raises(InvalidMessage, match="'a' is a required property"):
        instance_resubmit(instance=instance, actor="op", message=b"{}", reason="r")
    instance.message_payload = None
    with pytest.raises(InvalidMessage, match="no message to edit"):
        instance_resubmit(instance=instance, actor="op", message=b"{}", reason="r")


@pytest.mark.parametrize(("found", "calls"), [({"there": 1}, []), (None, [True])])
def test_a_target_that_can_be_asked_is_asked_before_anything_is_repeated(make_flow, client, found, calls):
    seen = []
    make_flow(lambda run, message: take_step(run, "charge", seen.append, verify=lambda: found))
    instance = submit(client).instance
    leases.claim(instance.pk)
    Step.objects.create(instance=instance, key="charge", attempt=1)
    expire(instance)
    assert worked(instance).status == "succeeded"
    assert seen == calls
    assert Step.objects.get().state == "done"


def test_a_callers_repeat_does_not_decide_what_is_held(make_flow, client):
    make_flow(
        lambda run, message: take_step(run, "charge", lambda repeat: 1), when_unknown=HOLD, message_id="id"
    )
    instance = submit(client, {"id": "m1"}).instance
    leases.claim(instance.pk)
    Step.objects.create(instance=instance, key="charge", attempt=1)
    expire(instance)
    assert worked(instance).status == "held"
    assert submit(client, {"id": "m1"}).repeated
    assert worked(instance).status == "held"
