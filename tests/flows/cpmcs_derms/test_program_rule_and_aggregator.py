"""Program Rule Sync, Aggregator Sync and their acknowledgements (seed 002, the sections of these names)."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine.faults import InvalidMessage
from integrations.models import ErrorInstance, Flow, Instance, SyncRequest
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import mails, send
from tests.flows.cpmcs_derms.conftest import (
    CPMCS,
    Sides,
    answer_of,
    carry,
    fault_of_call,
    handed_on,
    run_once,
    submit,
    told,
    with_retries,
)

ACK_BY_URL = ("OUTL-BA-DRMS_DACS_SYNC_ACK", "sendEnrollAck")


@dataclass(frozen=True)
class Kind:
    """One of the two flows, with what it is acknowledged by."""

    flow: str
    resource: str
    sample: str
    path: str
    ack: str
    entity: str
    named: str

    def send(self, sides: Sides, sync_request: str) -> Instance:
        """Synchronise; the instance, whose answer is the sync request's id."""
        submission, answer = send(sides.client, self.flow, self.resource, self.message(sync_request))
        assert answer is not None
        assert (answer.status, answer.body) == (200, {"externalId": sync_request})
        return submission.instance

    def message(self, sync_request: str) -> Any:
        return told(self.sample, syncRequestId=sync_request)


RULE = Kind(
    "OUTL-BA-DACS_DERMS_PROGRULE_SYNC",
    "X1-GEDPGRMSG",
    "program_rule",
    "/update-program",
    "OUTL-BA-DRMS_DACS_SYNC_ACK",
    "Program",
    "PRG-SUMMER-DR",
)
AGGREGATOR = Kind(
    "OUTL-BA-DACS_DERMS_AGGREG_SYNC",
    "X1-GEDAGRMSG",
    "aggregator",
    "/update-aggregator",
    "OUTL-BA-DERMS_DACS_AGGSYNC_ACK",
    "Aggregator",
    "AGG-1",
)
BOTH = pytest.mark.parametrize("kind", [RULE, AGGREGATOR], ids=["rule", "aggregator"])


def patched(sides: Sides) -> list[dict[str, Any]]:
    return [one for one in sides.cpmcs.received() if one["method"] == "PATCH"]


@pytest.fixture
def asked(sides: Sides) -> str:
    """A sync request that CPMCS has made, so that it takes its acknowledgement."""
    return sides.cpmcs.sync_request("X1-GEDPGRMSG")


def test_a_program_and_its_rules_reach_derms_as_it_takes_them(sides: Sides, asked: str):
    # Program Rule Sync, steps 1-4; lookups CycleFrequency, WeekDay, AllowEventDays
    RULE.send(sides, asked)
    (call,) = sides.at_derms("/update-program")
    assert call["status"] == 200
    assert call["body"] == {
        "dacsMessageId": asked,
        "program": {
            "programId": "PRG-SUMMER-DR",
            "programCode": "SMART_THERMOSTAT",
            "description": "Summer demand response",
            "startDateTimeISO": "2026-05-01T04:00:00.000Z",
            "endDateTimeISO": "2026-10-01T03:59:59.000Z",
            "status": "ACTIVE",
        },
        "rules": [
            {
                "ruleId": "R-1",
                "cycleFrequency": "MONTHLY",
                "maxEvents": 8,
                "maxHours": 32,
                "minDurationMinutes": 30,
                "maxDurationMinutes": 240,
                "allowEventDays": "WEEKDAYS",
                "weekDays": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
                "startTime": "12:00",
                "endTime": "20:00",
                "noticeMinutes": 120,
            },
            {
                "ruleId": "R-2",
                "cycleFrequency": "SEASONAL",
                "maxEvents": 15,
                "allowEventDays": "CUSTOM",
                "weekDays": ["SATURDAY"],
            },
        ],
    }


def test_an_aggregator_reaches_derms_as_it_takes_it(sides: Sides, asked: str):  # Aggregator Sync, steps 1-4
    AGGREGATOR.send(sides, asked)
    (call,) = sides.at_derms("/update-aggregator")
    assert call["body"] == {
        "dacsMessageId": asked,
        "aggregator": {
            "aggregatorId": "AGG-1",
            "name": "Flexible Homes Inc.",
            "headEndSystem": "FLEXHOMES",
            "status": "ACTIVE",
            "contact": {"name": "Grace Hopper", "email": "grace@example.org", "phone": "555-0110"},
        },
    }


