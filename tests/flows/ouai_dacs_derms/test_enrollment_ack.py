"""Enrollment Acknowledgment OS Process (seed 003 chapter 2): record by record, going on where it stopped."""

import csv
import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from demo.ouai import FEEDBACK
from demo.ouai_files import FEEDBACK_HEADER, Layout, feedback
from integrations.models import Breaker, Connection, ErrorInstance, FileTransfer, Instance
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Row
from tests.flows.conftest import lines, mails, property_set
from tests.flows.cpmcs_derms.conftest import fails, run_once
from tests.flows.ouai_dacs_derms.conftest import (
    CONFIG,
    DACS,
    DACS_USER,
    OUAI_USER,
    Sides,
    read,
    run_flow,
)

FLOW = "OUTL-BA-OUAI_DACS_OS_ENROLL_ACK"
STEM, NEXT = "feedback.dacs.program_subscription.20230210", "feedback.dacs.program_subscription.20230211"
NAME = f"{STEM}.csv"
PATH = "/rest/apis/common/sync/syncRequest/"


def stopped_at(record: int, stem: str = STEM) -> str:
    """The seed's sample: `feedback.dacs.program_subscription.20230210_ErrInRcd_6.csv`."""
    return f"{stem}_ErrInRcd_{record}.csv"


def csv_of(rows: Iterable[Iterable[str]]) -> bytes:
    """A feedback file of these rows: sync request, status, code, text."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(FEEDBACK_HEADER.split(","))
    for key, status, code, said in rows:
        out.writerow((key, "2000000000", "4000000000", status, code, said, "2023-02-10T08:15:00+00:00"))
    return text.getvalue().encode()


class Story:
    """A feedback file for so many enrolments of DACS, in OUAI's bucket."""

    def __init__(self, sides: Sides, count: int = 10, name: str = NAME) -> None:
        self.sides, self.bucket = sides, sides.bucket(FEEDBACK)
        self.ids = sides.dacs.enrol(count)
        self.content = b"".join(feedback(self.ids))
        self.bucket.put(name, self.content)

    @property
    def called(self) -> list[str]:
        """The sync requests that calls came for, in order."""
        return [one["path"].removeprefix(PATH) for one in self.sides.dacs.received()]

    def fail_at(self, record: int, status: int = 500, times: int | None = 1) -> None:
        """DACS refuses the next acknowledgement of this record, counted from 1."""
        self.sides.dacs.answer_with(self.ids[record - 1], status, times)

    def names(self) -> list[str]:
        """What the bucket holds."""
        return self.bucket.names()

    def taken(self) -> dict[str, int]:
        """How many acknowledgements DACS took for each."""
        return {key: len(one.messages) for key, one in self.sides.dacs.taken().items()}


@pytest.fixture
def story(sides: Sides) -> Story:
    """A file of ten records."""
    return Story(sides)


def whole(story: Story) -> None:
    """Each record was taken once, and the file has its last name."""
    assert story.taken() == dict.fromkeys(story.ids, 1)
    assert story.names() == [f"Sent-{NAME}"]


def ledger(name: str = NAME) -> tuple[int, str, str]:
    """How far the file got, by the ledger: records done, state, its name now."""
    row = FileTransfer.objects.get(source_name=name)
    return row.records_done, row.state, row.renamed_to


def resubmitted(failed: Instance) -> Instance:
    return run_once(instance_resubmit(instance=failed, actor="an operator"))


def test_each_record_is_a_patch_in_the_order_of_the_file(sides: Sides, story: Story):  # step 3 b, c
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert story.called == story.ids
    assert {one["method"] for one in sides.dacs.received()} == {"PATCH"}
    whole(story)
    assert ledger() == (10, "done", f"Sent-{NAME}")
    assert any("10 record(s) sent" in line for line in lines(instance))
    (mail,) = mails("process-complete")
    assert mail.recipients == [DACS_USER, OUAI_USER]
    assert "Files transferred: 1" in mail.body
    assert NAME in mail.body


def test_a_positive_record_says_so_and_a_negative_one_why(sides: Sides):  # step 3 b, the transformation
    sides.dacs.enrol(3)
    sides.bucket(FEEDBACK).put(NAME, read("feedback.csv"))
    assert run_flow(FLOW).status == "succeeded"
    first, second, third = (one["body"] for one in sides.dacs.received())
    assert first == {"syncRequestId": "30000000000001", "hasError": False}
    text = 'UNKNOWN_SP: Service point 4000000001 is not known, and "enrolled" twice'
    assert second == {
        "syncRequestId": "30000000000002",
        "hasError": True,
        "exceptionInfo": [
            {
                "sequence": 1,
                "messageCategory": 11114,
                "messageNumber": 11001,
                "messageParameters": [{"parameterSequence": 1, "messageParameterValue": text}],
                "comments": text,
            }
        ],
    }
    assert third["hasError"] is False


