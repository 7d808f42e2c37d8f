"""Event Device Reservation and Event Device Outcome (seed 002, both Processing Details): files to CPMCS in segments."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from demo import derms_files
from demo.http import Answer, Call
from integrations.engine.faults import Conflict
from integrations.models import Connection, ErrorInstance, Instance, Step
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Lookup, Row
from tests.flows.conftest import lines, mails, property_set
from tests.flows.cpmcs_derms.conftest import (
    CONFIG,
    CPMCS,
    CROSS,
    DERMS,
    Sides,
    carry,
    fails,
    read,
    run_once,
    steps_of,
    submit,
    told,
    with_retries,
)

HEALTH = "/rest/apis/common/system/healthCheck/"
EVENT = "EVT-1"


@dataclass(frozen=True)
class Kind:
    """One of the two flows."""

    flow: str
    resource: str
    sample: str
    path: str
    acknowledged_at: str
    named: str
    records: str

    @property
    def address(self) -> tuple[str, str]:
        return self.flow, self.resource

    def content(self, count: int) -> bytes:
        """A file of so many devices."""
        if self.sample == "device_reservation":
            return b"".join(derms_files.reservation(count))
        return b"".join(derms_files.outcomes(EVENT, count))

    def message(self, count: int) -> Any:
        return told(self.sample, **({"recordCount": count} if self.sample == "device_outcome" else {}))

    def carry(self, sides: Sides, count: int) -> Instance:
        """One attempt at a file of so many devices."""
        return carry(sides, *self.address, self.message(count), self.content(count))

    def again(self, sides: Sides, count: int) -> Instance:
        """DERMS sends the same message again; one attempt."""
        return self.carry(sides, count)

    def arrived(self, sides: Sides) -> tuple[int, int]:
        """How many devices CPMCS has, and how many came twice."""
        found = getattr(sides.cpmcs.records, self.records)
        return found.count(EVENT), found.doubled()

    def calls(self, sides: Sides) -> list[dict[str, Any]]:
        return sides.at_cpmcs(f"{CROSS}/service/programEventParticipation/{self.path}")

    def acknowledgements(self, sides: Sides) -> list[dict[str, Any]]:
        """What DERMS was told, in order."""
        return [call["body"] for call in sides.at_derms(self.acknowledged_at)]

    def ack_types(self, sides: Sides) -> list[str]:
        return [one["ackType"] for one in self.acknowledgements(sides)]


RESERVATION = Kind(
    "OUTL_BA_DRMS_DACS_EVT_DVCRESV",
    "reserveDevice",
    "device_reservation",
    "reserveDevice",
    "/device-reservation-ack",
    EVENT,
    "reservations",
)
OUTCOME = Kind(
    "OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR",
    "eventOutcome",
    "device_outcome",
    "postEventOutcome",
    "/device-outcome-ack",
    "outcome_20260702.csv",
    "outcomes",
)
BOTH = pytest.mark.parametrize("kind", [RESERVATION, OUTCOME], ids=["reservation", "outcome"])


@pytest.fixture
def one_at_a_time(sides: Sides) -> None:
    """The connection to CPMCS lets one segment be under way."""
    Connection.objects.filter(name=CPMCS).update(parallel=1)


@pytest.fixture
def failing(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """CPMCS answers the calls after the health check from this list; None lets it do its work."""
    answers: list[Answer | None] = []
    works = sides.cpmcs.handle

    def handle(call: Call) -> Answer:
        if call.path != HEALTH and answers:
            instead = answers.pop(0)
            if instead is not None:
                return instead
        return works(call)

    monkeypatch.setattr(sides.cpmcs, "handle", handle)
    return answers


NO = Answer(400, {"detail": "CPMCS does not want this one"})
BROKEN = Answer(500, {"detail": "CPMCS fell over"})


def test_a_reservation_is_mapped_device_by_device(
    sides: Sides,
):  # Event Device Reservation, step 3; lookup EventType
    instance = carry(sides, *RESERVATION.address, told("device_reservation"), read("device_reservation.csv"))
    assert instance.status == "succeeded"
    (call,) = RESERVATION.calls(sides)
    assert call["body"] == {
        "eventExternalIdentifier": "EVT-1",
        "eventStartDateTime": "2026-07-01T18:00:00.000Z",
        "eventEndDateTime": "2026-07-01T20:00:00.000Z",
        "eventType": "X1EC",
        "deviceList": [
            {"headEndSystem": "ECOBEE", "nicId": "NIC00000001"},
            {
                "headEndSystem": "ECOBEE",
                "nicId": "NIC00000002",
                "reservationStartDateTime": "2026-07-01T18:30:00.000Z",
                "reservationEndDateTime": "2026-07-01T19:30:00.000Z",
            },
        ],
    }


def test_an_outcome_is_mapped_device_by_device(
    sides: Sides,
):  # Event Device Outcome, step 3; lookup EventOutcome
    instance = carry(sides, *OUTCOME.address, told("device_outcome"), read("device_outcome.csv"))
    assert instance.status == "succeeded"
    (call,) = OUTCOME.calls(sides)
    times = {
        "participationStartDateTime": "2026-07-01T18:00:00.000Z",
        "participationEndDateTime": "2026-07-01T20:00:00.000Z",
    }
    listed = call["body"]["postOutcomeList"]
    assert listed[0] == {
        "eventExternalIdentifier": "EVT-1",
        "headEndSystem": "ECOBEE",
        "nicId": "NIC00000001",
        "outcome": "D1SP",
        **times,
    }
    assert (listed[1]["outcome"], listed[1]["errorMessage"]) == ("D1IO", "Customer raised it, twice")
    assert (listed[2]["outcome"], listed[2]["headEndSystem"]) == ("D1ND", "TESLA")


@BOTH
def test_2500_records_go_in_three_segments_and_are_acknowledged_once(sides: Sides, kind: Kind):
    # steps 1-4: "segments of 1000 records with parallel processing"; positive acknowledgement and mail at the end
    instance = kind.carry(sides, 2500)
    assert instance.status == "succeeded"
    assert kind.arrived(sides) == (2500, 0)
    assert sides.cpmcs.received()[0]["path"] == HEALTH
    assert len(kind.calls(sides)) == 3
    (told_derms,) = kind.acknowledgements(sides)
    (response,) = told_derms["responses"]["response"]
    assert told_derms["ackType"] == response["responseCode"] == "SUCCESS"
    assert (told_derms["messageId"], response["id"]) == (instance.message_id, kind.named)
    assert response["value"] == "2500 records"
    (mail,) = mails("process-complete")
    assert mail.recipients == ["busUserDist@myCy.com"]
    assert "Records: 2500, in 3 segment(s)" in mail.body
    assert mails("error") == []


@BOTH
@pytest.mark.parametrize(("count", "segments"), [(1, 1), (999, 1), (1000, 1), (1001, 2)])
def test_a_segment_has_a_thousand_records(sides: Sides, kind: Kind, count: int, segments: int):
    assert kind.carry(sides, count).status == "succeeded"
    assert (len(kind.calls(sides)), kind.arrived(sides)) == (segments, (count, 0))


@BOTH
def test_a_long_file_that_is_mapped_in_processes_arrives_the_same(
    sides: Sides, kind: Kind, failing: list[Any]
):
    failing[:] = [None, NO]
    assert kind.carry(sides, 9500).status == "failed"
    assert kind.again(sides, 9500).status == "succeeded"
    assert kind.arrived(sides) == (9500, 0)
    assert kind.ack_types(sides) == ["FAILURE", "SUCCESS"]


def test_what_no_lookup_knows_deep_in_a_long_file_is_told_and_mended(sides: Sides):
    content = OUTCOME.content(9500) + b"9501,EVT-1,NIC-LAST,ECOBEE,SHRUGGED,,,\n"
    failed = carry(sides, *OUTCOME.address, OUTCOME.message(9501), content)
    assert (failed.status, failed.fault_code) == ("failed", "HUB-LOOKUP")
    assert "EventOutcome has no CPMCS for DERMS 'SHRUGGED'" in failed.fault_text
    assert OUTCOME.ack_types(sides) == ["FAILURE"]
    Row(lookup=Lookup.objects.get(name="OUTL-BRT-DACS_DRMS_EventOutcome"), cells=["SHRUGGED", "D1ER"]).save()
    again = carry(sides, *OUTCOME.address, OUTCOME.message(9501), content)
    assert (again.pk, again.status) == (failed.pk, "succeeded")
    assert OUTCOME.arrived(sides) == (9501, 0)


@BOTH
def test_a_file_of_a_header_alone_is_acknowledged_and_nothing_is_sent(sides: Sides, kind: Kind):
    instance = kind.carry(sides, 0)
    assert instance.status == "succeeded"
    assert kind.calls(sides) == []
    assert kind.ack_types(sides) == ["SUCCESS"]
    assert kind.acknowledgements(sides)[0]["responses"]["response"][0]["value"] == "0 records"


@BOTH
@pytest.mark.parametrize("mode", ["500", "401", "400", "down", "cut", "slow"])
def test_a_cpmcs_that_is_not_well_is_sent_nothing_and_derms_is_told(sides: Sides, kind: Kind, mode: str):
    # step 2: health check not 200 → negative acknowledgement
    with_retries(CPMCS)
    fails(sides.cpmcs, mode, CPMCS)
    instance = kind.carry(sides, 3)
    assert kind.calls(sides) == []
    (said,) = kind.acknowledgements(sides)
    (response,) = said["responses"]["response"]
    assert said["ackType"] == response["responseCode"] == "FAILURE"
    assert CPMCS in response["value"]
    assert response["id"] == kind.named
    assert instance.status == "failed"  # DERMS sends it again: the hub does not try by itself as well
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]
    assert mails("process-complete") == []


@BOTH
def test_a_health_check_that_answers_204_is_not_well(
    sides: Sides, kind: Kind, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sides.cpmcs, "handle", lambda call: Answer(204, None))
    assert kind.carry(sides, 3).status == "failed"
    assert kind.ack_types(sides) == ["FAILURE"]
    assert kind.calls(sides) == []


@BOTH
@pytest.mark.parametrize("answer", [NO, BROKEN], ids=["400", "500"])
def test_a_failing_segment_is_one_negative_acknowledgement_and_the_same_message_goes_on(
    sides: Sides, kind: Kind, one_at_a_time: None, failing: list[Any], answer: Answer
):  # step 3, "HTTP Error status"; step 5; contract, "Segments"
    failing[:] = [None, answer]
    failed = kind.carry(sides, 2500)
    assert failed.status == "failed"
    assert failed.fault_step == "segment 2"
    assert kind.ack_types(sides) == ["FAILURE"]
    assert str(answer.status) in kind.acknowledgements(sides)[0]["responses"]["response"][0]["value"]
    assert len(kind.calls(sides)) == 2  # nothing new is begun
    assert kind.arrived(sides) == (1000, 0)
    assert len(mails("error")) == 1
    assert mails("process-complete") == []
    again = kind.again(sides, 2500)
    assert (again.pk, again.status) == (failed.pk, "succeeded")
    assert kind.arrived(sides) == (2500, 0)
    assert len(kind.calls(sides)) == 4  # 1, 2 in vain, then 2 and 3: what CPMCS has is not sent again
    assert sides.cpmcs.summary()["repeats"] == 0
    assert kind.ack_types(sides) == ["FAILURE", "SUCCESS"]
    assert ErrorInstance.objects.get().state == "recovered"
    assert "1 of them in earlier attempts" in mails("process-complete")[0].body


@BOTH
def test_of_several_under_way_the_others_come_to_their_end(sides: Sides, kind: Kind, failing: list[Any]):
    failing[:] = [NO]
    failed = kind.carry(sides, 4000)
    done = [
        step for step, state in steps_of(failed).items() if step.startswith("segment") and state == "done"
    ]
    assert kind.ack_types(sides) == ["FAILURE"]
    assert kind.arrived(sides) == (1000 * len(done), 0)
    assert kind.again(sides, 4000).status == "succeeded"
    assert kind.arrived(sides) == (4000, 0)
    assert kind.ack_types(sides) == ["FAILURE", "SUCCESS"]


@BOTH
def test_every_attempt_that_fails_tells_derms_once(
    sides: Sides, kind: Kind, one_at_a_time: None, failing: list[Any]
):
    failing[:] = [NO, NO, NO]
    for _ in range(3):
        instance = kind.carry(sides, 1500)
    assert instance.status == "failed"
    assert kind.ack_types(sides) == ["FAILURE"] * 3
    assert len(kind.calls(sides)) == 3
    assert kind.again(sides, 1500).status == "succeeded"
    assert kind.ack_types(sides) == ["FAILURE"] * 3 + ["SUCCESS"]
    assert kind.arrived(sides) == (1500, 0)


@BOTH
def test_a_segment_whose_answer_is_lost_is_sent_again_with_its_key_and_is_there_once(
    sides: Sides, kind: Kind, one_at_a_time: None, monkeypatch: pytest.MonkeyPatch
):
    works = sides.cpmcs.handle

    def handle(call: Call) -> Answer:
        answer = works(call)
        if call.path != HEALTH:
            monkeypatch.setattr(sides.cpmcs, "handle", works)
            sides.cpmcs.fail("cut", 1)  # of the next one: CPMCS takes it, and the line breaks
        return answer

    monkeypatch.setattr(sides.cpmcs, "handle", handle)
    failed = kind.carry(sides, 2500)
    assert steps_of(failed)["segment 2"] == "unknown"
    again = kind.again(sides, 2500)
    assert again.status == "succeeded"
    assert kind.arrived(sides) == (2500, 0)
    assert sides.cpmcs.summary()["repeats"] == 1
    assert any("not known whether segment 2 arrived" in line for line in lines(again))


@BOTH
def test_silence_beyond_the_time_out_is_a_failing_segment(
    sides: Sides, kind: Kind, monkeypatch: pytest.MonkeyPatch
):
    Connection.objects.filter(name=CPMCS).update(read_timeout=1, parallel=1)
    works = sides.cpmcs.handle

    def handle(call: Call) -> Answer:
        time.sleep(0 if call.path == HEALTH else 1.5)
        return works(call)

    monkeypatch.setattr(sides.cpmcs, "handle", handle)
    failed = kind.carry(sides, 3)
    assert failed.status == "failed"
    assert "within 1" in failed.fault_text
    assert kind.ack_types(sides) == ["FAILURE"]
    monkeypatch.setattr(sides.cpmcs, "handle", works)
    time.sleep(0.6)  # the slow one is done by now
    assert kind.again(sides, 3).status == "succeeded"
    assert kind.arrived(sides) == (3, 0)


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (2, 2), (None, 4)])
def test_no_more_calls_are_under_way_than_the_connection_allows(
    sides: Sides, monkeypatch: pytest.MonkeyPatch, parallel: int | None, most: int
):  # step 3: "with parallel processing option"
    Connection.objects.filter(name=CPMCS).update(parallel=parallel)
    lock, now, seen = threading.Lock(), [0], [0]
    works = sides.cpmcs.handle

    def handle(call: Call) -> Answer:
        with lock:
            now[0] += 1
            seen[0] = max(seen[0], now[0])
        time.sleep(0.2)
        answer = works(call)
        with lock:
            now[0] -= 1
        return answer

    monkeypatch.setattr(sides.cpmcs, "handle", handle)
    assert RESERVATION.carry(sides, 5000).status == "succeeded"
    assert min(most, 2) <= seen[0] <= most  # how many do overlap is up to the machine
    assert RESERVATION.arrived(sides) == (5000, 0)


@BOTH
@pytest.mark.parametrize("mode", ["down", "500"])
def test_a_positive_acknowledgement_that_cannot_be_given_is_all_that_is_tried_again(
    sides: Sides, kind: Kind, mode: str
):  # step 4
    with_retries(DERMS, 2)
    sides.derms.fail(mode, 1)
    waiting = kind.carry(sides, 1500)
    assert waiting.status == "waiting"
    assert kind.arrived(sides) == (1500, 0)
    assert (mails("process-complete"), mails("error")) == ([], [])
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert len(kind.calls(sides)) == 2
    assert sides.derms.summary()["acknowledgements"] == {"SUCCESS": 1}
    assert len(mails("process-complete")) == 1


@BOTH
def test_a_negative_one_that_cannot_be_given_leaves_the_fault_to_be_tried_again(
    sides: Sides, kind: Kind, one_at_a_time: None, failing: list[Any]
):  # nobody will send it again, so the hub has to
    with_retries(CPMCS, 2)
    failing[:] = [BROKEN]
    sides.derms.fail("down", 1)
    waiting = kind.carry(sides, 1500)
    assert waiting.status == "waiting"
    assert any("could not be told of the failure" in line for line in lines(waiting))
    assert mails("error") == []
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert sides.derms.summary()["acknowledgements"] == {"SUCCESS": 1}
    assert kind.arrived(sides) == (1500, 0)


@BOTH
def test_a_business_no_is_not_tried_again_even_where_derms_could_not_be_told(
    sides: Sides, kind: Kind, failing: list[Any]
):
    with_retries(CPMCS, 2)
    failing[:] = [NO]
    sides.derms.fail("down", 1)
    assert kind.carry(sides, 3).status == "failed"
    assert len(mails("error")) == 1


@BOTH
def test_a_repeat_of_what_is_done_is_the_same_instance_and_sends_nothing(sides: Sides, kind: Kind):
    first = kind.carry(sides, 3)
    again = submit(sides, *kind.address, kind.message(3), kind.content(3))
    assert (again.repeated, again.instance) == (True, first)
    assert again.answer == {"records": 3, "segments": 1}
    assert len(kind.calls(sides)) == 1


@BOTH
def test_another_file_under_the_same_message_id_is_a_conflict(sides: Sides, kind: Kind):
    kind.carry(sides, 3)
    with pytest.raises(Conflict, match="other content"):
        submit(sides, *kind.address, kind.message(3), kind.content(4))


@BOTH
def test_an_operator_may_resubmit_from_the_checkpoint_or_from_the_start(
    sides: Sides, kind: Kind, one_at_a_time: None, failing: list[Any]
):
    failing[:] = [None, NO, NO]
    failed = kind.carry(sides, 2500)
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "failed"
    again = instance_resubmit(instance=failed, actor="an operator", from_start=True)
    assert run_once(again).status == "succeeded"
    assert kind.arrived(sides) == (2500, 0)  # by the keys: CPMCS does nothing twice
    assert Step.objects.filter(instance=failed, key__startswith="segment", state="done").count() == 3


def test_a_reservation_that_ends_before_it_begins_is_refused_without_a_call(sides: Sides):
    wrong = told("device_reservation", eventEndDateTime="2026-07-01T17:00:00.000Z")
    instance = carry(sides, *RESERVATION.address, wrong, read("device_reservation.csv"))
    assert (instance.status, instance.fault_code) == ("failed", "HUB-INVALID")
    assert "eventEndDateTime" in instance.fault_text
    assert sides.cpmcs.received() == []
    assert RESERVATION.ack_types(sides) == ["FAILURE"]  # step 5: "For any errors encountered in this process"


@pytest.mark.parametrize(("found", "said"), [(2, 3), (3, 0), (1001, 1000)])
def test_a_wrong_record_count_is_refused_whole(sides: Sides, found: int, said: int):
    instance = carry(
        sides, *OUTCOME.address, told("device_outcome", recordCount=said), OUTCOME.content(found)
    )
    assert instance.status == "failed"
    assert f"has {found} records, but its message says {said}" in instance.fault_text
    assert OUTCOME.calls(sides) == []
    assert OUTCOME.ack_types(sides) == ["FAILURE"]


def test_a_count_that_is_not_given_is_not_checked(sides: Sides):
    message = told("device_outcome")
    del message["recordCount"]
    assert carry(sides, *OUTCOME.address, message, OUTCOME.content(5)).status == "succeeded"


@pytest.mark.parametrize(
    ("kind", "message", "content", "said"),
    [
        (
            RESERVATION,
            told("device_reservation", eventType="FESTIVE"),
            RESERVATION.content(3),
            "EventType has no CPMCS for DERMS 'FESTIVE'",
        ),
        (
            OUTCOME,
            told("device_outcome"),
            OUTCOME.content(3).replace(b"SUCCESS", b"SHRUGGED"),
            "EventOutcome has no CPMCS for DERMS 'SHRUGGED'",
        ),
    ],
    ids=["event type", "outcome"],
)
def test_what_no_lookup_knows_is_a_negative_acknowledgement(
    sides: Sides, kind: Kind, message: Any, content: bytes, said: str
):
    instance = carry(sides, *kind.address, message, content)
    assert (instance.status, instance.fault_code) == ("failed", "HUB-LOOKUP")
    assert said in kind.acknowledgements(sides)[0]["responses"]["response"][0]["value"]
    assert kind.calls(sides) == []


@BOTH
def test_a_message_without_its_file_is_told_to_derms(sides: Sides, kind: Kind):
    instance = carry(sides, *kind.address, kind.message(3))
    assert (instance.status, instance.fault_code) == ("failed", "HUB-INVALID")
    assert "no file with this message" in instance.fault_text
    assert kind.ack_types(sides) == ["FAILURE"]


@BOTH
def test_the_mail_about_the_end_can_be_switched_off(sides: Sides, kind: Kind):
    property_set(CONFIG, "notification.email.process.complete.flag", "false")
    assert kind.carry(sides, 3).status == "succeeded"
    assert mails("process-complete") == []
