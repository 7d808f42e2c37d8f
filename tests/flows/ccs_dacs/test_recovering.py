"""What a crash, a lost answer or a second try must not break in the customer sync."""

import pytest

from integrations.engine.faults import Conflict, Fault
from integrations.engine.runner import work_on
from integrations.models import Breaker, Client, ErrorInstance, FileTransfer, Instance, Step, SyncRequest
from integrations.services.instance_discard import instance_discard
from integrations.services.instance_resubmit import instance_resubmit, resubmit_refusal
from tests.flows.ccs_dacs.test_customer_sync_ack import FLOW, RESOURCE, message, patched
from tests.flows.conftest import Edges, property_set, run_file_flow, send

FTP = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONTACT_LINE = b"11\t2026-01-02T03:04:05-05:00\tF1IC\tPER11\tRES\tA Name\n"


def run() -> Instance:
    return run_file_flow(FTP, extractedFileNamePrefix="C1-DCTEX")


def acknowledged(edges: Edges, dacs: Client, reference: str, name: str) -> None:
    send(dacs, FLOW, RESOURCE, message(reference, name))


def test_a_rejected_request_that_is_extracted_again_takes_a_second_acknowledgement(
    edges: Edges, dacs: Client
):
    put = edges.put
    put("C1-DCTEX_0001_00.csv", CONTACT_LINE)
    run()
    with pytest.raises(Fault):  # CCS does not know this request, the hub does
        acknowledged(edges, dacs, "11", "customer_sync_ack_rejected")
    SyncRequest.objects.update(status="error", acknowledged_at="2026-01-02T00:00:00Z")
    put("C1-DCTEX_0002_00.csv", CONTACT_LINE)
    run()
    assert SyncRequest.objects.get().status == "awaiting"
    with pytest.raises(Fault) as raised:
        acknowledged(edges, dacs, "11", "customer_sync_ack_accepted")
    assert raised.value.target_status == 404  # it reached CCS; it was no HUB-CONFLICT


def test_a_crash_between_delivery_and_rename_leaves_no_request_pending(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", CONTACT_LINE)
    run()
    (edges.source / "SENT-C1-DCTEX_0001_00.csv").rename(edges.source / "C1-DCTEX_0001_00.csv")
    FileTransfer.objects.update(state="sent", renamed_to="")
    SyncRequest.objects.update(status="pending", sent_at=None, overdue_at=None)
    assert run().status == "succeeded"
    row = SyncRequest.objects.get()
    assert row.status == "awaiting"
    assert row.overdue_at is not None


def test_a_replay_knows_what_the_original_may_have_done(edges: Edges, dacs: Client, awaiting: str):
    edges.ccs.fail("cut", 1)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    failed = Instance.objects.get(flow__identifier=FLOW)
    replay = instance_resubmit(instance=failed, actor="op")
    work_on(replay.pk)
    replay.refresh_from_db()
    assert replay.status == "succeeded"
    assert Step.objects.get(instance=replay).repeats == 1


def test_a_failed_replay_reopens_the_original_which_can_be_replayed_again(
    edges: Edges, dacs: Client, awaiting: str
):
    edges.ccs.fail("500", 2)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    original = Instance.objects.get(flow__identifier=FLOW)
    first = instance_resubmit(instance=original, actor="op")
    work_on(first.pk)
    error = ErrorInstance.objects.get()
    assert (error.instance, error.state, error.failures) == (original, "open", 2)
    assert "it is a replay" in resubmit_refusal(Instance.objects.get(pk=first.pk))
    second = instance_resubmit(instance=Instance.objects.get(pk=original.pk), actor="op")
    work_on(second.pk)
    error.refresh_from_db()
    assert error.state == "recovered"
    again, _ = send(dacs, FLOW, RESOURCE, message(awaiting))
    assert again.repeated
    assert [entry["status"] for entry in patched(edges)].count(200) == 1


def test_what_a_person_discarded_is_not_done_because_it_is_sent_again(
    edges: Edges, dacs: Client, awaiting: str
):
    edges.ccs.fail("500", 1)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    instance_discard(instance=Instance.objects.get(flow__identifier=FLOW), actor="op", reason="a test record")
    with pytest.raises(Conflict, match="discarded"):
        send(dacs, FLOW, RESOURCE, message(awaiting))


def test_a_refusal_after_a_server_error_is_a_refusal(edges: Edges, dacs: Client, awaiting: str):
    edges.ccs.fail("500", 1)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    edges.ccs.fail("400", 1)
    with pytest.raises(Fault) as raised:
        send(dacs, FLOW, RESOURCE, message(awaiting))
    assert raised.value.fault_class == "business"


def test_a_source_that_works_again_closes_its_breaker(edges: Edges):
    edges.ccs_files.fail("down", 1)
    run()
    assert Breaker.objects.get().failures == 1
    run()
    assert Breaker.objects.get().failures == 0


def test_a_source_that_breaks_is_not_put_down_to_the_target(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", b"x" * 400_000)
    edges.ccs_files.fail("cut", 1)
    assert "OU FTP CCS for CCS-DACS" in run().fault_text


def test_a_prefix_for_sent_files_that_would_be_listed_again_is_refused(edges: Edges):
    property_set("OUTL-BRT-CCS_DACS_ConfigProps", "ccs.prefixtag.fileuploaded", "C1-DCTEX-sent-")
    edges.put("C1-DCTEX_0001_00.csv")
    assert "every run would send them again" in run().fault_text
    assert edges.at_target() == []


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_run(edges: Edges, monkeypatch):
    path = edges.put("C1-DCTEX_0001_00.csv", b"first half\n")

    def grow(name: str) -> None:
        if name == "while_copying" and path.exists() and path.stat().st_size < 15:
            with path.open("ab") as more:
                more.write(b"second half\n")

    monkeypatch.setattr("integrations.engine.files.crash", grow)
    instance = run()
    assert instance.fault_code == "HUB-SOURCE-CHANGED"
    assert edges.at_target() == []
    assert edges.at_source() == ["C1-DCTEX_0001_00.csv"]
    monkeypatch.undo()
    assert run().status == "succeeded"
    assert (edges.target / "C1-DCTEX_0001_00.csv").read_bytes() == b"first half\nsecond half\n"
