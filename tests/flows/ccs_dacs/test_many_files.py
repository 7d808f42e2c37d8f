"""Directories and buckets with thousands of names, in whatever order and pages they come."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from demo.namespaces import NamespaceServer
from demo.sftp import SftpServer
from demo.sftp_files import Files
from integrations.models import Activity, Instance
from tests.flows.ccs_dacs.conftest import BUCKET, objects_in, put_object
from tests.flows.conftest import IN, Edges, mails, property_set, run_file_flow

FTP_FLOW, OS_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BA-CCS_DACS_CUST_SYNC_OS"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
FULL = bool(os.environ.get("FULL"))
MANY = 10_000
PAGE = 1000  # names an S3 answer holds at most


def run(flow: str = FTP_FLOW, prefix: str = "C1-DCTEX") -> Instance:
    return run_file_flow(flow, extractedFileNamePrefix=prefix)


def name_of(number: int, prefix: str = "C1-DCTEX") -> str:
    return f"{prefix}_{number:05}_00.csv"


def put_many(edges: Edges, count: int, prefix: str = "C1-DCTEX") -> list[str]:
    """Files in an order that is nobody's; their names in name order."""
    names = [name_of(number, prefix) for number in range(count)]
    for name in random.Random(1).sample(names, count):
        edges.put(name, name.encode())
    return names


def listed_alone(server: SftpServer, folder: str) -> float:
    """Seconds in which paramiko alone lists the folder."""
    with paramiko.Transport((server.host, server.port)) as transport:
        transport.connect(username="hub", password="ccs-sftp")
        with paramiko.SFTPClient.from_transport(transport) as client:
            began = time.monotonic()
            client.listdir_attr(folder)
            return time.monotonic() - began


def listed_in(instance: Instance) -> float:
    """Seconds in which the hub listed its source, as its activity stream has it."""
    return (Activity.objects.get(instance=instance, kind="listed").duration_ms or 0) / 1000


# -- over SFTP -----------------------------------------------------------------------------------------------


def test_fifty_of_ten_thousand_files_are_found_and_moved_and_the_others_left(edges: Edges):
    others = put_many(edges, MANY - 50, "C1-DSPEX")
    wanted = put_many(edges, 50)
    instance = run()
    assert instance.status == "succeeded"
    assert edges.at_target() == wanted
    assert edges.at_source() == [*others, *[f"SENT-{name}" for name in wanted]]
    assert listed_in(instance) < 2 + 3 * listed_alone(edges.ccs_files, f"/{IN}")


def test_ten_thousand_files_that_an_error_stops_are_each_told_of(edges: Edges):
    names = put_many(edges, MANY)
    (edges.target / names[0]).write_bytes(b"somebody else's")
    began = time.monotonic()
    instance = run()
    took = time.monotonic() - began
    assert instance.status == "failed"
    assert names[0] in instance.fault_text
    assert edges.at_target() == names[:1]
    assert edges.at_source() == names
    (mail,) = mails("process-complete")
    assert f"Files not transferred: {MANY}\n" in mail.body
    told = [line.strip().partition(":")[0] for line in mail.body.splitlines() if line.startswith("  C1-")]
    assert told == names
    assert took < 15 + 5 * listed_alone(edges.ccs_files, f"/{IN}")


@pytest.mark.timeout(1800 if FULL else 120)
@pytest.mark.parametrize("count", [300, *([MANY] if FULL else [])])
def test_a_run_of_many_files_moves_each_once(edges: Edges, count: int):
    names = put_many(edges, count)
    instance = run()
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert edges.at_target() == names
    assert all((edges.target / name).read_bytes() == name.encode() for name in names)
    assert edges.at_source() == [f"SENT-{name}" for name in names]
    given = [entry["path"] for entry in edges.dacs_files.received() if entry["operation"] == "rename"]
    assert sorted(given) == [f"/upload/{name}" for name in names]
    (mail,) = mails("process-complete")
    assert f"Files transferred: {count}\n" in mail.body