@pytest.mark.parametrize(
    ("status", "code", "said", "value"),
    [
        ("ERROR", "", "", "Refused by OUAI without a reason"),
        ("error", "", "no", "no"),
        ("ERROR", "X1", "no", "X1: no"),
        ("ERROR", "X1", "", "X1"),
        ("", "", "", "Refused by OUAI without a reason"),
    ],
)
def test_a_negative_record_need_not_say_why(sides: Sides, status: str, code: str, said: str, value: str):
    (key,) = sides.dacs.enrol()
    sides.bucket(FEEDBACK).put(NAME, csv_of([(key, status, code, said)]))
    assert run_flow(FLOW).status == "succeeded"
    (call,) = sides.dacs.received()
    assert call["body"]["hasError"] is True
    (info,) = call["body"]["exceptionInfo"]
    (parameter,) = info["messageParameters"]
    assert parameter["messageParameterValue"] == value


def test_a_long_text_is_cut_where_dacs_takes_no_more(sides: Sides):
    (key,) = sides.dacs.enrol()
    sides.bucket(FEEDBACK).put(NAME, csv_of([(key, "ERROR", "LONG", "ü" * 5000)]))
    assert run_flow(FLOW).status == "succeeded"
    (info,) = sides.dacs.received()[0]["body"]["exceptionInfo"]
    assert len(info["comments"]) == 254
    assert len(info["messageParameters"][0]["messageParameterValue"]) == 2000


def test_the_codes_are_those_of_the_properties(sides: Sides):  # seed 003 chapter 7
    (key,) = sides.dacs.enrol()
    property_set(CONFIG, "dacs.error.ack.messagecategory", "90001")
    property_set(CONFIG, "dacs.error.ack.messagenumber", "7")
    sides.bucket(FEEDBACK).put(NAME, csv_of([(key, "ERROR", "", "no")]))
    run_flow(FLOW)
    (info,) = sides.dacs.received()[0]["body"]["exceptionInfo"]
    assert (info["messageCategory"], info["messageNumber"]) == (90001, 7)


def test_none_found_is_told_to_both(sides: Sides):  # step 2
    sides.bucket(FEEDBACK).put("feedback.other.csv", b"x")
    assert run_flow(FLOW).status == "succeeded"
    (mail,) = mails("no-file")
    assert mail.recipients == [DACS_USER, OUAI_USER]
    assert sides.dacs.received() == []


# -- an error at a record --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fault_class"),
    [(500, "remote"), (401, "remote"), (404, "business"), (403, None), (422, "business")],
)
def test_an_error_at_a_record_is_in_the_name_and_the_next_run_starts_there(
    sides: Sides, story: Story, status: int, fault_class: str | None
):  # step 3: "When the file is reprocessed, it will start at the 6th record"
    story.fail_at(6, status)
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert failed.fault_step == "record 6"
    assert fault_class in (failed.fault_class, None)
    assert str(status) in failed.fault_text
    assert story.names() == [stopped_at(6)]
    assert story.called == story.ids[:6]
    assert ledger() == (5, "copying", stopped_at(6))
    again = run_flow(FLOW)
    assert again.status == "succeeded"
    assert story.called == [*story.ids[:6], *story.ids[5:]]
    whole(story)
    assert any("goes on at record 6" in line for line in lines(again))
    assert not again.activities.filter(level="warning").exists()


@pytest.mark.parametrize("mode", ["down", "slow", "cut"])
def test_a_connection_that_fails_stops_the_run_at_its_record(sides: Sides, story: Story, mode: str):
    # "an error was encountered due to a network connection issue or the application went down"
    story.fail_at(4, 500)
    run_flow(FLOW)
    fails(sides.dacs, mode, DACS)
    failed = run_flow(FLOW)
    assert (failed.status, failed.fault_class) == ("failed", "remote")
    assert story.names() == [stopped_at(4)]
    assert run_flow(FLOW).status == "succeeded"
    whole(story)


