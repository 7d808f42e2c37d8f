"""Files that are not as one would wish: their names, what they are, and what they do while they are looked at."""

import getpass
import os
import threading
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.namespaces import NamespaceServer
from demo.sftp_files import Files
from integrations.engine.runner import work_on
from integrations.models import Instance
from integrations.services.instance_resubmit import instance_resubmit
from tests.contracts.sites import Sshd
from tests.flows.ccs_dacs.conftest import BUCKET, objects_in, put_object
from tests.flows.conftest import Edges, connection_set, mails, property_set, run_file_flow

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
PREFIX, SENT = "C1-DCTEX", "SENT-"
LARGE = b"0123456789abcdef" * (5 * 1024 * 1024 // 16)  # goes by itself; smaller ones go together
ODD = [
    "C1-DCTEX with  spaces .csv",
    "C1-DCTEX behind it ",
    "C1-DCTEX_case.csv",
    "C1-DCTEX_CASE.csv",
    unicodedata.normalize("NFC", "C1-DCTEX_Zähler_é.csv"),
    unicodedata.normalize("NFD", "C1-DCTEX_Zähler_é.csv"),
    "C1-DCTEX'single'\"double\"`back`.csv",
    "C1-DCTEX\\back\\slash.csv",
    "C1-DCTEX..two..dots..",
    "C1-DCTEX_..",
    "C1-DCTEX;$(semi)&|<colon>.csv",
    "C1-DCTEX%41 %2e%2e%2f#hash?x=y+z.csv",
    "C1-DCTEX*[1]{2}.csv",
    "C1-DCTEX_計量器_😀.csv",
    "C1-DCTEX",
    "C1-DCTEX_" + "x" * (255 - len("SENT-C1-DCTEX_")),
]


def run(prefix: str = PREFIX) -> Instance:
    return run_file_flow(FLOW, extractedFileNamePrefix=prefix)


def again(instance: Instance) -> Instance:
    """Resubmitted by an operator, and worked on."""
    work_on(instance_resubmit(instance=instance, actor="an operator").pk)
    instance.refresh_from_db()
    return instance


def content_of(name: str) -> bytes:
    return name.encode() * 3 + b"\n"


@pytest.fixture
def to_objects(stores: tuple[NamespaceServer, NamespaceServer]) -> NamespaceServer:
    """DACS takes its files in object storage."""
    property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
    return stores[1]


# -- names ---------------------------------------------------------------------------------------------------


def test_names_of_every_kind_arrive_whole_side_by_side(edges: Edges):
    for name in ODD:
        edges.put(name, content_of(name))
    instance = run()
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert edges.at_target() == sorted(ODD)
    assert [(edges.target / name).read_bytes() for name in ODD] == [content_of(name) for name in ODD]
    assert edges.at_source() == sorted(SENT + name for name in ODD)
    (mail,) = mails("process-complete")
    assert f"Files transferred: {len(ODD)}\n" in mail.body
    assert all(f"\n  {name}\n" in mail.body for name in ODD)


def test_names_of_every_kind_arrive_whole_in_object_storage(edges: Edges, to_objects: NamespaceServer):
    for name in ODD:
        edges.put(name, content_of(name))
    instance = run()
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert objects_in(to_objects) == sorted(ODD)
    client = to_objects.client()
    found = [client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in ODD]
    assert found == [content_of(name) for name in ODD]
    assert edges.at_source() == sorted(SENT + name for name in ODD)


def test_names_of_every_kind_leave_object_storage_whole_and_are_renamed_there(edges: Edges, stores):
    for name in ODD:
        put_object(stores[0], name, content_of(name))
    instance = run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_OS", extractedFileNamePrefix=PREFIX)
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert edges.at_target() == sorted(ODD)
    assert [(edges.target / name).read_bytes() for name in ODD] == [content_of(name) for name in ODD]
    assert objects_in(stores[0]) == sorted(SENT + name for name in ODD)


@pytest.mark.sshd
def test_names_of_every_kind_pass_from_openssh_to_openssh(edges: Edges, tmp_path: Path):
    server = Sshd(tmp_path / "sshd")
    try:
        where = {"host": "127.0.0.1", "port": server.port, "user": getpass.getuser()}
        for end in ("OU FTP CCS for CCS-DACS", "OU FTP DACS for CCS-DACS"):
            connection_set(end, where, {"private_key": server.private}, host_key=server.host_key)
        property_set(CONFIG, "ccs.ftp.custsync.input.directory", str(edges.source))
        property_set(CONFIG, "dacs.ftp.custsync.output.directory", str(edges.target))
        for name in ODD:
            edges.put(name, content_of(name))
        instance = run()
    finally:
        server.stop()
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert edges.at_target() == sorted(ODD)
    assert [(edges.target / name).read_bytes() for name in ODD] == [content_of(name) for name in ODD]
    assert edges.at_source() == sorted(SENT + name for name in ODD)


@pytest.mark.parametrize("prefix", ["-rf", "*", "~", "..x", "%", "é"])
def test_a_prefix_of_any_kind_means_itself_alone(edges: Edges, prefix: str):
    edges.put(f"{prefix} 1.csv")
    edges.put("other.csv")
    assert run(prefix).status == "succeeded"
    assert edges.at_target() == [f"{prefix} 1.csv"]
    assert edges.at_source() == sorted([f"SENT-{prefix} 1.csv", "other.csv"])


@pytest.mark.parametrize(
    ("raw", "shown", "why"),
    [
        (b"C1-DCTEX_\n1.csv", r"C1-DCTEX_\n1.csv", "control character"),
        (b"C1-DCTEX_\x1b[31m.csv", r"C1-DCTEX_\x1b[31m.csv", "control character"),
        (b"C1-DCTEX_\xff\xfe.csv", r"C1-DCTEX_\xff\xfe.csv", "not UTF-8"),
    ],
    ids=["newline", "escape", "not UTF-8"],
)
def test_a_name_that_cannot_be_used_is_said_and_stops_no_other(
    edges: Edges, raw: bytes, shown: str, why: str
):
    Path(os.fsdecode(os.fsencode(edges.source) + b"/" + raw)).write_bytes(b"odd")
    edges.put("C1-DCTEX_0001_00.csv", b"before")
    edges.put("C1-DCTEX_zzzz_00.csv", b"behind")
    instance = run()
    assert (instance.status, instance.fault_code) == ("failed", "HUB-FILE-NAME")
    assert why in instance.fault_text
    assert shown.replace("\\", "\\\\") in instance.fault_text or shown in instance.fault_text
    assert edges.at_target() == ["C1-DCTEX_0001_00.csv", "C1-DCTEX_zzzz_00.csv"]
    assert raw in os.listdir(os.fsencode(edges.source))  # noqa: PTH208  (its name is not UTF-8)
    assert len(edges.at_source()) == 3
    (complete,), (error,) = mails("process-complete"), mails("error")
    assert "Files transferred: 2\n" in complete.body
    assert "Files not transferred: 1\n" in complete.body
    assert shown in complete.body
    assert not any(letter in complete.body + error.body for letter in "\x1b\udcff")


@pytest.mark.parametrize("size", [255, 251])
def test_a_name_that_leaves_no_room_for_the_prefix_of_sent_files_is_said_and_sent_at_most_once(
    edges: Edges, size: int
):
    name = "C1-DCTEX_1".ljust(size, "x")
    edges.put(name, b"long")
    for _ in range(2):
        instance = run()
        assert instance.status == "failed"
        assert "longer than 255 bytes" in instance.fault_text
        assert name in instance.fault_text
    assert edges.at_source() == [name]
    assert _given_names(edges) in ([], [f"/upload/{name}"])


def test_a_name_that_leaves_no_room_for_the_prefix_of_sent_files_stops_no_other(edges: Edges):
    name = "C1-DCTEX_1".ljust(251, "x")
    edges.put(name, b"long")
    edges.put("C1-DCTEX_2.csv", b"behind")
    instance = run()
    assert (instance.status, instance.fault_code) == ("failed", "HUB-FILE-NAME")
    assert edges.at_source() == [name, "SENT-C1-DCTEX_2.csv"]
    assert "C1-DCTEX_2.csv" in edges.at_target()


def _given_names(edges: Edges) -> list[str]:
    """The final names that were given at the target, each as often as it was."""
    return [entry["path"] for entry in edges.dacs_files.received() if entry["operation"] == "rename"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("C1-DCTEX_" + "x" * 300, "longer than 255 bytes", id="long"),
        pytest.param("C1-DCTEX_\n1.csv", "control character", id="newline"),
    ],
)
def test_an_object_whose_name_no_file_can_have_is_said_and_stops_no_other(
    edges: Edges, stores, tmp_path: Path, name: str, why: str
):
    scratch = tmp_path / "scratch"
    scratch.write_bytes(b"odd")
    stores[0].shelf(BUCKET).put(name, scratch)
    put_object(stores[0], "C1-DCTEX_zzzz_00.csv", b"behind")
    instance = run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_OS", extractedFileNamePrefix=PREFIX)
    assert (instance.status, instance.fault_code) == ("failed", "HUB-FILE-NAME")
    assert why in instance.fault_text
    assert edges.at_target() == ["C1-DCTEX_zzzz_00.csv"]
    assert objects_in(stores[0]) == [name, "SENT-C1-DCTEX_zzzz_00.csv"]