@pytest.mark.parametrize("order", ["backwards", "shuffled"])
def test_files_go_in_name_order_however_the_source_lists_them(
    edges: Edges, monkeypatch: pytest.MonkeyPatch, order: str
):
    names = put_many(edges, 40)
    listing = Files.list_folder

    def list_folder(self: Files, path: str) -> object:
        found = sorted(listing(self, path), key=lambda one: one.filename, reverse=True)
        if order == "shuffled":
            random.Random(2).shuffle(found)
        return found

    monkeypatch.setattr(Files, "list_folder", list_folder)
    (edges.target / names[20]).write_bytes(b"somebody else's")
    instance = run()
    assert instance.status == "failed"
    assert names[20] in instance.fault_text
    assert edges.at_target() == names[:21]
    assert edges.at_source() == [*names[20:], *[f"SENT-{name}" for name in names[:20]]]
    (mail,) = mails("process-complete")
    told = [line.strip().partition(":")[0] for line in mail.body.splitlines() if line.startswith("  C1-")]
    assert told == names


@pytest.mark.parametrize("count", [1, 5])
def test_a_name_that_the_source_lists_twice_is_one_file(
    edges: Edges, monkeypatch: pytest.MonkeyPatch, count: int
):
    """As readdir may do in a directory that changes while it is read."""
    names = put_many(edges, count)
    listing = Files.list_folder
    monkeypatch.setattr(Files, "list_folder", lambda self, path: [*listing(self, path), *listing(self, path)])
    instance = run()
    assert edges.at_target() == names
    assert edges.at_source() == [f"SENT-{name}" for name in names]
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert f"Files transferred: {count}\n" in mails("process-complete")[0].body


# -- from object storage -------------------------------------------------------------------------------------


@pytest.fixture
def put_objects(stores: tuple[NamespaceServer, NamespaceServer], tmp_path: Path) -> Callable[..., list[str]]:
    """So many objects at CCS, put without the wire; their names in name order."""
    shelf = stores[0].shelf(BUCKET)

    def put(count: int, prefix: str = "C1-DCTEX") -> list[str]:
        names = [name_of(number, prefix) for number in range(count)]
        for name in names:
            scratch = tmp_path / "scratch"
            scratch.write_bytes(name.encode())
            shelf.put(name, scratch)
        return names

    return put


def test_a_bucket_that_answers_in_pages_is_listed_to_its_end(edges: Edges, stores, put_objects):
    names = put_objects(2 * PAGE + 5)
    put_objects(5, "C1-DSPEX")
    (edges.target / names[0]).write_bytes(b"somebody else's")
    instance = run(OS_FLOW)
    assert instance.status == "failed"
    (mail,) = mails("process-complete")
    told = [line.strip().partition(":")[0] for line in mail.body.splitlines() if line.startswith("  C1-")]
    assert told == names
    assert edges.at_target() == names[:1]
    assert set(names) <= set(objects_in(stores[0]))


@pytest.mark.timeout(600 if FULL else 120)
@pytest.mark.parametrize("count", [60, *([PAGE + 10] if FULL else [])])
def test_every_object_of_a_bucket_is_moved_once(edges: Edges, stores, put_objects, count: int):
    names = put_objects(count)
    instance = run(OS_FLOW)
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert edges.at_target() == names
    assert all((edges.target / name).read_bytes() == name.encode() for name in names)
    assert objects_in(stores[0]) == [f"SENT-{name}" for name in names]


@pytest.mark.timeout(600 if FULL else 120)
@pytest.mark.parametrize("count", [60, *([PAGE + 10] if FULL else [])])
def test_every_object_is_moved_once_from_bucket_to_bucket(stores, put_objects, count: int):
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    names = put_objects(count)
    instance = run(OS_FLOW)
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert objects_in(stores[1]) == names
    assert objects_in(stores[0]) == [f"SENT-{name}" for name in names]


def test_objects_below_a_folder_of_the_prefix_are_no_files_of_it(edges: Edges, stores):
    ccs, _ = stores
    put_object(ccs, "C1-DCTEX_folder/C1-DCTEX_00001_00.csv", b"below")
    put_object(ccs, "C1-DCTEX_folder/", b"")
    put_object(ccs, name_of(2), b"beside")
    assert run(OS_FLOW).status == "succeeded"
    assert edges.at_target() == [name_of(2)]
    assert objects_in(ccs) == [
        "C1-DCTEX_folder/",
        "C1-DCTEX_folder/C1-DCTEX_00001_00.csv",
        f"SENT-{name_of(2)}",
    ]