def test_a_resubmission_goes_on_too_and_recovers_the_error(sides: Sides, story: Story):
    story.fail_at(3)
    failed = run_flow(FLOW)
    assert resubmitted(failed).status == "succeeded"
    whole(story)
    assert ErrorInstance.objects.get().state == "recovered"


def test_a_second_error_moves_the_number_on(sides: Sides, story: Story):
    story.fail_at(3)
    run_flow(FLOW)
    story.fail_at(7)
    run_flow(FLOW)
    assert story.names() == [stopped_at(7)]
    assert ledger() == (6, "copying", stopped_at(7))
    story.fail_at(10)
    run_flow(FLOW)
    assert story.names() == [stopped_at(10)]
    assert run_flow(FLOW).status == "succeeded"
    whole(story)


@pytest.mark.parametrize("times", [2, 3])
def test_an_error_at_the_same_record_again_leaves_the_name(sides: Sides, story: Story, times: int):
    story.fail_at(5, times=times)
    for _ in range(times):
        assert run_flow(FLOW).status == "failed"
        assert story.names() == [stopped_at(5)]
    assert run_flow(FLOW).status == "succeeded"
    whole(story)


def test_an_error_at_the_first_record_and_at_the_last(sides: Sides, story: Story):
    story.fail_at(1)
    run_flow(FLOW)
    assert story.names() == [stopped_at(1)]
    story.fail_at(10)
    run_flow(FLOW)
    assert story.names() == [stopped_at(10)]
    run_flow(FLOW)
    whole(story)


def test_it_is_not_tried_again_by_itself(sides: Sides, story: Story):  # the seed's own way on: the next run
    Connection.objects.filter(name=DACS).update(retries=5)
    story.fail_at(2)
    assert run_flow(FLOW).status == "failed"


def test_files_after_the_one_that_stopped_are_not_begun_and_told_so(sides: Sides, story: Story):  # steps 4, 5
    first = Story(sides, 2, "feedback.dacs.program_subscription.20230209.csv")
    Story(sides, 2, f"{NEXT}.csv")
    story.fail_at(6)
    failed = run_flow(FLOW)
    assert story.names() == sorted(
        [f"{NEXT}.csv", stopped_at(6), "Sent-feedback.dacs.program_subscription.20230209.csv"]
    )
    assert story.called == [*first.ids, *story.ids[:6]]
    (error,), (mail,) = mails("error"), mails("process-complete")
    assert error.recipients == ["errorDist@myCy.com"]
    assert mail.recipients == [DACS_USER, OUAI_USER]
    for said in ("Files transferred: 1", "Files not transferred: 2", NAME, f"{NEXT}.csv", "Not begun"):
        assert said in mail.body
    assert not FileTransfer.objects.filter(source_name=f"{NEXT}.csv").exists()
    assert resubmitted(failed).status == "succeeded"
    assert all(name.startswith("Sent-") for name in story.names())


# -- duplicates ------------------------------------------------------------------------------------------


def test_a_duplicate_is_passed_over_and_counted(sides: Sides, story: Story):  # the issue: HTTP 400
    for record in (2, 5, 10):
        sides.dacs.sync_requests.acknowledge(story.ids[record - 1], None)
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert story.called == story.ids
    assert story.names() == [f"Sent-{NAME}"]
    said = lines(instance)
    assert any("10 record(s) sent, 3 of them were there already" in line for line in said)
    assert any(story.ids[1] in line and "passed over" in line and "400" in line for line in said)


def test_a_file_of_duplicates_only_is_done(sides: Sides, story: Story):
    for key in story.ids:
        sides.dacs.sync_requests.acknowledge(key, None)
    assert run_flow(FLOW).status == "succeeded"
    assert story.names() == [f"Sent-{NAME}"]


def test_an_enrolment_acknowledged_anew_in_another_file_is_not_taken_for_the_first(sides: Sides):
    """Put right at DACS, it awaits its acknowledgement again; OUAI says of it another thing at the same place."""
    (key,) = sides.dacs.enrol()
    bucket = sides.bucket(FEEDBACK)
    bucket.put(NAME, csv_of([(key, "ERROR", "", "no")]))
    assert run_flow(FLOW).status == "succeeded"
    sides.dacs.sync_requests.extracted(sides.dacs.sync_requests.find("error"), "")
    bucket.put(f"{NEXT}.csv", csv_of([(key, "SUCCESS", "", "")]))
    assert run_flow(FLOW).status == "succeeded"
    assert [one["hasError"] for one in sides.dacs.taken()[key].messages] == [True, False]
    assert [one.status for one in sides.dacs.sync_requests.find()] == ["synchronised"]


