"""Load Reduction Forecast OS Transfer (seed 003 chapter 2, Processing Details)."""

import hashlib

import pytest
from django.utils import timezone

from demo.http import Answer, Call
from demo.ouai import FORECASTS
from integrations.models import ErrorInstance, FileTransfer, Instance
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import mails
from tests.flows.cpmcs_derms.conftest import fails, run_once, with_retries
from tests.flows.ouai_dacs_derms.conftest import (
    DERMS_FILES,
    DERMS_USER,
    OUAI_USER,
    Bucket,
    Sides,
    read,
    run_flow,
)
from tests.flows.ouai_dacs_derms.test_kwh_avoided import notes, warnings

FLOW = "OUTL-BA-OUAI_OS_LR_FORECAST"
FIRST, SECOND, THIRD = (f"ouai.load_forecast.2023021{day}.csv" for day in (1, 2, 3))


@pytest.fixture
def bucket(sides: Sides) -> Bucket:
    """OUAI's bucket with three forecasts in it."""
    found = sides.bucket(FORECASTS)
    for number, name in enumerate((FIRST, SECOND, THIRD)):
        found.put(name, read("load_forecast.csv") + b"\n" * number)
    return found


def times(sides: Sides) -> dict[str, int]:
    """How often DERMS took each file."""
    return {one.name: one.times for one in sides.derms.forecasts.scores().values()}


def asked(sides: Sides) -> list[str]:
    """The names DERMS was called with, in order."""
    return [call["path"].rpartition("/")[2] for call in sides.derms.received()]


def resubmitted(failed: Instance) -> Instance:
    return run_once(instance_resubmit(instance=failed, actor="an operator"))


def test_each_forecast_is_posted_as_it_is_in_order_and_marked_as_sent(
    sides: Sides, bucket: Bucket
):  # steps 2-4
    bucket.put("ouai.other.csv", b"x")
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert asked(sides) == [FIRST, SECOND, THIRD]
    taken = sides.derms.forecasts.scores()
    assert taken[FIRST].sha256 == hashlib.sha256(read("load_forecast.csv")).hexdigest()
    assert bucket.names() == sorted([f"Sent-{name}" for name in (FIRST, SECOND, THIRD)] + ["ouai.other.csv"])
    assert FileTransfer.objects.get(source_name=FIRST).state == "done"
    (mail,) = mails("process-complete")
    assert sorted(mail.recipients) == [DERMS_USER, OUAI_USER]
    assert "Files transferred: 3" in mail.body
    assert "2 record(s) hold what they say" in notes(instance)


def test_none_found_is_told_to_the_users_of_ouai_and_derms(sides: Sides):  # step 2
    assert run_flow(FLOW).status == "succeeded"
    (mail,) = mails("no-file")
    assert sorted(mail.recipients) == [DERMS_USER, OUAI_USER]


@pytest.mark.parametrize("said", ["FAILURE", "ERROR"])
def test_only_the_ack_type_success_is_a_yes_and_the_rest_stays(sides: Sides, bucket: Bucket, said: str):
    # step 3 d: "Otherwise, an error occurred during file transfer and the rest of the files will not be processed"
    sides.derms.say(said, 1)
    failed = run_flow(FLOW)
    assert (failed.status, failed.fault_class) == ("failed", "business")
    assert f"ackType {said!r}, where SUCCESS means done" in failed.fault_text
    assert asked(sides) == [FIRST]
    assert bucket.names() == [FIRST, SECOND, THIRD]
    (summary,), (error,) = mails("process-complete"), mails("error")
    assert "Files transferred: 0" in summary.body
    assert "Files not transferred: 3" in summary.body
    for name in (FIRST, SECOND, THIRD):
        assert name in summary.body
    assert error.recipients == ["errorDist@myCy.com"]
    assert resubmitted(failed).status == "succeeded"
    assert times(sides) == {FIRST: 1, SECOND: 1, THIRD: 1}
    assert bucket.names() == [f"Sent-{name}" for name in (FIRST, SECOND, THIRD)]
    assert ErrorInstance.objects.get().state == "recovered"


def test_one_in_the_middle_that_is_refused_keeps_what_was_sent(sides: Sides, bucket: Bucket):
    bucket.put(SECOND, b"")  # DERMS refuses an empty file
    failed = run_flow(FLOW)
    assert (failed.status, failed.fault_step) == ("failed", SECOND)
    assert bucket.names() == [f"Sent-{FIRST}", SECOND, THIRD]
    assert times(sides) == {FIRST: 1}
    (mail,) = mails("process-complete")
    assert "Files transferred: 1" in mail.body
    assert "Files not transferred: 2" in mail.body
    bucket.put(SECOND, read("load_forecast.csv"))
    assert resubmitted(failed).status == "succeeded"
    assert times(sides) == {FIRST: 1, SECOND: 1, THIRD: 1}


@pytest.mark.parametrize("mode", ["400", "401", "500", "cut", "down", "slow"])
def test_whatever_derms_meets_stops_the_run_and_a_resubmission_goes_on(
    sides: Sides, bucket: Bucket, mode: str
):
    fails(sides.derms, mode, DERMS_FILES)
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert bucket.names() == [FIRST, SECOND, THIRD]
    assert resubmitted(failed).status == "succeeded"
    assert times(sides) == {FIRST: 1, SECOND: 1, THIRD: 1}


def test_a_passing_fault_is_tried_again_by_itself_and_told_once(sides: Sides, bucket: Bucket):
    with_retries(DERMS_FILES, 2)
    sides.derms.fail("500", 1)
    waiting = run_flow(FLOW)
    assert waiting.status == "waiting"
    assert mails("process-complete") == mails("error") == []
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert len(mails("process-complete")) == 1


@pytest.mark.parametrize(
    "body", [None, "yes", [], {}, {"ackType": None}, {"ackType": "success"}, {"acktype": "SUCCESS"}]
)
def test_an_answer_without_the_ack_type_is_no_yes(
    sides: Sides, bucket: Bucket, body: object, monkeypatch: pytest.MonkeyPatch
):
    def handle(call: Call) -> Answer:
        return Answer(200, body)

    monkeypatch.setattr(sides.derms, "handle", handle)
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert "where SUCCESS means done" in failed.fault_text
    assert bucket.names() == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (b"1234512345,,2023-02-11,00:00:00,3600,,1,1,1,1\n", "SPId is blank"),
        (b"1234512345,4,2023-02-31,00:00:00,3600,,1,1,1,1\n", "cannot be read"),
        (b"1234512345,4,2023-02-11,00:00:00,0,,1,1,1,1\n", "the interval is 0 s"),
        (b"1234512345,4,2023-02-11,00:00:00,3600,,,,,\n", "there is no forecast value"),
    ],
)
def test_what_does_not_hold_is_a_warning_and_the_file_still_goes(sides: Sides, record: bytes, said: str):
    header = read("load_forecast.csv").splitlines(keepends=True)[0]
    sides.bucket(FORECASTS).put(FIRST, header + record)
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert any(said in text and "record 1" in text for text in warnings(instance))
    assert times(sides) == {FIRST: 1}
