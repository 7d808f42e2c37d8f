"""The object storage flow over OCI's native API, as the seeds configure it (seed 001 chapter 6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.oci import OciServer
from integrations.models import FileTransfer
from tests.contracts.sites import OciSite, oci_account, oci_endpoint
from tests.flows.ccs_dacs.conftest import BUCKET
from tests.flows.conftest import Edges, connection_set, property_set, run_file_flow

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_OS"
MB = 1024 * 1024


def run():
    return run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX")


@pytest.fixture
def buckets(edges: Edges, tmp_path: Path) -> Iterator[tuple[OciSite, OciSite]]:
    """CCS's and DACS's buckets behind native endpoints, and the connections to them."""
    property_set("OUTL-BRT-CCS_DACS_ConfigProps", "dacs.file.target.transfer.pref", "os")
    account = oci_account("writer")
    with (
        OciServer(tmp_path / "ccs", [BUCKET], namespace="ccsnamespace", accounts=[account]) as ccs,
        OciServer(tmp_path / "dacs", [BUCKET], namespace="dacsnamespace", accounts=[account]) as dacs,
    ):
        found = []
        for name, server in (("OU REST CCS OS for CCS-DACS", ccs), ("OU REST DACS OS for CCS-DACS", dacs)):
            endpoint = oci_endpoint(server, account)
            settings, secrets = dict(endpoint.settings), dict(endpoint.secrets)
            connection_set(name, settings, secrets, adapter="oci_object_storage")
            found.append(OciSite(endpoint, BUCKET, server))
        yield found[0], found[1]


def content_of(site: OciSite, name: str) -> bytes:
    return b"".join(content.path.read_bytes() for content in site.bucket.get(name).contents)


def test_files_small_and_large_go_from_bucket_to_bucket_and_are_renamed_in_one_request_each(buckets):
    ccs, dacs = buckets
    files = {
        "C1-DCTEX_0001_00.csv": b"x",
        "C1-DCTEX_0002_00.csv": b"y" * 20 * MB,
        "C1-DCTEX_0003_00.csv": b"",
        "C1-DCTEX_0004_00.csv": b"z" * 5000,
    }
    for name, content in files.items():
        ccs.put(name, content)
    assert run().status == "succeeded"
    assert dacs.names() == list(files)
    assert all(content_of(dacs, name) == content for name, content in files.items())
    assert ccs.names() == [f"SENT-{name}" for name in files]
    renames = [entry for entry in ccs.server.received() if entry["operation"] == "RenameObject"]
    assert len(renames) == len(files)
    assert set(FileTransfer.objects.values_list("state", flat=True)) == {"done"}
    assert dacs.bucket.get("C1-DCTEX_0001_00.csv").metadata["busbar-transfer"]


def test_an_upload_whose_answer_is_lost_is_found_whole_by_the_next_run(buckets):
    ccs, dacs = buckets
    ccs.put("C1-DCTEX_0001_00.csv", b"content")
    dacs.server.fail("lost", operation="PutObject")
    assert run().status == "failed"
    dacs.server.reset()
    assert run().status == "succeeded"
    assert (dacs.names(), content_of(dacs, "C1-DCTEX_0001_00.csv")) == (["C1-DCTEX_0001_00.csv"], b"content")
    assert ccs.names() == ["SENT-C1-DCTEX_0001_00.csv"]


def test_other_content_under_the_name_is_not_overwritten(buckets):
    ccs, dacs = buckets
    ccs.put("C1-DCTEX_0001_00.csv", b"new")
    dacs.put("C1-DCTEX_0001_00.csv", b"old!")
    assert run().status == "failed"
    assert content_of(dacs, "C1-DCTEX_0001_00.csv") == b"old!"
    assert ccs.names() == ["C1-DCTEX_0001_00.csv"]


def test_a_user_who_may_only_read_at_the_target_leaves_the_source_as_it_was(buckets):
    ccs, dacs = buckets
    reader = oci_account("reader")
    dacs.server.admit(reader)
    endpoint = oci_endpoint(dacs.server, reader)
    connection_set("OU REST DACS OS for CCS-DACS", dict(endpoint.settings), dict(endpoint.secrets))
    ccs.put("C1-DCTEX_0001_00.csv", b"new")
    instance = run()
    assert (instance.status, dacs.names(), ccs.names()) == ("failed", [], ["C1-DCTEX_0001_00.csv"])
    assert "permit" in instance.fault_text