def test_one_sync_request_twice_in_a_file_is_told_once(sides: Sides):
    (key,) = sides.dacs.enrol()
    sides.bucket(FEEDBACK).put(NAME, csv_of([(key, "SUCCESS", "", "")] * 2))
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert len(sides.dacs.taken()[key].messages) == 1
    assert any("1 of them were there already" in line for line in lines(instance))


# -- ledger and name -------------------------------------------------------------------------------------


def warned(instance: Instance) -> list[str]:
    return list(instance.activities.filter(level="warning").values_list("text", flat=True))


@pytest.mark.parametrize(("named", "known"), [(3, 7), (9, 7)])
def test_where_name_and_ledger_disagree_the_ledger_wins_and_says_so(
    sides: Sides, story: Story, named: int, known: int
):  # the issue: "if the name says 6 and the ledger says 9, the ledger wins and says so"
    story.fail_at(known)
    run_flow(FLOW)
    story.bucket.rename(stopped_at(known), stopped_at(named))
    again = run_flow(FLOW)
    assert again.status == "succeeded"
    assert story.called == [*story.ids[:known], *story.ids[known - 1 :]]
    whole(story)
    (said,) = warned(again)
    assert said == (
        f"{stopped_at(named)} says {named - 1} record(s) are done, the ledger says {known - 1}: it goes on at record "
        f"{known}"
    )


def test_a_file_under_its_first_name_goes_on_by_the_ledger(sides: Sides, story: Story):
    """As after a crash before the rename, or a person who took the number away."""
    story.fail_at(6)
    run_flow(FLOW)
    story.bucket.rename(stopped_at(6), NAME)
    assert run_flow(FLOW).status == "succeeded"
    assert story.called == [*story.ids[:6], *story.ids[5:]]
    whole(story)


def test_the_name_counts_where_the_ledger_knows_nothing(sides: Sides, story: Story):
    """A file that was stopped by what was there before this hub."""
    story.bucket.rename(NAME, stopped_at(8))
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert story.called == story.ids[7:]
    assert story.names() == [f"Sent-{NAME}"]
    assert warned(instance) == []


@pytest.mark.parametrize("number", [0, 11, 12, 500])
def test_a_number_that_no_record_has_does_no_harm(sides: Sides, story: Story, number: int):
    story.bucket.rename(NAME, stopped_at(number))
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert story.called == (story.ids if number == 0 else [])


def test_a_corrected_file_of_another_size_goes_on_where_its_name_says(sides: Sides, story: Story):
    unknown = csv_of([("nobody", "SUCCESS", "", "")]).splitlines(keepends=True)[1]
    rows = story.content.splitlines(keepends=True)
    story.bucket.put(NAME, b"".join([*rows[:4], unknown, *rows[4:]]))  # record 4 is of no sync request
    failed = run_flow(FLOW)
    assert (failed.status, failed.fault_step) == ("failed", "record 4")
    assert story.names() == [stopped_at(4)]
    story.bucket.put(stopped_at(4), story.content)  # a person took the record out
    assert run_flow(FLOW).status == "succeeded"
    whole(story)
    assert FileTransfer.objects.filter(source_name=NAME, state="done").count() == 1


def test_a_file_that_was_done_and_is_here_again_unchanged_stops_and_says_so(sides: Sides, story: Story):
    run_flow(FLOW)
    story.bucket.put(NAME, story.content)
    failed = run_flow(FLOW)
    assert (failed.status, failed.fault_code) == ("failed", "HUB-FILE-AGAIN")
    assert "is here again, unchanged" in failed.fault_text
    assert story.called == story.ids
    assert NAME in story.names()
    (_, second) = mails("process-complete")
    assert "Files not transferred: 1" in second.body


def test_a_file_of_the_same_name_with_other_records_is_another_file(sides: Sides, story: Story):
    run_flow(FLOW)
    story.bucket.delete(f"Sent-{NAME}")
    other = Story(sides, 10)
    assert run_flow(FLOW).status == "succeeded"
    assert story.called == [*story.ids, *other.ids]
    assert other.names() == [f"Sent-{NAME}"]


