"""OU DERMS CPMCS ProgramEvent Status Update (seed 002, Program Event Status Update, its Processing Details)."""

import pytest

from integrations.models import Instance
from tests.flows.conftest import lines, mails, send
from tests.flows.cpmcs_derms.conftest import CROSS, Sides, answer_of, told

FLOW = ("OUTL-BA-DRMS_DACS_STAGE_STAT_UPD", "stage-status-to-dacs")
CREATE, ACT = f"{CROSS}/service/programEvent/", f"{CROSS}/service/programEvent/lifecycle"


def test_a_scheduled_stage_creates_a_program_event(
    sides: Sides,
):  # steps 1-4: "createProgramEvent for … scheduled"
    answer = answer_of(sides, *FLOW, told("stage_scheduled"))
    (call,) = sides.cpmcs.received()
    assert call["path"] == CREATE
    assert call["body"] == {
        "eventExternalIdentifier": "EVT-1",
        "externalIdentifier": "EVT-1-S1",
        "programExternalIdentifier": "PRG-SUMMER-DR",
        "programEventCategory": "X1EC",
        "startDateTime": "2026-07-01T18:00:00.000Z",
        "endDateTime": "2026-07-01T20:00:00.000Z",
    }
    (said,) = answer["responses"]["response"]
    assert answer["ackType"] == said["responseCode"] == "SUCCESS"
    assert (said["id"], said["dacsMessageId"], said["value"]) == ("STG-1", "EVT-1-S1", "SCHEDULED")


@pytest.mark.parametrize("status", ["scheduled", "Scheduled"])
def test_scheduled_is_scheduled_in_any_case(sides: Sides, status: str):  # the seed writes “scheduled”
    answer_of(sides, *FLOW, told("stage_scheduled", stageStatus=status))
    assert sides.cpmcs.summary()["events"] == {"EVT-1": "scheduled"}


@pytest.mark.parametrize(
    ("status", "action", "event"),
    [
        ("IN_PROGRESS", "X1IP", "in progress"),
        ("COMPLETED", "F1CO", "completed"),
        ("CANCELLED", "F1CN", "cancelled"),
    ],
)
def test_any_other_status_is_an_action(sides: Sides, status: str, action: str, event: str):  # step 3
    answer_of(sides, *FLOW, told("stage_scheduled"))
    answer = answer_of(sides, *FLOW, told("stage_in_progress", stageStatus=status))
    assert answer["ackType"] == "SUCCESS"
    (call,) = sides.at_cpmcs(ACT)
    assert call["body"] == {"action": action, "eventExternalIdentifier": "EVT-1"}
    assert sides.cpmcs.summary()["events"] == {"EVT-1": event}


def test_a_cancelled_stage_says_why_cut_to_what_cpmcs_takes(sides: Sides):
    answer_of(sides, *FLOW, told("stage_scheduled"))
    answer_of(sides, *FLOW, told("stage_cancelled"))
    answer_of(sides, *FLOW, told("stage_cancelled", messageId="STG-4", cancelReason="x" * 300))
    said = [call["body"]["cancelReason"] for call in sides.at_cpmcs(ACT)]
    assert said == ["Load was lower than forecast", "x" * 254]


def test_two_stages_of_one_event_are_two_program_events(sides: Sides):  # "for each stage"
    answer_of(sides, *FLOW, told("stage_scheduled"))
    answer_of(sides, *FLOW, told("stage_scheduled", messageId="STG-9", stageId="EVT-1-S2"))
    assert set(sides.cpmcs.records.events()["EVT-1"].stages) == {"EVT-1-S1", "EVT-1-S2"}


def test_an_event_cpmcs_does_not_know_is_a_negative_answer_in_its_words(sides: Sides):  # step 5
    answer = answer_of(sides, *FLOW, told("stage_in_progress", eventId="EVT-UNKNOWN"))
    (said,) = answer["responses"]["response"]
    assert answer["ackType"] == said["responseCode"] == "FAILURE"
    failed = Instance.objects.get(flow__identifier=FLOW[0])
    assert (failed.status, failed.fault_class) == ("failed", "business")
    assert "There is no program event EVT-UNKNOWN" in said["value"]
    assert said["value"] == failed.fault_text
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]


def test_a_second_creation_of_a_stage_is_refused(
    sides: Sides,
):  # another message, so nothing proves it is a repeat
    answer_of(sides, *FLOW, told("stage_scheduled"))
    answer = answer_of(sides, *FLOW, told("stage_scheduled", messageId="STG-9"))
    assert answer["ackType"] == "FAILURE"
    assert "has a program event already" in answer["responses"]["response"][0]["value"]


def test_a_creation_whose_answer_was_lost_is_known_from_the_refusal_of_its_repeat(sides: Sides):
    sides.cpmcs.fail("cut", 1)
    answer_of(sides, *FLOW, told("stage_scheduled"))
    sides.cpmcs.idempotent = type(sides.cpmcs.idempotent)()  # CPMCS has forgotten the key, as after a restart
    submission, answer = send(sides.client, *FLOW, told("stage_scheduled"))
    assert answer is not None
    assert answer.body["ackType"] == "SUCCESS"
    assert any("the first call had arrived" in line for line in lines(submission.instance))


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("stage_scheduled", {"eventType": "FESTIVE"}, "EventType has no CPMCS for DERMS 'FESTIVE'"),
        ("stage_in_progress", {"stageStatus": "ASLEEP"}, "StageStatus has no CPMCS for DERMS 'ASLEEP'"),
        ("stage_scheduled", {"stageEndDateTime": "2026-07-01T17:59:59.000Z"}, "is before stageStartDateTime"),
        ("stage_scheduled", {"stageStartDateTime": "2026-02-31T18:00:00.000Z"}, "2026-02-31T18:00:00.000Z"),
    ],
)
def test_what_cannot_be_mapped_is_a_negative_answer_and_no_call(
    sides: Sides, name: str, changed: dict, said: str
):  # step 5; contract: technical faults are told in the MsgAck too
    answer = answer_of(sides, *FLOW, told(name, **changed))
    assert answer["ackType"] == "FAILURE"
    assert said in answer["responses"]["response"][0]["value"]
    assert sides.cpmcs.received() == []
    assert Instance.objects.get(flow__identifier=FLOW[0]).fault_class == "technical"
    assert len(mails("error")) == 1


@pytest.mark.parametrize("name", ["eventType", "programId", "stageStartDateTime", "stageEndDateTime"])
def test_a_scheduled_stage_that_lacks_what_an_event_needs_is_a_negative_answer(sides: Sides, name: str):
    wrong = told("stage_scheduled")
    del wrong[name]
    answer = answer_of(sides, *FLOW, wrong)
    assert answer["ackType"] == "FAILURE"
    assert sides.cpmcs.summary()["events"] == {}