def test_a_prefix_in_other_letters_settles_none_of_the_files_of_this_one(edges: Edges):
    edges.put("c1-dctex_1.csv", b"small letters")
    blocker = edges.put("SENT-c1-dctex_1.csv", b"in the way")
    assert run("c1-dctex").status == "failed"  # delivered, and not renamed at the source
    assert run("C1-DCTEX").status == "succeeded"
    blocker.unlink()
    instance = run("c1-dctex")
    assert (instance.status, instance.fault_text) == ("succeeded", "")
    assert edges.at_source() == ["SENT-c1-dctex_1.csv"]
    assert _given_names(edges) == ["/upload/c1-dctex_1.csv"]


# -- what is no plain file -----------------------------------------------------------------------------------


def test_a_link_to_a_file_is_sent_as_the_file_and_only_the_link_is_renamed(edges: Edges):
    behind = edges.source / "current.txt"
    behind.write_bytes(b"what the link means")
    (edges.source / "C1-DCTEX_link.csv").symlink_to("current.txt")
    edges.put("C1-DCTEX_plain.csv")
    assert run().status == "succeeded"
    assert (edges.target / "C1-DCTEX_link.csv").read_bytes() == b"what the link means"
    assert not (edges.target / "C1-DCTEX_link.csv").is_symlink()
    assert behind.read_bytes() == b"what the link means"
    assert edges.at_source() == ["SENT-C1-DCTEX_link.csv", "SENT-C1-DCTEX_plain.csv", "current.txt"]
    assert (edges.source / "SENT-C1-DCTEX_link.csv").is_symlink()


