"""What CPMCS or DERMS does wrong, and what whoever waits for a synchronous flow is told (seed 002, each flow's errors).

Nine flows whose caller waits: six of CPMCS that end at DERMS, and three of DERMS that end at CPMCS.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from demo.http import Answer
from integrations.engine.faults import Conflict, Fault
from integrations.engine.runner import work_on
from integrations.models import ErrorInstance, Instance
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import mails, send
from tests.flows.cpmcs_derms.conftest import (
    CPMCS,
    DERMS,
    Sides,
    answer_of,
    fails,
    fault_of_call,
    steps_of,
    told,
)


@dataclass(frozen=True)
class Case:
    """A flow, its sample, a field that may change, and the operation that it ends with."""

    flow: str
    resource: str
    sample: str
    change: tuple[str, str]
    step: str

    @property
    def address(self) -> tuple[str, str]:
        return self.flow, self.resource

    def message(self, *, changed: bool = False) -> Any:
        return told(self.sample, **({self.change[0]: self.change[1]} if changed else {}))


# Enrollment Sync 4-5; Device Status Check 4; Opt Out 4-5; Unavailability 5-6; Program Rule and Aggregator Sync 4-5
TO_DERMS = [
    Case(
        "OUTL-BA-DACS_DRMS_ENROLL_SYNC",
        "X1-NMSDASMSG",
        "enroll_sync_enroll",
        ("action", "X"),
        f"enroll at {DERMS}",
    ),
    Case(
        "OUTL-BA-DACS_DRMS_DEVICE_STATUS",
        "X1-CTRLDVCS",
        "device_status_check",
        ("x", "X"),
        f"statusCheck at {DERMS}",
    ),
    Case(
        "OUTL-BA-DACS_DERMS_EVTOPTOUT_UPD",
        "X1-EPOPTOMSG",
        "opt_out",
        ("preemptiveOptOut", "D1NO"),
        f"dacsOptOut at {DERMS}",
    ),
    Case(
        "OUTL-BA-DACS_DERMS_EVT_CUST_UNAVAIL_UPD",
        "X1-CUSTUNAVL",
        "unavailability",
        ("action", "UPDATE"),
        f"dacsOptOut at {DERMS}",
    ),
    Case(
        "OUTL-BA-DACS_DERMS_PROGRULE_SYNC",
        "X1-GEDPGRMSG",
        "program_rule",
        ("division", "X"),
        f"updateProgram at {DERMS}",
    ),
    Case(
        "OUTL-BA-DACS_DERMS_AGGREG_SYNC",
        "X1-GEDAGRMSG",
        "aggregator",
        ("division", "X"),
        f"updateAggregator at {DERMS}",
    ),
]
# Device Status Check Acknowledgment 4-5; Program Event Status Update 5
ANSWERED = [
    Case(
        "OUTL-BA-DRMS_DACS_DEV_STAT_ACK",
        "status-check-ack-to-dacs",
        "device_status_ack",
        ("responseCode", "FAILURE"),
        f"X1-ControllableDeviceStatus.postControllableDeviceStatus at {CPMCS}",
    ),
    Case(
        "OUTL-BA-DRMS_DACS_STAGE_STAT_UPD",
        "stage-status-to-dacs",
        "stage_scheduled",
        ("eventType", "EMERGENCY"),
        f"X1-ProgramEvent.createProgramEvent at {CPMCS}",
    ),
]
REMOTE = ["down", "cut", "500", "401"]


def by_flow(case: Case) -> str:
    """A test's name tells its flow."""
    return case.flow


def took(sides: Sides) -> int:
    """How much the targets have done, repeats of one key not counted."""
    there = sides.cpmcs.summary()
    done = sum(sides.derms.summary()["messages"].values()) + there["statuses"] + len(there["events"])
    return int(done)


@pytest.mark.parametrize("mode", REMOTE)
@pytest.mark.parametrize("case", TO_DERMS, ids=by_flow)
def test_derms_that_fails_is_a_fault_to_cpmcs_and_a_mail_and_the_same_message_goes_on(
    sides: Sides, case: Case, mode: str
):
    sides.derms.fail(mode, 1)
    fault = fault_of_call(sides, *case.address, case.message())
    assert (fault.fault_class, fault.status) == ("remote", 502)
    assert DERMS in fault.text
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]
    failed = Instance.objects.get(flow__identifier=case.flow)
    assert (failed.status, ErrorInstance.objects.get().state) == ("failed", "open")
    lost = {
        "cut": {"unknown"},
        "down": {"unknown", "failed"},
    }  # down: the request may have gone before it closed
    assert steps_of(failed)[case.step] in lost.get(mode, {"failed"})
    submission, answer = send(sides.client, *case.address, case.message())
    assert answer is not None
    assert submission.instance == failed
    assert ErrorInstance.objects.get().state == "recovered"
    assert took(sides) == 1
    assert len(mails("error")) == 1


