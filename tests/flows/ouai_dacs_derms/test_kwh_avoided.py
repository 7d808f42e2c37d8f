"""KWH Avoided OS Transfer (seed 003 chapter 2), and what is checked as files pass (wire-facts 3.6)."""

from pathlib import Path

import pytest

from demo.ouai import KWH
from demo.ouai_files import Layout
from integrations.models import Instance
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import mails, property_set
from tests.flows.cpmcs_derms.conftest import run_once
from tests.flows.ouai_dacs_derms.conftest import (
    CONFIG,
    DACS_USER,
    KWH_BUCKET,
    OUAI_USER,
    Sides,
    read,
    run_flow,
)

FLOW, NAME = "OUTL-BA-OUAI_DACS_KWHAVD_OS_TRF", "ouai.kwh_avoided.20230210.csv"
HEADER, ONE, TWO = read("kwh_avoided.csv").splitlines(keepends=True)


def warnings(instance: Instance) -> list[str]:
    """What an operator sees in the activity streams of a run and its children."""
    runs = [instance, *instance.children.all()]
    return [line.text for run in runs for line in run.activities.filter(level="warning").order_by("id")]


def notes(instance: Instance) -> str:
    """Every line of both, as one text."""
    runs = [instance, *instance.children.all()]
    return "\n".join(line.text for run in runs for line in run.activities.order_by("id"))


def moved(sides: Sides, content: bytes) -> Instance:
    """A run over one file, which has to arrive as it is."""
    sides.bucket(KWH).put(NAME, content)
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert sides.bucket(KWH_BUCKET).read(NAME) == content
    assert sides.bucket(KWH).names() == [f"Sent-{NAME}"]
    return instance


@pytest.mark.parametrize(
    ("preference", "child"),
    [("os", "OUTL-BA-OUAI_DACS_OS_TRANSFER"), ("ftp", "OUTL-BA-OUAI_DACS_FTP_TRANSFER")],
)
def test_a_file_goes_where_the_preference_says(sides: Sides, preference: str, child: str):  # step 3
    property_set(CONFIG, "dacs.file.target.transfer.pref", preference)
    sides.bucket(KWH).put(NAME, read("kwh_avoided.csv"))
    sides.bucket(KWH).put("another.csv", b"x")
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert instance.children.get().flow.identifier == child
    there = {path.name: path.read_bytes() for path in sides.kwh.iterdir()}
    if preference == "os":
        there = {name: sides.bucket(KWH_BUCKET).read(name) for name in sides.bucket(KWH_BUCKET).names()}
        assert list(sides.kwh.iterdir()) == []
    assert there == {NAME: read("kwh_avoided.csv")}
    assert sides.bucket(KWH).names() == [f"Sent-{NAME}", "another.csv"]
    (mail,) = mails("process-complete")
    assert mail.recipients == [DACS_USER, OUAI_USER]
    assert warnings(instance) == []
    assert "2 record(s) hold what they say" in notes(instance)


def test_none_found_is_told_to_both(sides: Sides):  # step 2
    assert run_flow(FLOW).status == "succeeded"
    (mail,) = mails("no-file")
    assert mail.recipients == [DACS_USER, OUAI_USER]
    assert "ouai.kwh_avoided" in mail.body


@pytest.mark.parametrize("preference", ["os", "ftp"])
def test_a_target_that_fails_is_told_and_a_resubmission_moves_the_file(
    sides: Sides, preference: str
):  # step 5
    property_set(CONFIG, "dacs.file.target.transfer.pref", preference)
    server = sides.dacs_objects if preference == "os" else sides.dacs_files
    sides.bucket(KWH).put(NAME, read("kwh_avoided.csv"))
    server.fail("500" if preference == "os" else "down", None)
    failed = run_flow(FLOW)
    assert failed.status == "failed"
    assert sides.bucket(KWH).names() == [NAME]
    assert len(mails("error")) == 1
    (summary,) = mails("process-complete")
    assert NAME in summary.body
    assert "Files not transferred: 1" in summary.body
    server.reset()
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert sides.bucket(KWH).names() == [f"Sent-{NAME}"]