def test_a_link_to_nothing_and_one_to_a_directory_stop_no_file(edges: Edges):
    (edges.source / "folder").mkdir()
    (edges.source / "C1-DCTEX_folder").symlink_to("folder")
    (edges.source / "C1-DCTEX_lost").symlink_to("nothing")
    edges.put("C1-DCTEX_plain.csv")
    instance = run()
    assert edges.at_target() == ["C1-DCTEX_plain.csv"]
    assert instance.status == "failed"
    assert "C1-DCTEX_lost" in instance.fault_text
    assert "link to nothing" in instance.fault_text
    assert {"C1-DCTEX_folder", "C1-DCTEX_lost", "SENT-C1-DCTEX_plain.csv"} <= set(edges.at_source())


def test_a_directory_of_the_prefix_is_left_as_it_is_with_what_is_in_it(edges: Edges):
    folder = edges.source / "C1-DCTEX_0001_00.csv"
    folder.mkdir()
    (folder / "C1-DCTEX_0002_00.csv").write_bytes(b"inside")
    assert run().status == "succeeded"
    assert len(mails("no-file")) == 1
    assert edges.at_source() == ["C1-DCTEX_0001_00.csv"]
    assert edges.at_target() == []


def test_a_file_of_no_bytes_is_sent_like_any_other(edges: Edges):
    edges.put("C1-DCTEX_0001_00.csv", b"")
    edges.put("C1-DCTEX_0002_00.csv", b"some")
    assert run().status == "succeeded"
    assert [(path.name, path.stat().st_size) for path in sorted(edges.target.iterdir())] == [
        ("C1-DCTEX_0001_00.csv", 0),
        ("C1-DCTEX_0002_00.csv", 4),
    ]
    assert edges.at_source() == ["SENT-C1-DCTEX_0001_00.csv", "SENT-C1-DCTEX_0002_00.csv"]


def test_a_file_of_no_bytes_is_an_object_of_no_bytes(edges: Edges, to_objects: NamespaceServer):
    edges.put("C1-DCTEX_0001_00.csv", b"")
    assert run().status == "succeeded"
    assert to_objects.client().head_object(Bucket=BUCKET, Key="C1-DCTEX_0001_00.csv")["ContentLength"] == 0
    assert edges.at_source() == ["SENT-C1-DCTEX_0001_00.csv"]


# -- what changes while it is looked at ----------------------------------------------------------------------