def test_a_program_without_rules_and_one_rule_without_days_are_taken(sides: Sides):
    wanted = told("program_rule", rules=[])
    answer_of(sides, RULE.flow, RULE.resource, wanted)
    one = told("program_rule", syncRequestId="34000000000002")
    one["sendDetails"]["rules"] = [{"ruleId": "R", "cycleFrequency": "DAILY", "allowEventDays": "ALL"}]
    answer_of(sides, RULE.flow, RULE.resource, one)
    sent = [call["body"]["rules"] for call in sides.at_derms("/update-program")]
    assert sent == [
        [],
        [{"ruleId": "R", "cycleFrequency": "DAILY", "allowEventDays": "ALL", "weekDays": []}],
    ]


def test_an_aggregator_without_a_contact_is_taken(sides: Sides):
    wanted = told("aggregator")
    del wanted["sendDetails"]["aggregator"]["contact"]
    answer_of(sides, AGGREGATOR.flow, AGGREGATOR.resource, wanted)
    assert "contact" not in sides.at_derms("/update-aggregator")[0]["body"]["aggregator"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cycleFrequency", "HOURLY", "CycleFrequency has no DERMS for CPMCS 'HOURLY'"),
        ("allowEventDays", "NEVER", "AllowEventDays has no DERMS for CPMCS 'NEVER'"),
        ("weekDays", ["MO", "XX"], "WeekDay has no DERMS for CPMCS 'XX'"),
    ],
)
def test_a_rule_that_no_lookup_knows_is_a_fault_before_derms_is_called(
    sides: Sides, field: str, value: object, said: str
):  # Program Rule Sync, step 2
    wrong = told("program_rule")
    wrong["sendDetails"]["rules"][0][field] = value
    fault = fault_of_call(sides, RULE.flow, RULE.resource, wrong)
    assert (fault.code, fault.fault_class) == ("HUB-LOOKUP", "technical")
    assert said in fault.text
    assert sides.derms.received() == []


def test_a_program_that_ends_before_it_begins_names_the_field(sides: Sides):
    wrong = told("program_rule")
    wrong["sendDetails"]["program"]["endDateTime"] = "2026-04-30T23:59:59-04:00"
    fault = fault_of_call(sides, RULE.flow, RULE.resource, wrong)
    assert isinstance(fault, InvalidMessage)
    assert fault.details[0]["o:errorPath"] == "/sendDetails/program/endDateTime"


@BOTH
def test_what_derms_took_is_acknowledged_to_cpmcs(sides: Sides, asked: str, kind: Kind):
    # step 4, "Status 200 (OK), invokes the internal … Ack"; … Sync Acknowledgment, steps 1-3
    instance = kind.send(sides, asked)
    row = SyncRequest.objects.get()
    assert (row.status, row.entity, row.external_id) == ("awaiting", kind.entity, kind.named)
    assert patched(sides) == []
    acknowledgement = handed_on(instance)
    assert (acknowledgement.flow.identifier, acknowledgement.status) == (kind.ack, "succeeded")
    assert acknowledgement.cause == "handed_on"
    (call,) = patched(sides)
    assert call["path"] == f"/rest/apis/common/sync/syncRequest/{asked}"
    assert call["body"] == {"syncRequestId": asked, "hasError": False}
    row.refresh_from_db()
    assert (row.status, row.positive) == ("synchronised", True)
    assert sides.cpmcs.summary()["syncRequests"][asked] == "synchronised"


@BOTH
def test_the_message_that_comes_again_hands_nothing_on_again(sides: Sides, asked: str, kind: Kind):
    instance = kind.send(sides, asked)
    again = submit(sides, kind.flow, kind.resource, kind.message(asked))
    assert (again.repeated, again.answer) == (True, {"externalId": asked})
    handed_on(instance)
    submit(sides, kind.flow, kind.resource, kind.message(asked))
    assert Instance.objects.filter(flow__identifier=kind.ack).count() == 1
    assert len(patched(sides)) == 1


@BOTH
def test_an_attempt_that_goes_on_from_its_checkpoint_hands_on_once(sides: Sides, asked: str, kind: Kind):
    # DERMS took it, its answer was lost: the fault goes to CPMCS, which sends the message again
    sides.derms.fail("cut", 1)
    fault_of_call(sides, kind.flow, kind.resource, kind.message(asked))
    assert not Instance.objects.filter(flow__identifier=kind.ack).exists()
    instance = kind.send(sides, asked)
    assert handed_on(instance).status == "succeeded"
    assert sides.derms.summary()["repeats"] == 1


