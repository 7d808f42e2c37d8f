"""What an interrupted copy left at the target is taken away: by the run that goes on, or an hour after it ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine.leftovers import sweep_leftovers
from integrations.models import Connection, FileTransfer, Instance
from tests.flows.conftest import Edges, property_set, run_file_flow

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
NAME = "C1-DCTEX_0001_00.csv"
BUCKET = "CCSDACS_CustomerSync"


def cut_off(edges: Edges) -> Instance:
    """A run that the target's server cut in the middle of its file, which left a hidden part there."""
    edges.put(NAME, b"x" * 400_000)
    edges.dacs_files.fail("cut", 1)
    instance = run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX")
    assert instance.status == "failed"
    assert [name[:5] for name in edges.at_target()] == [".hub-"]
    return instance


def an_hour_later() -> None:
    FileTransfer.objects.update(updated_at=timezone.now() - timedelta(hours=1, seconds=1))


def test_the_run_that_goes_on_takes_its_own_part_away(edges: Edges):
    cut_off(edges)
    assert run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX").status == "succeeded"
    assert edges.at_target() == [NAME]


def test_the_part_of_a_run_nobody_goes_on_with_is_swept_after_an_hour(edges: Edges):
    cut_off(edges)
    assert sweep_leftovers() == 0
    an_hour_later()
    assert sweep_leftovers() == 1
    assert edges.at_target() == []
    assert FileTransfer.objects.get().state == "new"
    assert sweep_leftovers() == 0


@pytest.mark.parametrize("status", ["running", "waiting", "ready"])
def test_a_run_that_will_go_on_keeps_its_part(edges: Edges, status: str):
    instance = cut_off(edges)
    an_hour_later()
    Instance.objects.filter(pk=instance.pk).update(status=status)
    assert sweep_leftovers() == 0
    assert len(edges.at_target()) == 1


def test_a_target_that_is_down_is_swept_another_time(edges: Edges):
    cut_off(edges)
    an_hour_later()
    edges.dacs_files.fail("down")
    assert sweep_leftovers() == 0
    edges.dacs_files.reset()
    assert sweep_leftovers() == 1


@pytest.mark.parametrize("again", [True, False])
def test_parts_of_an_upload_are_aborted(edges: Edges, stores, again: bool):
    property_set("OUTL-BRT-CCS_DACS_ConfigProps", "dacs.file.target.transfer.pref", "os")
    _, dacs = stores
    edges.put(NAME, b"x" * 1000)
    dacs.fail("cut", 1)
    instance = run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX")
    assert instance.status == "failed"
    # As a worker leaves it that was killed in the middle of a large file, beside somebody else's upload.
    target = Connection.objects.get(name="OU REST DACS OS for CCS-DACS")
    place = f"dacsnamespace/{BUCKET}"
    FileTransfer.objects.update(
        state="copying", tries=1, target=target, target_directory=place, target_name=NAME
    )
    dacs.client().create_multipart_upload(Bucket=BUCKET, Key=NAME)
    dacs.client().create_multipart_upload(Bucket=BUCKET, Key=f"{NAME}.bak")
    if again:
        assert run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX").status == "succeeded"
    else:
        an_hour_later()
        assert sweep_leftovers() == 1
    left = dacs.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    assert {upload["Key"] for upload in left} == {f"{NAME}.bak"}  # moto keeps those of other tests too
