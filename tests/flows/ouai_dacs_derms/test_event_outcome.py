"""Event Outcome Transfer (seed 003 chapter 2, Processing Details): DERMS's file to OUAI, and DERMS told of the end."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from demo.derms import BASE, Derms
from demo.ouai import OUTCOMES
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import Connection, ErrorInstance, FileTransfer, Instance
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Lookup, Row
from tests.flows.conftest import connection_set, lines, mails, property_set
from tests.flows.cpmcs_derms.conftest import fails, run_once, steps_of, with_retries
from tests.flows.ouai_dacs_derms.conftest import (
    CONFIG,
    DERMS,
    DERMS_USER,
    OUAI_OS,
    OUAI_USER,
    PACKAGE,
    Sides,
    read,
    submit,
    told,
)

FLOW = ("OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR", "eventOutcome")
NAME = "outcome_20260702.csv"
OTHER, ROUTING = "OU REST DRMS West for OUAI DACS DRMS", "OUTL-BRT-DACS_OUAI_Routing"


def carry(sides: Sides, content: bytes | None = None, **changed: Any) -> Instance:
    """Send and run one attempt."""
    content = read("event_outcome.csv") if content is None else content
    return run_once(submit(sides, *FLOW, told("event_outcome", **changed), content).instance)


def acknowledgements(sides: Sides) -> list[dict[str, Any]]:
    """What DERMS was asked to take, in order."""
    return [call["body"] for call in sides.at_derms("/device-outcome-ack")]


def ack_types(sides: Sides) -> list[str]:
    return [one["ackType"] for one in acknowledgements(sides)]


def test_a_file_reaches_ouai_as_it_is_and_derms_and_both_lists_are_told(sides: Sides):  # steps 1, 2
    content = read("event_outcome.csv")
    instance = carry(sides)
    assert instance.status == "succeeded"
    assert sides.bucket(OUTCOMES).names() == [NAME]
    assert sides.bucket(OUTCOMES).read(NAME) == content
    child = instance.children.get()
    assert (child.flow.identifier, child.status) == ("OUTL-BA-OUAI_OS_TRANSFER", "succeeded")
    (ack,) = acknowledgements(sides)
    (response,) = ack["responses"]["response"]
    assert (ack["messageId"], ack["ackType"]) == ("OTC-0001", "SUCCESS")
    assert (response["id"], response["responseCode"]) == (NAME, "SUCCESS")
    (mail,) = mails("process-complete")
    assert sorted(mail.recipients) == [DERMS_USER, OUAI_USER]
    assert NAME in mail.body
    assert mails("error") == []


def test_it_is_found_by_its_keys(sides: Sides):
    found = dict(carry(sides).keys.values_list("name", "value"))
    assert found["fileName"] == NAME
    assert found["messageId"] == "OTC-0001"
    assert found["drmsInstanceId"] == "DERMS1"


@pytest.mark.parametrize("size", [0, 9_000_000])
def test_any_size_is_streamed(sides: Sides, size: int):
    content = b"x" * size
    instance = carry(sides, content)
    assert instance.status == "succeeded"
    assert sides.bucket(OUTCOMES).read(NAME) == content


@pytest.mark.parametrize("mode", ["500", "401", "down", "slow"])
def test_ouai_failing_is_one_negative_acknowledgement_and_no_positive_one(sides: Sides, mode: str):
    # step 3: "A negative acknowledgment is sent … upon it will retry the file transfer according the MAX_RETRIES"
    with_retries(OUAI_OS, 3)
    sides.ouai.objects.fail(mode, None)
    if mode == "slow":
        Connection.objects.filter(name=OUAI_OS).update(read_timeout=0.3)
    failed = carry(sides)
    assert failed.status == "failed"
    assert ack_types(sides) == ["FAILURE"]
    (ack,) = acknowledgements(sides)
    (response,) = ack["responses"]["response"]
    assert response["responseCode"] == "FAILURE"
    assert response["value"] == failed.fault_text[:2000]
    assert mails("process-complete") == []
    assert len(mails("error")) == 1


def test_the_same_message_again_goes_on_and_is_acknowledged_positively(
    sides: Sides,
):  # contract, "Message id"
    sides.ouai.fail("500", None)
    failed = carry(sides)
    again = carry(sides)
    assert again == failed
    assert ack_types(sides) == ["FAILURE", "FAILURE"]
    sides.ouai.reset()
    assert carry(sides).status == "succeeded"
    assert ack_types(sides) == ["FAILURE", "FAILURE", "SUCCESS"]
    assert sides.bucket(OUTCOMES).read(NAME) == read("event_outcome.csv")
    assert ErrorInstance.objects.get().state == "recovered"


def test_a_resubmission_does_as_much(sides: Sides):
    sides.ouai.fail("500", None)
    failed = carry(sides)
    sides.ouai.reset()
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert ack_types(sides) == ["FAILURE", "SUCCESS"]


def test_a_repeat_of_what_succeeded_does_no_work(sides: Sides):
    done = carry(sides)
    submission = submit(sides, *FLOW, told("event_outcome"), read("event_outcome.csv"))
    assert (submission.instance, submission.repeated) == (done, True)
    assert ack_types(sides) == ["SUCCESS"]


def test_another_file_under_the_same_message_id_is_a_conflict(sides: Sides):
    carry(sides)
    with pytest.raises(Conflict):
        submit(sides, *FLOW, told("event_outcome"), b"another")


def test_a_name_that_ouai_has_with_other_content_is_a_negative_acknowledgement(sides: Sides):
    sides.bucket(OUTCOMES).put(NAME, b"another")
    failed = carry(sides)
    assert failed.status == "failed"
    assert ack_types(sides) == ["FAILURE"]
    assert sides.bucket(OUTCOMES).read(NAME) == b"another"


def test_a_message_without_its_file_is_a_negative_acknowledgement(sides: Sides):
    failed = run_once(submit(sides, *FLOW, told("event_outcome")).instance)
    assert (failed.status, failed.fault_code) == ("failed", "HUB-INVALID")
    assert ack_types(sides) == ["FAILURE"]


@pytest.mark.parametrize("name", ["messageId", "fileName"])
def test_a_message_that_lacks_what_it_needs_is_not_taken(sides: Sides, name: str):
    wrong = told("event_outcome")
    del wrong[name]
    with pytest.raises(InvalidMessage):
        submit(sides, *FLOW, wrong, b"x")
    assert not Instance.objects.exists()


@pytest.mark.parametrize("name", ["../outside.csv", "a/b.csv", "a\nb.csv"])
def test_a_name_that_cannot_be_used_safely_is_a_negative_acknowledgement(sides: Sides, name: str):
    failed = carry(sides, fileName=name)
    assert failed.status == "failed"
    assert ack_types(sides) == ["FAILURE"]
    assert sides.bucket(OUTCOMES).names() == []


# -- DERMS cannot be told --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["500", "down", "slow", "cut"])
def test_a_positive_acknowledgement_that_fails_is_tried_again_by_itself_alone(sides: Sides, mode: str):
    with_retries(DERMS, 2)
    fails(sides.derms, mode, DERMS)
    waiting = carry(sides)
    assert waiting.status == "waiting"
    at_ouai = len(sides.ouai.received())
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert len(sides.ouai.received()) == at_ouai  # it is not looked for, let alone written, again
    assert FileTransfer.objects.get().tries == 1
    assert [one["ackType"] for one in sides.derms.records.messages("deviceOutcomeAck")] == ["SUCCESS"]
    assert len(mails("process-complete")) == 1


def test_a_positive_acknowledgement_that_derms_refuses_is_an_error_and_no_negative_one_follows(sides: Sides):
    sides.derms.fail("400", 1)
    failed = carry(sides)
    assert (failed.status, failed.fault_class) == ("failed", "business")
    assert ack_types(sides) == ["SUCCESS"]
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert ack_types(sides) == ["SUCCESS", "SUCCESS"]
    assert FileTransfer.objects.get().tries == 1


def test_a_negative_acknowledgement_that_cannot_be_told_leaves_the_fault_to_be_tried_again(sides: Sides):
    """Nobody knows at DERMS, so nobody sends it again: the hub does."""
    with_retries(OUAI_OS, 2)
    sides.ouai.fail("500", None)
    sides.derms.fail("500", 1)
    waiting = carry(sides)
    assert waiting.status == "waiting"
    assert any("could not be told of the failure" in line for line in lines(waiting))
    sides.ouai.reset()
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert [one["ackType"] for one in sides.derms.records.messages("deviceOutcomeAck")] == ["SUCCESS"]


def test_in_one_attempt_a_positive_one_never_follows_a_negative_one(sides: Sides):  # contract, "Flows"
    sides.ouai.fail("500", None)
    failed = carry(sides)
    told_of = [key for key, state in steps_of(failed).items() if "acknowledgement" in key and state == "done"]
    assert told_of == [f"negative acknowledgement of attempt {failed.fence}"]


# -- routing ---------------------------------------------------------------------------------------------


@pytest.fixture
def west(sides: Sides) -> Iterator[Derms]:
    """A second DERMS, to which the instance WEST is routed."""
    with Derms() as derms:
        row = Connection.objects.get(name=DERMS)
        row.pk, row.name, row.package = None, OTHER, PACKAGE
        row.save(force_insert=True)
        connection_set(OTHER, {"url": derms.url + BASE, "auth": "none"}, {})
        Row.objects.create(lookup=Lookup.objects.get(name=ROUTING), cells=["WEST", OTHER])
        yield derms


def test_an_instance_with_a_row_of_its_own_is_told_there(sides: Sides, west: Derms):  # DACS_OUAI_Routing
    assert carry(sides, drmsInstanceId="WEST").status == "succeeded"
    assert len(west.received()) == 1
    assert sides.derms.received() == []


@pytest.mark.parametrize("instance", ["DERMS1", "unheard of", ""])
def test_any_other_goes_where_the_star_says(sides: Sides, west: Derms, instance: str):
    assert carry(sides, drmsInstanceId=instance).status == "succeeded"
    assert west.received() == []
    assert ack_types(sides) == ["SUCCESS"]


def test_one_that_is_not_named_goes_where_the_star_says(sides: Sides, west: Derms):
    message = told("event_outcome")
    del message["drmsInstanceId"]
    assert run_once(submit(sides, *FLOW, message, b"x").instance).status == "succeeded"
    assert ack_types(sides) == ["SUCCESS"]


def test_an_unknown_instance_without_a_star_is_an_error_before_anything_is_moved(sides: Sides, west: Derms):
    Row.objects.filter(lookup__name=ROUTING, cells__0="*").delete()
    failed = carry(sides, drmsInstanceId="EAST")
    assert (failed.status, failed.fault_class) == ("failed", "technical")
    for said in (ROUTING, "DRMS_Instance", "EAST"):
        assert said in failed.fault_text
    assert sides.bucket(OUTCOMES).names() == []
    assert sides.derms.received() == west.received() == []
    assert len(mails("error")) == 1


def test_the_mail_of_the_end_has_its_switch(sides: Sides):
    property_set(CONFIG, "notification.email.process.complete.flag", "false")
    assert carry(sides).status == "succeeded"
    assert mails("process-complete") == []