# What a record may say wrongly, and what an operator then reads.
FINDINGS = {
    "a sum": (ONE.replace(b",4.25,", b",4.75,"), "add up to 4.25, the period's total is 4.75"),
    "a period not covered": (ONE.replace(b"15:00:00", b"15:15:00"), "4 values of 900 s do not cover"),
    "a period too short": (ONE.replace(b"15:00:00", b"14:45:00"), "4 values of 900 s do not cover"),
    "an interval of another size": (ONE.replace(b",900,", b",600,"), "4 values of 600 s do not cover"),
    "a service point that is blank": (ONE.replace(b",4000000000,", b",,"), "SPId is blank"),
    "an event that is blank": (ONE.replace(b"EVT-1,", b" ,"), "EventId is blank"),
    "a date that is none": (ONE.replace(b"2023-02-10T14", b"2023-02-30T14"), "record 1: cannot be read"),
    "a date in words": (ONE.replace(b"2023-02-10T14:00:00-05:00", b"yesterday"), "record 1: cannot be read"),
    "a moment without a zone beside one with": (
        ONE.replace(b"14:00:00-05:00", b"14:00:00"),
        "record 1: cannot be read",
    ),
    "an interval in words": (ONE.replace(b",900,", b",PT15M,"), "record 1: cannot be read"),
    "an interval of nothing": (ONE.replace(b",900,", b",0,"), "4 values of 0 s do not cover"),
    "a value that is none": (ONE.replace(b",1.25,", b",n/a,"), "record 1: cannot be read"),
    "a value that is not a number by name": (ONE.replace(b",1.25,", b",NaN,"), "record 1"),
    "a value without end": (ONE.replace(b",1.25,", b",Infinity,"), "record 1"),
    "values beyond all numbers": (
        ONE.replace(b",1.00,1.25,", b",9e999999,9e999999,"),
        "record 1: cannot be read",
    ),
    "a total that is blank": (ONE.replace(b",4.25,", b",,"), "TotalKwhSavedForPeriod is blank"),
    "a record too short": (b"EVT-1,Economic\n", "has 2 fields, the header 13"),
    "a record too long": (ONE.replace(b"\n", b",1,2\n"), "has 15 fields, the header 13"),
}


@pytest.mark.parametrize("what", FINDINGS)
def test_what_does_not_hold_is_a_warning_and_the_file_still_moves(sides: Sides, what: str):
    record, said = FINDINGS[what]
    found = warnings(moved(sides, HEADER + record + TWO))
    assert len([text for text in found if said in text and "record 1" in text]) == 1, found
    assert not any("record 2" in text for text in found)


def test_of_many_findings_the_first_are_told_and_all_are_counted(sides: Sides):
    found = warnings(moved(sides, HEADER + FINDINGS["a sum"][0] * 40))
    assert len([text for text in found if "add up to" in text]) == 5
    assert any("40 findings in all" in text for text in found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 a zip file", "could not be checked: it is no CSV file of lines"),
        (b"\xff\xfe\x00binary\n", "could not be checked"),
        (b"EventId,ProgramId\n1,2\n", "could not be checked: its header has no SPId"),
    ],
    ids=["zip", "binary", "other columns"],
)
def test_what_is_no_such_file_moves_all_the_same(sides: Sides, content: bytes, said: str):
    found = warnings(moved(sides, content))
    assert any(said in text for text in found), found


def test_an_empty_file_moves_and_says_nothing_wrong(sides: Sides):
    moved(sides, b"")


@pytest.mark.parametrize(
    "layout",
    [Layout(bom=True), Layout(crlf=True), Layout(final_newline=False), Layout(blank_line=True)],
    ids=["BOM", "CRLF", "no final newline", "a blank line"],
)
def test_a_file_that_is_written_otherwise_holds_what_it_says(sides: Sides, layout: Layout):
    sides.ouai.put_kwh(NAME, ["EVT-1", "EVT-2", "EVT-3"], 20, layout=layout)
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert warnings(instance) == []
    assert "60 record(s) hold what they say" in notes(instance)


def test_a_large_file_is_checked_as_it_streams(sides: Sides, tmp_path: Path):
    made = sides.ouai.put_kwh(NAME, ["EVT-1", "EVT-2"], 30_000)  # 8 MB: more than goes with others
    instance = run_flow(FLOW)
    assert instance.status == "succeeded"
    assert len(sides.bucket(KWH_BUCKET).read(NAME)) == made.size
    assert "60000 record(s) hold what they say" in notes(instance)