@pytest.fixture
def once_listed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen at the source right after the server has listed it, once."""

    def arrange(what: Callable[[], object]) -> None:
        listing, todo = Files.list_folder, [what]

        def list_folder(self: Files, path: str) -> object:
            found = listing(self, path)
            if todo and path.strip("/").startswith("sploutput"):
                todo.pop()()
            return found

        monkeypatch.setattr(Files, "list_folder", list_folder)

    return arrange


def _grown(path: Path) -> None:
    with path.open("ab") as more:
        more.write(b"second half\n")


def _written_anew(path: Path) -> None:
    """As many bytes as before, other ones, a later time."""
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, (time.time() + 60,) * 2)


def _touched(path: Path) -> None:
    os.utime(path, (time.time() + 60,) * 2)


@pytest.mark.parametrize("content", [b"first half\n", LARGE], ids=["small", "large"])
@pytest.mark.parametrize("change", [_grown, _written_anew, _touched])
def test_a_file_that_changes_after_it_was_listed_is_left_for_the_next_run(
    edges: Edges, once_listed, change: Callable[[Path], None], content: bytes
):
    path = edges.put("C1-DCTEX_0001_00.csv", content)
    edges.put("C1-DCTEX_0002_00.csv", b"quiet")
    once_listed(lambda: change(path))
    instance = run()
    assert (instance.status, instance.fault_code) == ("failed", "HUB-SOURCE-CHANGED")
    assert "C1-DCTEX_0001_00.csv" in instance.fault_text
    assert edges.at_target() == ["C1-DCTEX_0002_00.csv"]
    assert edges.at_source() == ["C1-DCTEX_0001_00.csv", "SENT-C1-DCTEX_0002_00.csv"]
    assert "C1-DCTEX_0001_00.csv: " in mails("process-complete")[0].body
    now = path.read_bytes()
    assert run().status == "succeeded"
    assert (edges.target / "C1-DCTEX_0001_00.csv").read_bytes() == now
    assert edges.at_source() == ["SENT-C1-DCTEX_0001_00.csv", "SENT-C1-DCTEX_0002_00.csv"]


@pytest.mark.parametrize("size", [20_000, 6 * 1024 * 1024])
def test_a_file_that_is_written_to_all_the_while_is_never_taken_until_it_is_whole(edges: Edges, size: int):
    path = edges.put("C1-DCTEX_0001_00.csv", b"x" * size)
    with _writing(path):
        while path.stat().st_size < size + 4000:
            time.sleep(0.01)
        instance = run()
    assert instance.fault_code == "HUB-SOURCE-CHANGED"
    assert edges.at_target() == []
    assert again(instance).status == "succeeded"
    assert (edges.target / path.name).read_bytes() == (edges.source / f"SENT-{path.name}").read_bytes()


class _writing:  # noqa: N801  (a context manager, called like a function)
    """Somebody appends to the file every few milliseconds."""

    def __init__(self, path: Path) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, args=(path,))

    def _write(self, path: Path) -> None:
        with path.open("ab", buffering=0) as more:
            while not self._stop.wait(0.002):
                more.write(b"y" * 1000)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.parametrize("content", [b"short-lived", LARGE], ids=["small", "large"])
def test_a_file_that_is_gone_when_it_is_to_be_read_is_named_and_nothing_of_it_is_at_the_target(
    edges: Edges, once_listed, content: bytes
):
    path = edges.put("C1-DCTEX_0001_00.csv", content)
    once_listed(path.unlink)
    instance = run()
    assert instance.status == "failed"
    assert "C1-DCTEX_0001_00.csv" in instance.fault_text
    assert edges.at_target() == []
    assert run().status == "succeeded"
    assert len(mails("no-file")) == 1


@pytest.mark.parametrize("content", [b"short-lived", LARGE], ids=["small", "large"])
def test_a_file_that_is_gone_when_it_is_to_be_read_stops_no_other(edges: Edges, once_listed, content: bytes):
    path = edges.put("C1-DCTEX_0001_00.csv", content)
    edges.put("C1-DCTEX_0002_00.csv", content)
    once_listed(path.unlink)
    instance = run()
    assert (instance.status, instance.fault_code) == ("failed", "HUB-SOURCE-CHANGED")
    assert edges.at_target() == ["C1-DCTEX_0002_00.csv"]
    assert edges.at_source() == ["SENT-C1-DCTEX_0002_00.csv"]


def test_a_file_that_is_renamed_away_by_its_writer_after_the_listing_comes_with_the_next_run(
    edges: Edges, once_listed
):
    path = edges.put("C1-DCTEX_0001_00.csv.tmp", b"finished now")
    once_listed(lambda: path.rename(path.with_suffix("")))
    assert run().status == "failed"
    assert edges.at_target() == []
    assert run().status == "succeeded"
    assert edges.at_target() == ["C1-DCTEX_0001_00.csv"]
    assert edges.at_source() == ["SENT-C1-DCTEX_0001_00.csv"]