@BOTH
@pytest.mark.parametrize("said", ["ERROR", "FAILURE"])
def test_a_200_that_is_no_success_becomes_a_negative_acknowledgement_with_its_reason(
    sides: Sides, asked: str, kind: Kind, said: str
):  # Acknowledgment, step 2: "Transforms the … response payload"
    sides.derms.say(said, 1)
    acknowledgement = handed_on(kind.send(sides, asked))
    assert acknowledgement.status == "succeeded"
    (call,) = patched(sides)
    (exception,) = call["body"]["exceptionInfo"]
    operation = {"/update-program": "updateProgram", "/update-aggregator": "updateAggregator"}[kind.path]
    assert call["body"]["hasError"] is True
    assert exception["comments"] == f"{operation} said {said}, as it was told to"
    assert (exception["sequence"], exception["messageCategory"], exception["messageNumber"]) == (
        1,
        11114,
        11001,
    )
    row = SyncRequest.objects.get()
    assert (row.status, row.positive, row.message) == ("error", False, exception["comments"])


@BOTH
@pytest.mark.parametrize("mode", ["down", "cut", "500"])
def test_a_cpmcs_that_cannot_be_told_is_no_fault_to_cpmcs_and_is_tried_again_by_itself(
    sides: Sides, asked: str, kind: Kind, mode: str
):  # contract, "Flows": "its failure is an error instance, not a fault to CPMCS (DERMS has already changed)"
    with_retries(CPMCS, 2)
    instance = kind.send(sides, asked)
    sides.cpmcs.fail(mode, 1)
    waiting = handed_on(instance)
    assert waiting.status == "waiting"
    assert mails("error") == []
    instance.refresh_from_db()
    assert instance.status == "succeeded"
    Instance.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert sides.cpmcs.summary()["syncRequests"][asked] == "synchronised"
    assert len(sides.at_derms(kind.path)) == 1


@BOTH
def test_an_acknowledgement_that_fails_is_the_acknowledgement_flows_own_error(
    sides: Sides, asked: str, kind: Kind
):  # Acknowledgment, step 4
    instance = kind.send(sides, asked)
    sides.cpmcs.fail("400", 1)
    failed = handed_on(instance)
    assert failed.status == "failed"
    error = ErrorInstance.objects.get()
    assert error.instance == failed
    (mail,) = mails("error")
    assert kind.ack in mail.body
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    error.refresh_from_db()
    assert error.state == "recovered"
    assert sides.cpmcs.summary()["syncRequests"][asked] == "synchronised"


@BOTH
def test_a_sync_request_cpmcs_does_not_know_is_refused_in_its_words(sides: Sides, kind: Kind):
    failed = handed_on(kind.send(sides, "99000000000001"))
    assert (failed.status, failed.fault_class) == ("failed", "business")
    assert "99000000000001" in failed.fault_text


@BOTH
def test_an_inactive_acknowledgement_flow_is_said_and_the_message_goes_on_once_it_is_on(
    sides: Sides, asked: str, kind: Kind
):
    Flow.objects.filter(identifier=kind.ack).update(active=False)
    fault = fault_of_call(sides, kind.flow, kind.resource, kind.message(asked))
    assert f"{kind.ack} is not active" in fault.text
    assert sides.at_derms(kind.path) == []  # nothing is changed at DERMS that could not be acknowledged
    Flow.objects.filter(identifier=kind.ack).update(active=True)
    instance = kind.send(sides, asked)
    assert len(sides.at_derms(kind.path)) == 1
    assert handed_on(instance).status == "succeeded"


def test_derms_may_acknowledge_by_itself_at_send_enroll_ack(sides: Sides, asked: str):
    # contract, "Flows": "OUTL-BA-DRMS_DACS_SYNC_ACK also answers at `sendEnrollAck`"
    instance = carry(sides, *ACK_BY_URL, told("program_rule_ack", dacsMessageId=asked))
    assert instance.status == "succeeded"
    assert patched(sides)[0]["body"] == {"syncRequestId": asked, "hasError": False}
    again = submit(sides, *ACK_BY_URL, told("program_rule_ack", dacsMessageId=asked))
    assert (again.repeated, again.instance) == (True, instance)


def test_a_negative_one_by_url_without_a_reason_still_says_something(sides: Sides, asked: str):
    carry(sides, *ACK_BY_URL, told("program_rule_ack", dacsMessageId=asked, ackType="FAILURE"))
    (exception,) = patched(sides)[0]["body"]["exceptionInfo"]
    assert exception["comments"] == "DERMS answered FAILURE without a reason"


def test_a_reason_by_url_is_cut_to_what_cpmcs_takes(sides: Sides, asked: str):
    wrong = told("program_rule_ack", dacsMessageId=asked, ackType="ERROR")
    wrong["responses"] = {"response": [{"value": "x" * 3000}, {"value": "y"}]}
    assert carry(sides, *ACK_BY_URL, wrong).status == "succeeded"
    (exception,) = patched(sides)[0]["body"]["exceptionInfo"]
    assert len(exception["comments"]) == 254