def test_a_new_file_of_the_name_and_size_of_one_that_stopped_is_sent_whole(sides: Sides, story: Story):
    """Its first records are none of those that the ledger has as done."""
    story.fail_at(6)
    run_flow(FLOW)
    other = Story(sides, 10)
    assert len(other.content) == len(story.content)
    sides.dacs.reset()
    failed = run_flow(FLOW)
    assert other.called == [*other.ids, *story.ids[5:]]
    assert failed.status == "failed"  # both cannot be called the same
    assert f"Sent-{NAME}" in failed.fault_text
    assert other.taken() == dict.fromkeys([*story.ids, *other.ids], 1)


def test_a_name_that_is_taken_after_all_records_keeps_them_done(sides: Sides, story: Story):
    """The records are not sent again when a person has made room."""
    story.bucket.put(f"Sent-{NAME}", b"of last year")
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert story.bucket.read(f"Sent-{NAME}") == b"of last year"
    assert ledger()[0] == 10
    story.bucket.delete(f"Sent-{NAME}")
    assert run_flow(FLOW).status == "succeeded"
    assert story.called == story.ids
    whole(story)


def test_a_copy_left_by_a_rename_that_was_cut_off_costs_no_record(sides: Sides, story: Story):
    """Object storage renames by copying: a crash before the old one is deleted leaves both."""
    story.fail_at(6)
    run_flow(FLOW)
    story.bucket.put(NAME, story.content)
    run_flow(FLOW)
    assert story.taken() == dict.fromkeys(story.ids, 1)
    assert story.called == [*story.ids[:6], *story.ids[5:]]
    assert f"Sent-{NAME}" in story.names()


def test_a_last_name_that_was_not_recorded_is_recorded_in_the_next_run(sides: Sides, story: Story):
    """As after a crash between the two: that run told nobody, so this one does."""
    run_flow(FLOW)
    mails("process-complete")[0].delete()
    FileTransfer.objects.update(state="copying", renamed_to="")
    again = run_flow(FLOW)
    assert again.status == "succeeded"
    assert ledger() == (10, "done", f"Sent-{NAME}")
    assert any("its rename is recorded now" in line for line in lines(again))
    (mail,) = mails("process-complete")
    assert NAME in mail.body
    assert mails("no-file") == []
    assert story.called == story.ids


def test_a_store_that_cannot_rename_hides_nothing_and_the_next_run_goes_on(
    sides: Sides, story: Story, monkeypatch: pytest.MonkeyPatch
):
    story.fail_at(6)
    works = sides.dacs._synchronise

    def also_breaks_the_store(asked: Any) -> Any:
        answer = works(asked)
        if answer.status == 500:
            sides.ouai.fail("500", None)
        return answer

    monkeypatch.setattr(sides.dacs, "_synchronise", also_breaks_the_store)
    sides.dacs.__dict__.pop("_does", None)
    failed = run_flow(FLOW)
    assert failed.fault_step == "record 6"
    assert "500" in failed.fault_text
    assert any("could not be renamed" in text for text in warned(failed))
    sides.ouai.reset()
    assert story.names() == [NAME]
    assert run_flow(FLOW).status == "succeeded"
    whole(story)


# -- how files are written -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layout",
    [
        Layout(crlf=True),
        Layout(final_newline=False),
        Layout(bom=True),
        Layout(blank_line=True),
        Layout(crlf=True, bom=True, final_newline=False, blank_line=True),
    ],
    ids=["CRLF", "no final newline", "BOM", "an empty line in the middle", "all of them"],
)
def test_a_file_written_otherwise_is_the_same_and_goes_on_at_the_same_record(sides: Sides, layout: Layout):
    # the issue: Windows line ends, no final newline, a BOM, an empty line in the middle; N counts records, not lines
    ids = sides.dacs.enrol(6)
    sides.ouai.put_feedback(NAME, ids, {ids[1]: 'Not known, "as it were"'}, layout=layout)
    sides.dacs.answer_with(ids[3], 500, 1)
    assert run_flow(FLOW).fault_step == "record 4"
    assert sides.bucket(FEEDBACK).names() == [stopped_at(4)]
    assert run_flow(FLOW).status == "succeeded"
    assert {key: len(one.messages) for key, one in sides.dacs.taken().items()} == dict.fromkeys(ids, 1)
    (message,) = sides.dacs.taken()[ids[1]].messages
    assert 'Not known, "as it were"' in message["exceptionInfo"][0]["comments"]
    assert sides.bucket(FEEDBACK).names() == [f"Sent-{NAME}"]


