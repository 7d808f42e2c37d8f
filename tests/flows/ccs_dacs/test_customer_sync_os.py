"""OU CCS DACS Customer Sync OS Transfer, and object storage as DACS's target (seed 001 chapter 2)."""

import pytest

from integrations.models import FileTransfer, Instance, SyncRequest
from tests.flows.ccs_dacs.conftest import BUCKET
from tests.flows.ccs_dacs.conftest import objects_in as names
from tests.flows.ccs_dacs.conftest import put_object as put
from tests.flows.conftest import Edges, mails, property_set, run_file_flow

FTP_FLOW, OS_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BA-CCS_DACS_CUST_SYNC_OS"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
RECORD = b"11\t2026-01-02T03:04:05-05:00\tF1IC\tPER11\tRES\tA Name\n"


def run(flow: str) -> Instance:
    return run_file_flow(flow, extractedFileNamePrefix="C1-DCTEX")


def test_from_object_storage_to_the_ftp_server(edges: Edges, stores):
    ccs, _ = stores
    put(ccs, "C1-DCTEX_0001_00.csv", RECORD)
    put(ccs, "C1-DSPEX_0001_00.csv", b"other")
    assert run(OS_FLOW).status == "succeeded"
    assert edges.at_target() == ["C1-DCTEX_0001_00.csv"]
    assert names(ccs) == ["C1-DSPEX_0001_00.csv", "SENT-C1-DCTEX_0001_00.csv"]
    assert SyncRequest.objects.get().status == "awaiting"
    assert len(mails("process-complete")) == 1


def test_from_object_storage_to_object_storage(stores):
    ccs, dacs = stores
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    put(ccs, "C1-DCTEX_0001_00.csv", RECORD)
    instance = run(OS_FLOW)
    assert instance.status == "succeeded"
    assert instance.children.get().flow.identifier == "OUTL-BA-CCS_DACS_OS_TRANSFER"
    assert names(dacs) == ["C1-DCTEX_0001_00.csv"]
    assert dacs.client().get_object(Bucket=BUCKET, Key="C1-DCTEX_0001_00.csv")["Body"].read() == RECORD


def test_from_the_ftp_server_to_object_storage(edges: Edges, stores):
    _, dacs = stores
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    edges.put("C1-DCTEX_0001_00.csv", RECORD)
    assert run(FTP_FLOW).status == "succeeded"
    assert names(dacs) == ["C1-DCTEX_0001_00.csv"]
    assert edges.at_source() == ["SENT-C1-DCTEX_0001_00.csv"]
    assert FileTransfer.objects.get().target_directory == f"dacsnamespace/{BUCKET}"


def test_no_object_of_the_prefix_is_mailed(stores):
    assert run(OS_FLOW).status == "succeeded"
    assert len(mails("no-file")) == 1


def test_other_content_under_the_object_s_name_is_not_overwritten(stores):
    ccs, dacs = stores
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    put(ccs, "C1-DCTEX_0001_00.csv", b"new")
    put(dacs, "C1-DCTEX_0001_00.csv", b"old!")
    assert run(OS_FLOW).status == "failed"
    assert dacs.client().get_object(Bucket=BUCKET, Key="C1-DCTEX_0001_00.csv")["Body"].read() == b"old!"
    assert names(ccs) == ["C1-DCTEX_0001_00.csv"]


def test_a_bucket_that_is_not_there_is_named(stores):
    property_set(CONFIG, "ccs.os.custsync.bucketname", "no-such-bucket")
    instance = run(OS_FLOW)
    assert instance.status == "failed"
    assert "no-such-bucket" in instance.fault_text
    assert len(mails("error")) == 1


@pytest.mark.parametrize("mode", ["down", "401", "500"])
def test_a_target_that_fails_leaves_the_source_as_it_was(stores, mode: str):
    ccs, dacs = stores
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    put(ccs, "C1-DCTEX_0001_00.csv", RECORD)
    dacs.fail(mode)
    instance = run(OS_FLOW)
    dacs.reset()
    assert (instance.status, instance.fault_class) == ("failed", "remote")
    assert names(ccs) == ["C1-DCTEX_0001_00.csv"]
    assert names(dacs) == []
