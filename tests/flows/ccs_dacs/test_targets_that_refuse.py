"""Targets and sources that do not do what they are asked for: full, read-only, missing, taken, slow."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.db import connections
from paramiko.sftp import SFTP_PERMISSION_DENIED

from demo.sftp_files import Files
from integrations.engine.runner import work_on
from integrations.models import Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.ccs_dacs.conftest import BUCKET, objects_in, put_object
from tests.flows.conftest import Edges, connection_set, lines, mails, property_set, run_file_flow

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
PREFIX = {"extractedFileNamePrefix": "C1-DCTEX"}
SOURCE, TARGET = "OU FTP CCS for CCS-DACS", "OU FTP DACS for CCS-DACS"
LARGE = b"0123456789abcdef" * (5 * 1024 * 1024 // 16)  # goes by itself; smaller ones go together
SIZES = pytest.mark.parametrize("content", [b"a small file\n", LARGE], ids=["small", "large"])


def run(prefix: str = "C1-DCTEX") -> Instance:
    return run_file_flow(FLOW, extractedFileNamePrefix=prefix)


def again(instance: Instance) -> Instance:
    """Resubmitted by an operator, and worked on."""
    work_on(instance_resubmit(instance=instance, actor="an operator").pk)
    instance.refresh_from_db()
    return instance


def put_three(edges: Edges, content: bytes = b"x\n") -> None:
    for number in (1, 2, 3):
        edges.put(f"C1-DCTEX_000{number}_00.csv", content + b"%d" % number)


THREE = [f"C1-DCTEX_000{number}_00.csv" for number in (1, 2, 3)]
THREE_SENT = [f"SENT-{name}" for name in THREE]


def named(edges: Edges) -> list[str]:
    """What is at the target under a final name."""
    return [name for name in edges.at_target() if not name.startswith(".")]


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """The servers' disk has room for so many bytes more; -1 for any number."""
    real, room = os.pwrite, [0]

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if 0 <= room[0] < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= len(data) if room[0] > 0 else 0
        return real(descriptor, data, offset)

    def arrange(room_left: int) -> None:
        room[0] = room_left
        monkeypatch.setattr("demo.sftp_files.os.pwrite", pwrite if room_left >= 0 else real)

    return arrange


# -- targets that take nothing -------------------------------------------------------------------------------