@pytest.mark.parametrize("case", TO_DERMS, ids=by_flow)
def test_derms_that_says_no_is_a_business_fault_with_its_words(sides: Sides, case: Case):
    sides.derms.fail("400", 1)
    fault = fault_of_call(sides, *case.address, case.message())
    assert (fault.fault_class, fault.status, fault.target_status) == ("business", 502, 400)
    assert b"refused as a duplicate" in fault.target_body
    assert len(mails("error")) == 1  # "an error email notification with the error details is sent"


@pytest.mark.parametrize("case", TO_DERMS, ids=by_flow)
def test_silence_of_derms_beyond_the_time_out_is_a_504(sides: Sides, case: Case):
    fails(sides.derms, "slow", DERMS)
    fault = fault_of_call(sides, *case.address, case.message())
    assert (fault.status, fault.fault_class) == (504, "remote")


@pytest.mark.parametrize("case", TO_DERMS, ids=by_flow)
def test_a_201_where_the_seed_says_200_is_not_done(sides: Sides, case: Case, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sides.derms, "handle", lambda call: Answer(201, {}))
    fault = fault_of_call(sides, *case.address, case.message())
    assert "answered 201, where 200 means done" in fault.text


@pytest.mark.parametrize("mode", [*REMOTE, "400"])
@pytest.mark.parametrize("case", ANSWERED, ids=by_flow)
def test_cpmcs_that_fails_is_a_negative_answer_to_derms_a_failed_instance_and_a_mail(
    sides: Sides, case: Case, mode: str
):
    sides.cpmcs.fail(mode, 1)
    answer = answer_of(sides, *case.address, case.message())
    assert answer["ackType"] == "FAILURE"
    (said,) = answer["responses"]["response"]
    assert said["responseCode"] == "FAILURE"
    assert CPMCS in said["value"]
    failed = Instance.objects.get(flow__identifier=case.flow)
    assert (failed.status, failed.error.state) == ("failed", "open")
    assert len(mails("error")) == 1
    again = answer_of(sides, *case.address, case.message())
    assert again["ackType"] == "SUCCESS"
    failed.refresh_from_db()
    assert failed.status == "succeeded"
    assert Instance.objects.filter(flow__identifier=case.flow).count() == 1
    assert took(sides) == 1


@pytest.mark.parametrize("case", ANSWERED, ids=by_flow)
def test_silence_of_cpmcs_beyond_the_time_out_is_a_negative_answer_too(sides: Sides, case: Case):
    fails(sides.cpmcs, "slow", CPMCS)
    answer = answer_of(sides, *case.address, case.message())
    assert answer["ackType"] == "FAILURE"
    assert "no whole answer within" in answer["responses"]["response"][0]["value"]


@pytest.mark.parametrize("case", [*TO_DERMS, *ANSWERED], ids=by_flow)
def test_the_same_message_again_gets_the_stored_answer_and_repeats_nothing(sides: Sides, case: Case):
    # contract, "Message id"
    _, answer = send(sides.client, *case.address, case.message())
    assert answer is not None
    calls = len(sides.derms.received()) + len(sides.cpmcs.received())
    again, nothing = send(sides.client, *case.address, case.message())
    assert (again.repeated, again.answer, nothing) == (True, answer.body, None)
    assert len(sides.derms.received()) + len(sides.cpmcs.received()) == calls == 1


@pytest.mark.parametrize("case", [*TO_DERMS, *ANSWERED], ids=by_flow)
def test_other_content_under_the_same_id_is_a_conflict(
    sides: Sides, case: Case
):  # contract: 409 HUB-CONFLICT
    answer_of(sides, *case.address, case.message())
    with pytest.raises(Conflict, match="other content") as raised:
        send(sides.client, *case.address, case.message(changed=True))
    assert (raised.value.status, raised.value.code) == (409, "HUB-CONFLICT")


@pytest.mark.parametrize("case", [TO_DERMS[2], ANSWERED[0]], ids=by_flow)
def test_an_operators_replay_recovers_it_and_the_caller_then_gets_its_answer(sides: Sides, case: Case):
    for side in (sides.derms, sides.cpmcs):
        side.fail("cut")  # the target does it, and its answer is lost
    with suppress(Fault):  # or a negative answer, where the seed has one
        send(sides.client, *case.address, case.message())
    for side in (sides.derms, sides.cpmcs):
        side.reset()
    failed = Instance.objects.get(flow__identifier=case.flow)
    replay = instance_resubmit(instance=failed, actor="an operator")
    work_on(replay.pk)
    replay.refresh_from_db()
    assert (replay.cause, replay.status) == ("replay", "succeeded")
    assert ErrorInstance.objects.get().state == "recovered"
    assert took(sides) == 1  # the replay has the key of the first call
    again, _ = send(sides.client, *case.address, case.message())
    assert again.repeated
    assert again.answer is not None