def test_columns_come_in_any_order_and_others_do_not_matter(sides: Sides):
    first, second = sides.dacs.enrol(2)
    content = f"Status,hello,SYNCREQUESTID\nSUCCESS,1,{first}\nERROR,2,{second}\n"
    sides.bucket(FEEDBACK).put(NAME, content.encode())
    assert run_flow(FLOW).status == "succeeded"
    assert [one["body"]["hasError"] for one in sides.dacs.received()] == [False, True]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"syncRequestId,servicePointId\n1,2\n", "has no column status"),
        (b"status,errorCode\nSUCCESS,\n", "has no column syncRequestId"),
        (b"PK\x03\x04 zipped", "is a zip file"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_stops_at_its_first_record(sides: Sides, content: bytes, said: str):
    sides.bucket(FEEDBACK).put(NAME, content)
    failed = run_flow(FLOW)
    assert (failed.status, failed.fault_class) == ("failed", "technical")
    assert said in failed.fault_text
    assert NAME in failed.fault_text
    assert sides.dacs.received() == []
    assert sides.bucket(FEEDBACK).names() == [stopped_at(1)]
    assert "Files not transferred: 1" in mails("process-complete")[0].body


def test_a_ragged_record_stops_there_and_those_before_it_are_done(sides: Sides, story: Story):
    rows = story.content.splitlines(keepends=True)
    story.bucket.put(NAME, b"".join([*rows[:6], b"one,two\n", *rows[6:]]))
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert "2 fields in record 6" in failed.fault_text
    assert story.called == story.ids[:5]
    assert story.names() == [stopped_at(6)]
    story.bucket.put(stopped_at(6), story.content)
    assert run_flow(FLOW).status == "succeeded"
    whole(story)


@pytest.mark.parametrize("key", ["", " "])
def test_a_record_without_a_sync_request_stops_there(sides: Sides, story: Story, key: str):
    rows = story.content.splitlines(keepends=True)
    odd = csv_of([(key, "SUCCESS", "", "")]).splitlines(keepends=True)[1]
    story.bucket.put(NAME, b"".join([*rows[:3], odd, *rows[3:]]))
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert story.names() == [stopped_at(3)]
    assert set(story.taken()) == set(story.ids[:2])


def test_a_header_alone_is_a_file_of_no_records(sides: Sides):
    sides.bucket(FEEDBACK).put(NAME, FEEDBACK_HEADER.encode() + b"\n")
    assert run_flow(FLOW).status == "succeeded"
    assert sides.dacs.received() == []
    assert sides.bucket(FEEDBACK).names() == [f"Sent-{NAME}"]


# -- the connection --------------------------------------------------------------------------------------


def test_an_open_breaker_has_the_run_wait_and_nothing_is_renamed(sides: Sides, story: Story):
    now = timezone.now()
    breaker = Breaker.objects.create(
        connection=Connection.objects.get(name=DACS),
        failures=5,
        open_until=now + timedelta(seconds=30),
    )
    waiting = run_flow(FLOW)
    assert waiting.status == "waiting"
    assert story.names() == [NAME]
    assert sides.dacs.received() == []
    assert mails("error") == mails("process-complete") == []
    Breaker.objects.filter(pk=breaker.pk).update(open_until=now)
    Instance.objects.update(due_at=now)
    assert run_once(waiting).status == "succeeded"
    whole(story)
    breaker.refresh_from_db()
    assert (breaker.failures, breaker.open_until) == (0, None)


def test_faults_at_records_count_at_the_breaker(sides: Sides, story: Story):
    story.fail_at(1, times=None)
    for _ in range(5):
        run_flow(FLOW)
    assert Breaker.objects.get(connection__name=DACS).open_until is not None


def test_a_prefix_by_which_finished_files_would_be_found_again_is_refused(sides: Sides, story: Story):
    property_set(CONFIG, "ouai.prefixtag.fileuploaded", "feedback.dacs.program_subscription")
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert "every run would send them again" in failed.fault_text
    assert sides.dacs.received() == []


def test_the_printed_spelling_of_the_prefix_property_is_known(sides: Sides, story: Story):
    # seed 003 chapter 7: "feedback.dacs.program_sub description" stands where program_subscription is meant
    row = Row.objects.get(lookup__name=CONFIG, cells__0="ouai.os.enrollack.filename.prefix")
    assert row.cells[1] == "feedback.dacs.program_subscription"


def test_a_thousand_and_one_records_need_few_lines_and_are_told_of_on_the_way(sides: Sides):
    story = Story(sides, 1001)
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    whole(story)
    assert len(lines(instance)) < 20
    assert any("1000 records" in line for line in lines(instance))