@SIZES
def test_a_full_target_is_named_shows_nothing_half_and_is_gone_on_with_when_it_has_room(
    edges: Edges, full_after: Callable[[int], None], content: bytes
):
    put_three(edges, content)
    full_after(len(content) // 2)
    instance = run()
    assert instance.status == "failed"
    assert TARGET in instance.fault_text
    assert named(edges) == []
    assert edges.at_source() == THREE
    assert "Files transferred: 0\nFiles not transferred: 3" in mails("process-complete")[0].body
    assert len(mails("error")) == 1
    full_after(-1)
    assert again(instance).status == "succeeded"
    assert edges.at_target() == THREE
    assert [(edges.target / name).read_bytes() for name in THREE] == [
        content + b"1",
        content + b"2",
        content + b"3",
    ]
    assert edges.at_source() == THREE_SENT


def test_a_target_that_is_full_midway_keeps_what_arrived_whole(edges: Edges, full_after):
    put_three(edges, LARGE)
    full_after(len(LARGE) + 100)
    instance = run()
    assert instance.status == "failed"
    assert named(edges) == THREE[:1]
    assert edges.at_source() == [*THREE[1:], THREE_SENT[0]]
    assert f"{THREE[2]}: not started" in mails("process-complete")[0].body


@SIZES
def test_a_target_that_is_read_only_is_named_and_nothing_is_renamed_at_the_source(
    edges: Edges, content: bytes
):
    put_three(edges, content)
    edges.dacs_files.users["hub"] = replace(edges.dacs_files.users["hub"], read_only=True)
    instance = run()
    assert instance.status == "failed"
    assert TARGET in instance.fault_text
    assert "ermi" in instance.fault_text  # permission, permitted
    assert edges.at_target() == []
    assert edges.at_source() == THREE
    edges.dacs_files.users["hub"] = replace(edges.dacs_files.users["hub"], read_only=False)
    assert again(instance).status == "succeeded"
    assert edges.at_target() == THREE


@SIZES
def test_a_target_directory_that_is_missing_is_named_and_not_made(edges: Edges, content: bytes):
    put_three(edges, content)
    edges.target.rmdir()
    instance = run()
    assert instance.status == "failed"
    assert TARGET in instance.fault_text
    assert "/upload" in instance.fault_text
    assert not edges.target.exists()
    assert edges.at_source() == THREE
    edges.target.mkdir()
    assert again(instance).status == "succeeded"
    assert edges.at_source() == THREE_SENT


def test_a_target_directory_that_is_a_file_is_named(edges: Edges):
    put_three(edges)
    edges.target.rmdir()
    edges.target.write_bytes(b"no directory")
    instance = run()
    assert instance.status == "failed"
    assert "/upload" in instance.fault_text
    assert edges.target.read_bytes() == b"no directory"
    assert edges.at_source() == THREE


def test_a_bucket_that_is_missing_is_named_and_nothing_is_renamed_at_the_source(edges: Edges, stores):
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    property_set(CONFIG, "dacs.os.custsync.bucketname", "no-such-bucket")
    put_three(edges)
    instance = run()
    assert instance.status == "failed"
    assert "no-such-bucket" in instance.fault_text
    assert edges.at_source() == THREE


def _full(edges: Edges) -> None:
    """The target's disk takes nothing more."""


def _read_only(edges: Edges) -> None:
    edges.dacs_files.users["hub"] = replace(edges.dacs_files.users["hub"], read_only=True)


def _missing(edges: Edges) -> None:
    edges.target.rmdir()


def _taken(edges: Edges) -> None:
    (edges.target / THREE[0]).write_bytes(b"somebody else's")


@pytest.mark.parametrize("what", [_full, _read_only, _missing, _taken])
def test_a_target_that_answers_is_not_called_down(
    edges: Edges, full_after: Callable[[int], None], what: Callable[[Edges], None]
):
    edges.put(THREE[0])
    what(edges)
    full_after(0 if what is _full else -1)
    instance = run()
    assert (instance.status, instance.fault_class) == ("failed", "remote")
    assert instance.fault_code == "HUB-TARGET-REFUSED"


# -- sources that do not have it, or do not let go -----------------------------------------------------------


def test_a_source_directory_that_is_missing_is_an_error_and_not_no_file(edges: Edges):
    edges.source.rmdir()
    instance = run()
    assert instance.status == "failed"
    assert SOURCE in instance.fault_text
    assert "/sploutput/CCSEnv/CustomerSync" in instance.fault_text
    assert (len(mails("error")), mails("no-file")) == (1, [])


def test_a_bucket_that_is_missing_at_the_source_is_an_error_and_not_no_file(stores):
    property_set(CONFIG, "ccs.os.custsync.bucketname", "no-such-bucket")
    instance = run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_OS", extractedFileNamePrefix="C1-DCTEX")
    assert instance.status == "failed"
    assert (len(mails("error")), mails("no-file")) == (1, [])


@SIZES
def test_a_source_that_is_read_only_gets_each_file_delivered_once_however_often_it_is_tried(
    edges: Edges, content: bytes
):
    put_three(edges, content)
    edges.ccs_files.users["hub"] = replace(edges.ccs_files.users["hub"], read_only=True)
    instance = run()
    assert instance.status == "failed"
    assert SOURCE in instance.fault_text
    run()
    delivered = [entry["path"] for entry in edges.dacs_files.received() if entry["operation"] == "rename"]
    assert len(delivered) == len(set(delivered)) >= 1
    edges.ccs_files.users["hub"] = replace(edges.ccs_files.users["hub"], read_only=False)
    assert run().status == "succeeded"
    assert edges.at_target() == THREE
    assert edges.at_source() == THREE_SENT
    delivered = [entry["path"] for entry in edges.dacs_files.received() if entry["operation"] == "rename"]
    assert sorted(delivered) == [f"/upload/{name}" for name in THREE]


@SIZES
def test_a_file_that_may_not_be_read_is_named_and_nothing_starts_after_it(
    edges: Edges, monkeypatch: pytest.MonkeyPatch, content: bytes
):
    put_three(edges, content)
    opened = Files.open

    def locked(self: Files, path: str, flags: int, attr: object) -> object:
        if path.endswith("0002_00.csv"):
            return SFTP_PERMISSION_DENIED
        return opened(self, path, flags, attr)  # type: ignore[arg-type]

    monkeypatch.setattr(Files, "open", locked)
    instance = run()
    assert instance.status == "failed"
    assert THREE[1] in instance.fault_text
    assert SOURCE in instance.fault_text
    assert edges.at_target() == THREE[:1]
    assert edges.at_source() == [*THREE[1:], THREE_SENT[0]]
    assert f"{THREE[2]}: not started" in mails("process-complete")[0].body


# -- what is there already -----------------------------------------------------------------------------------


@SIZES
def test_the_same_content_at_the_target_is_settled_and_said_and_the_rest_goes_on(
    edges: Edges, content: bytes
):
    put_three(edges, content)
    (edges.target / THREE[1]).write_bytes(content + b"2")
    before = (edges.target / THREE[1]).stat()
    instance = run()
    assert instance.status == "succeeded"
    after = (edges.target / THREE[1]).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert edges.at_target() == THREE
    assert edges.at_source() == THREE_SENT
    said = [text for one in [instance, *instance.children.all()] for text in lines(one)]
    assert any(THREE[1] in text and "same content" in text for text in said)


@SIZES
def test_another_content_at_the_target_stops_what_comes_after_it_and_not_what_was_under_way(
    edges: Edges, content: bytes
):
    put_three(edges, content)
    (edges.target / THREE[1]).write_bytes(b"somebody else's")
    instance = run()
    assert instance.status == "failed"
    assert THREE[1] in instance.fault_text
    assert "other content" in instance.fault_text
    assert edges.at_target() == THREE[:2]
    assert (edges.target / THREE[1]).read_bytes() == b"somebody else's"
    assert edges.at_source() == [*THREE[1:], THREE_SENT[0]]
    assert "Files transferred: 1\n" in mails("process-complete")[0].body
    assert f"{THREE[2]}: not started" in mails("process-complete")[0].body


@pytest.mark.parametrize("content", [b"same", LARGE], ids=["small", "large"])
def test_the_same_object_in_the_bucket_is_settled_and_another_one_is_kept(
    edges: Edges, stores, content: bytes
):
    _, dacs = stores
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    put_three(edges, content)
    put_object(dacs, THREE[0], content + b"1")
    put_object(dacs, THREE[1], b"somebody else's")
    instance = run()
    assert instance.status == "failed"
    assert THREE[1] in instance.fault_text
    assert objects_in(dacs) == THREE[:2]
    assert dacs.client().get_object(Bucket=BUCKET, Key=THREE[1])["Body"].read() == b"somebody else's"
    assert edges.at_source() == [*THREE[1:], THREE_SENT[0]]


def test_a_directory_under_the_files_name_at_the_target_is_an_error_that_names_it(edges: Edges):
    put_three(edges)
    (edges.target / THREE[0]).mkdir()
    instance = run()
    assert instance.status == "failed"
    assert THREE[0] in instance.fault_text
    assert (edges.target / THREE[0]).is_dir()
    assert THREE[0] in edges.at_source()


@SIZES
def test_a_sent_name_that_is_taken_at_the_source_is_an_error_and_the_file_is_delivered_once(
    edges: Edges, content: bytes
):
    put_three(edges, content)
    taken = edges.put(THREE_SENT[1], b"an older file of that name")
    instance = run()
    assert instance.status == "failed"
    assert SOURCE in instance.fault_text
    assert THREE_SENT[1] in instance.fault_text
    assert taken.read_bytes() == b"an older file of that name"
    assert THREE[1] in edges.at_source()
    taken.unlink()
    assert again(instance).status == "succeeded"
    assert edges.at_source() == THREE_SENT
    delivered = [entry["path"] for entry in edges.dacs_files.received() if entry["operation"] == "rename"]
    assert sorted(delivered) == [f"/upload/{name}" for name in THREE]


@SIZES
def test_a_sent_name_that_is_taken_by_the_same_content_is_a_rename_that_was_cut_off(
    edges: Edges, content: bytes
):
    edges.put(THREE[0], content)
    edges.put(THREE_SENT[0], content)
    assert run().status == "succeeded"
    assert edges.at_source() == [THREE_SENT[0]]
    assert edges.at_target() == [THREE[0]]


# -- slow ----------------------------------------------------------------------------------------------------


@pytest.fixture
def in_the_background() -> Iterator[Callable[[Instance], threading.Thread]]:
    """Work on an instance as another worker does."""
    threads: list[threading.Thread] = []

    def work(instance: Instance) -> None:
        try:
            work_on(instance.pk)
        finally:
            connections.close_all()

    def start(instance: Instance) -> threading.Thread:
        threads.append(threading.Thread(target=work, args=(instance,)))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join()


def test_a_slow_target_slows_its_own_flow_alone(
    edges: Edges, stores, in_the_background, monkeypatch: pytest.MonkeyPatch
):
    ccs, dacs = stores
    connection_set(TARGET, {}, {"password": "dacs-sftp"}, read_timeout=10)
    edges.put(THREE[0])
    put_object(ccs, THREE[1], b"from object storage")
    waiting = threading.Event()
    faults = edges.dacs_files.shared.faults
    take = faults.take

    def taken(*modes: str) -> str:
        found = take(*modes)
        if found == "slow":
            waiting.set()
        return found

    monkeypatch.setattr(faults, "take", taken)
    faults.set("slow", 1)
    slow = flow_run(flow=Flow.objects.get(identifier=FLOW), parameters=PREFIX, actor="test")
    working = in_the_background(slow)
    assert waiting.wait(20)
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    other = run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_OS", **PREFIX)
    assert working.is_alive()
    assert (other.status, objects_in(dacs)) == ("succeeded", [THREE[1]])
    working.join()
    slow.refresh_from_db()
    assert slow.status == "succeeded"
    assert slow.ended_at
    assert other.ended_at
    assert slow.ended_at > other.ended_at
    assert edges.at_target() == [THREE[0]]


def test_a_target_slower_than_its_time_out_is_an_error_and_leaves_no_doubt(edges: Edges):
    edges.put(THREE[0])
    edges.dacs_files.fail("slow", 1)
    instance = run()
    assert instance.status == "failed"
    assert TARGET in instance.fault_text
    assert named(edges) == []
    assert edges.at_source() == THREE[:1]
    assert again(instance).status == "succeeded"
    assert named(edges) == THREE[:1]
