"""OU CCS DACS Customer Sync FTP Transfer (seed 001 chapter 2, its Processing Details step by step)."""

import io
import zipfile

import pytest

from integrations.engine.runner import work_on
from integrations.models import FileTransfer, Instance, SyncRequest
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import Edges, lines, mails, property_set, run_file_flow

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"


def run(prefix: str = "C1-DCTEX") -> Instance:
    return run_file_flow(FLOW, extractedFileNamePrefix=prefix)


def contact(reference: str, flag: str = "F1IC") -> bytes:
    return f"{reference}\t2026-01-02T03:04:05-05:00\t{flag}\tPER{reference}\tRES\tA Name\n".encode()


def test_files_of_the_prefix_are_moved_and_renamed_at_the_source(edges: Edges):  # steps 2, 3a, 3b
    edges.put("C1-DCTEX_0001_00.csv", b"one")
    edges.put("C1-DCTEX_0002_00.csv", b"two")
    edges.put("C1-DSPEX_0001_00.csv", b"other")
    assert run().status == "succeeded"
    assert edges.at_target() == ["C1-DCTEX_0001_00.csv", "C1-DCTEX_0002_00.csv"]
    assert edges.at_source() == [
        "C1-DSPEX_0001_00.csv",
        "SENT-C1-DCTEX_0001_00.csv",
        "SENT-C1-DCTEX_0002_00.csv",
    ]
    assert (edges.target / "C1-DCTEX_0002_00.csv").read_bytes() == b"two"


def test_each_file_is_a_child_call_of_the_common_ftp_transfer(edges: Edges):  # step 3b
    edges.put("C1-DCTEX_0001_00.csv")
    child = run().children.get()
    assert child.flow.identifier == "OUTL-BA-CCS_DACS_FTP_TRANSFER"
    assert child.status == "succeeded"


