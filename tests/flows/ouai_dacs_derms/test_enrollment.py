"""Enrollment FTP Transfer and Enrollment OS Transfer (seed 003 chapter 2, both Processing Details)."""

import pytest

from demo.ouai import ENROLMENTS
from integrations.models import ErrorInstance, FileTransfer
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Row
from tests.flows.conftest import mails, property_set
from tests.flows.cpmcs_derms.conftest import run_once
from tests.flows.ouai_dacs_derms.conftest import (
    CONFIG,
    DACS_USER,
    EMAILS,
    ENROL_BUCKET,
    OUAI_USER,
    Sides,
    Source,
    read,
)

FIRST, SECOND = "ENROLL_SYNC_0001.csv", "ENROLL_SYNC_0002.csv"
ODD = b"\xef\xbb\xbfanything\x00\r\n\xff at all"


def ftp_source(sides: Sides) -> Source:
    """DACS's file server."""
    folder = sides.enrolments

    def put(name: str, content: bytes) -> None:
        (folder / name).write_bytes(content)

    return Source(
        "OUTL-BA-DACS_OUAI_FTP_ENROLL",
        put,
        lambda: sorted(path.name for path in folder.iterdir()),
    )


def os_source(sides: Sides) -> Source:
    """DACS's object storage."""
    bucket = sides.bucket(ENROL_BUCKET)
    return Source("OUTL-BA-DACS_OUAI_OS_ENROLL", bucket.put, bucket.names)


@pytest.fixture(params=["ftp", "os"])
def source(request: pytest.FixtureRequest, sides: Sides) -> Source:
    """Each of the two in turn."""
    return ftp_source(sides) if request.param == "ftp" else os_source(sides)


@pytest.fixture
def two(source: Source) -> Source:
    """With two extracts in it, the second of bytes that mean nothing."""
    source.put(FIRST, read("enrollment.csv"))
    source.put(SECOND, ODD)
    return source


def test_each_extract_reaches_ouai_byte_for_byte_and_is_marked_as_sent(
    sides: Sides, two: Source
):  # steps 2-4 of either
    two.put("OTHER_0001.csv", b"no extract")
    two.put("Sent-ENROLL_SYNC_0000.csv", b"sent before")
    instance = two.run()
    assert instance.status == "succeeded"
    there = sides.bucket(ENROLMENTS)
    assert there.names() == [FIRST, SECOND]
    assert (there.read(FIRST), there.read(SECOND)) == (read("enrollment.csv"), ODD)
    assert two.names() == ["OTHER_0001.csv", "Sent-ENROLL_SYNC_0000.csv", f"Sent-{FIRST}", f"Sent-{SECOND}"]
    row = FileTransfer.objects.get(source_name=FIRST)
    assert (row.state, row.size, row.target_name) == ("done", len(read("enrollment.csv")), FIRST)
    assert {child.flow.identifier for child in instance.children.all()} == {"OUTL-BA-OUAI_OS_TRANSFER"}


def test_the_users_of_dacs_and_ouai_are_told_in_one_mail(sides: Sides, two: Source):  # step 4
    two.run()
    (mail,) = mails("process-complete")
    assert mail.recipients == [DACS_USER, OUAI_USER]
    assert mail.sender == "admin@myCy.com"
    for said in ("Files transferred: 2", FIRST, SECOND):
        assert said in mail.body
    assert mails("no-file") == mails("error") == []


def test_a_person_in_both_lists_is_told_once(sides: Sides, two: Source):
    property_set(EMAILS, "dacs.to.process.notification", f"a@myCy.com, {OUAI_USER}")
    two.run()
    (mail,) = mails("process-complete")
    assert mail.recipients == ["a@myCy.com", OUAI_USER]


def test_no_file_is_told_to_both_and_is_no_error(sides: Sides, source: Source):  # step 2
    source.put("OTHER_0001.csv", b"no extract")
    instance = source.run()
    assert instance.status == "succeeded"
    (mail,) = mails("no-file")
    assert mail.recipients == [DACS_USER, OUAI_USER]
    assert "ENROLL_SYNC" in mail.body
    assert mails("process-complete") == []


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("notification.email.process.nofile.flag", "no-file"),
        ("notification.email.process.complete.flag", "process-complete"),
    ],
)
def test_each_mail_has_its_switch(sides: Sides, source: Source, flag: str, kind: str):  # Lookups Referenced
    property_set(CONFIG, flag, "false")
    if kind == "process-complete":
        source.put(FIRST, b"x")
    assert source.run().status == "succeeded"
    assert mails(kind) == []


def test_a_target_that_fails_leaves_the_files_and_a_resubmission_moves_them_once(
    sides: Sides, two: Source
):  # step 5: error mail, and Process Complete with what was transferred and what was not
    sides.ouai.fail("500", None)
    failed = two.run()
    assert (failed.status, failed.fault_class) == ("failed", "remote")
    assert two.names() == [FIRST, SECOND]
    (error,), (summary,) = mails("error"), mails("process-complete")
    assert error.recipients == ["errorDist@myCy.com"]
    assert summary.recipients == [DACS_USER, OUAI_USER]
    assert "Files not transferred: 2" in summary.body
    sides.ouai.reset()
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert sides.bucket(ENROLMENTS).names() == [FIRST, SECOND]
    assert two.names() == [f"Sent-{FIRST}", f"Sent-{SECOND}"]
    assert ErrorInstance.objects.get().state == "recovered"


def test_a_name_that_ouai_has_with_other_content_stops_the_run(sides: Sides, two: Source):
    sides.bucket(ENROLMENTS).put(SECOND, b"another")
    failed = two.run()
    assert failed.status == "failed"
    assert SECOND in failed.fault_text
    assert sides.bucket(ENROLMENTS).read(SECOND) == b"another"
    assert f"Sent-{FIRST}" in two.names()
    (mail,) = mails("process-complete")
    assert "Files transferred: 1" in mail.body


@pytest.mark.parametrize("spelling", ["ouai.file.target.transfer.pref", "ouai.file.target.transfer"])
def test_the_preference_of_ouai_may_be_spelt_both_ways_or_lack(sides: Sides, two: Source, spelling: str):
    row = Row.objects.get(lookup__name=CONFIG, cells__0="ouai.file.target.transfer.pref")
    row.cells = [spelling, "os", ""]
    row.save()
    assert two.run().status == "succeeded"
    Row.objects.filter(pk=row.pk).delete()
    assert two.run().status == "succeeded"  # "defaulted to os": nothing is left to move