def test_the_ledger_has_size_checksum_and_new_name(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", b"abc")
    run()
    row = FileTransfer.objects.get()
    assert (row.state, row.size, row.renamed_to) == ("done", 3, "SENT-C1-DCTEX_0001_00.csv")
    assert row.sha256.startswith("ba7816bf")


def test_a_complete_run_is_mailed_with_its_files(edges: Edges):  # step 4
    edges.put("C1-DCTEX_0001_00.csv")
    instance = run()
    (mail,) = mails("process-complete")
    assert mail.recipients == ["busUserDist@myCy.com"]
    assert "Files transferred: 1\n  C1-DCTEX_0001_00.csv\nFiles not transferred: 0" in mail.body
    assert str(instance.pk) in mail.body
    assert mail.headers["X-Busbar-Flow"] == FLOW


def test_the_complete_mail_can_be_switched_off(edges: Edges):  # step 4
    property_set(CONFIG, "notification.email.process.complete.flag", "false")
    edges.put("C1-DCTEX_0001_00.csv")
    run()
    assert mails("process-complete") == []


def test_no_file_is_mailed_to_the_business_users(edges: Edges):  # step 2
    assert run().status == "succeeded"
    (mail,) = mails("no-file")
    assert mail.recipients == ["busUserDist@myCy.com"]
    assert mails("process-complete") == []


def test_the_no_file_mail_can_be_switched_off(edges: Edges):  # step 2
    property_set(CONFIG, "notification.email.process.nofile.flag", "false")
    instance = run()
    assert mails("no-file") == []
    assert "No file found; the mail about it is switched off" in lines(instance)


def test_an_error_midway_stops_the_run_and_both_mails_go_out(edges: Edges):  # step 5
    edges.put("C1-DCTEX_0001_00.csv")
    edges.put("C1-DCTEX_0002_00.csv", b"new content")
    edges.put("C1-DCTEX_0003_00.csv")
    (edges.target / "C1-DCTEX_0002_00.csv").write_bytes(b"something else")
    instance = run()
    assert instance.status == "failed"
    assert edges.at_source() == [
        "C1-DCTEX_0002_00.csv",
        "C1-DCTEX_0003_00.csv",
        "SENT-C1-DCTEX_0001_00.csv",
    ]
    (error,), (complete,) = mails("error"), mails("process-complete")
    assert error.recipients == ["errorDist@myCy.com"]
    assert "other content" in error.body
    assert "Files transferred: 1\n  C1-DCTEX_0001_00.csv\nFiles not transferred: 2" in complete.body
    assert "C1-DCTEX_0003_00.csv: not started" in complete.body


def test_what_is_at_the_target_is_never_overwritten_by_another_content(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", b"new")
    (edges.target / "C1-DCTEX_0001_00.csv").write_bytes(b"old")
    run()
    assert (edges.target / "C1-DCTEX_0001_00.csv").read_bytes() == b"old"
    assert edges.at_target() == ["C1-DCTEX_0001_00.csv"]


def test_the_same_content_at_the_target_counts_as_delivered(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", b"same")
    (edges.target / "C1-DCTEX_0001_00.csv").write_bytes(b"same")
    assert run().status == "succeeded"
    assert edges.at_source() == ["SENT-C1-DCTEX_0001_00.csv"]


def test_a_source_that_is_down_is_an_error_mail_and_no_complete_mail(edges: Edges):  # chapter 6 table
    edges.ccs_files.fail("down")
    instance = run()
    assert (instance.status, instance.fault_class) == ("failed", "remote")
    assert len(mails("error")) == 1
    assert mails("process-complete") == []


def test_a_target_that_refuses_the_login_is_named(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv")
    edges.dacs_files.fail("401")
    instance = run()
    assert instance.status == "failed"
    assert "OU FTP DACS for CCS-DACS" in instance.fault_text
    assert edges.at_source() == ["C1-DCTEX_0001_00.csv"]


def test_a_cut_midway_leaves_nothing_under_the_final_name(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", b"x" * 400_000)
    edges.dacs_files.fail("cut", 1)
    assert run().status == "failed"
    assert "C1-DCTEX_0001_00.csv" not in edges.at_target()
    assert edges.at_source() == ["C1-DCTEX_0001_00.csv"]


@pytest.mark.parametrize("flag", ["notification.email.error.flag", "notification.type.email"])
def test_the_error_mail_needs_both_flags(edges: Edges, flag: str):  # Common Error Handler step 2
    property_set(CONFIG, flag, "false")
    edges.ccs_files.fail("down")
    instance = run()
    assert mails("error") == []
    assert instance.children.get().status == "skipped"


def test_the_sent_prefix_is_the_configured_one(edges: Edges):
    property_set(CONFIG, "ccs.prefixtag.fileuploaded", "DONE_")
    edges.put("C1-DCTEX_0001_00.csv")
    run()
    assert edges.at_source() == ["DONE_C1-DCTEX_0001_00.csv"]


def test_a_preference_that_is_neither_ftp_nor_os_is_named(edges: Edges):
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    edges.put("C1-DCTEX_0001_00.csv")
    instance = run()
    assert instance.status == "failed"
    assert "OU REST DACS OS for CCS-DACS" in instance.fault_text


def test_incremental_records_await_their_acknowledgement_initial_ones_do_not(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", contact("11") + contact("12", "F1IL") + contact("13"))
    run()
    rows = SyncRequest.objects.order_by("sync_request_id")
    assert [(row.sync_request_id, row.status, row.entity) for row in rows] == [
        ("11", "awaiting", "Contact"),
        ("13", "awaiting", "Contact"),
    ]
    assert rows[0].overdue_at is not None


def test_records_inside_a_zip_are_noted_as_it_passes(edges: Edges):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("C1-DSPEX_0001_00.csv", contact("21") + contact("22"))
    edges.put("C1-DSPEX_0001_00.csv.zip", packed.getvalue())
    run("C1-DSPEX")
    assert SyncRequest.objects.filter(status="awaiting", entity="Metered service point").count() == 2
    assert (edges.target / "C1-DSPEX_0001_00.csv.zip").read_bytes() == packed.getvalue()


def test_a_zip_that_is_none_is_moved_and_warned_about(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv.zip", b"this is not a zip file at all, only its name says so")
    instance = run()
    assert instance.status == "succeeded"
    assert any("not all noted: it is no zip file" in line for line in lines(instance))


def test_noting_can_be_switched_off(edges: Edges):
    property_set(CONFIG, "hub.syncrequest.tracking.flag", "false")
    edges.put("C1-DCTEX_0001_00.csv", contact("11"))
    run()
    assert not SyncRequest.objects.exists()


def test_a_file_that_was_sent_and_is_put_back_unchanged_is_an_error_that_stops_no_other(edges: Edges):
    first = edges.put("C1-DCTEX_0001_00.csv")
    run()
    (edges.source / "SENT-C1-DCTEX_0001_00.csv").rename(first)
    edges.put("C1-DCTEX_0002_00.csv")
    instance = run()
    assert (instance.status, instance.fault_code) == ("failed", "HUB-FILE-AGAIN")
    assert "SENT-C1-DCTEX_0002_00.csv" in edges.at_source()


def test_a_directory_of_the_prefix_is_left_alone(edges: Edges):
    (edges.source / "C1-DCTEX_old").mkdir()
    edges.put("C1-DCTEX_0001_00.csv")
    assert run().status == "succeeded"
    assert "C1-DCTEX_old" in edges.at_source()


def test_a_failed_run_goes_on_where_it_stopped_when_it_is_resubmitted(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv")
    edges.put("C1-DCTEX_0002_00.csv", b"new content")
    blocker = edges.target / "C1-DCTEX_0002_00.csv"
    blocker.write_bytes(b"something else")
    instance = run()
    blocker.unlink()
    work_on(instance_resubmit(instance=instance, actor="an operator").pk)
    instance.refresh_from_db()
    assert (instance.status, instance.round, instance.error.state) == ("succeeded", 2, "recovered")
    assert "Files transferred: 2" in mails("process-complete")[1].body
