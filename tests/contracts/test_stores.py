"""What every file store does alike, against real servers."""

import hashlib
import io
import tracemalloc
import unicodedata

import pytest

from integrations.adapters.contract import CHUNK
from integrations.adapters.errors import (
    AdapterError,
    AlreadyExists,
    BadName,
    Dropped,
    LoginRefused,
    NotFound,
    NotPermitted,
    TimedOut,
    Unreachable,
)
from tests.contracts.conftest import kinds

MB = 1024 * 1024
ODD_NAMES = [
    "with space.csv",
    " leading and trailing ",
    unicodedata.normalize("NFC", "Zähler é.csv"),
    unicodedata.normalize("NFD", "Zähler é.csv"),
    "quote'\"double.csv",
    "-rf",
    "--",
    "semi;colon&amp %41 #hash?.csv",
    "*star[1].csv",
    "back\\slash",
    "計量器.csv",
    "x" * 255,
    ".hub-1.part",
]
over = pytest.mark.parametrize
servers = ("sftp", "sshd", "ftp", "ftp-list", "ftps", "ftps-implicit", "objects", "oci")


def read(store, site, name):
    with store.open(site.directory, name) as reader:
        return b"".join(iter(lambda: reader.read(CHUNK), b""))


def write(store, site, name, content, **more):
    return store.write(site.directory, name, io.BytesIO(content), **more)


def test_list_gives_files_with_the_prefix_in_name_order(store, site):
    for name in ("C1-DCTIL_2.csv", "C1-DCTIL_10.csv", "C1-DSPIL_1.csv", "C1-DCTIL_1.csv"):
        site.put(name, b"abc")
    found = list(store.list(site.directory, "C1-DCTIL"))
    assert [info.name for info in found] == ["C1-DCTIL_1.csv", "C1-DCTIL_10.csv", "C1-DCTIL_2.csv"]
    assert {(info.size, info.is_directory, info.trouble) for info in found} == {(3, False, "")}


def test_an_empty_directory_lists_nothing(store, site):
    assert list(store.list(site.directory)) == []


@over("site", kinds("sftp", "sshd", "ftp", "ftp-list", "ftps", "objects", "oci"), indirect=True)
def test_directories_are_listed_and_marked(store, site):
    if hasattr(site, "folder"):
        (site.folder / "sub").mkdir()
    else:
        site.put("sub/x")
    site.put("sun")
    assert [(info.name, info.is_directory) for info in store.list(site.directory, "su")] == [
        ("sub", True),
        ("sun", False),
    ]


@over("name", ODD_NAMES)
def test_odd_names_go_through_whole(store, site, name):
    write(store, site, name, name.encode())
    assert site.names() == [name]
    assert [(info.name, info.trouble) for info in store.list(site.directory)] == [(name, "")]
    assert store.stat(site.directory, name).size == len(name.encode())
    assert read(store, site, name) == name.encode()
    store.rename(site.directory, name, "plain")
    store.rename(site.directory, "plain", name)
    store.delete(site.directory, name)
    assert site.names() == []


@over("site", kinds("memory", "sftp", "sshd"), indirect=True)
@over("name", ["new\nline", "bell\x07", "esc\x1b[31m", "not-utf8-\udcff"])
def test_hostile_names_are_listed_with_trouble_and_stop_nothing_else(store, site, name):
    site.put(name)
    site.put("good.csv")
    found = {info.name: info.trouble for info in store.list(site.directory)}
    assert found.pop("good.csv") == ""
    ((shown, trouble),) = found.items()
    assert trouble
    assert shown.isprintable()


@over("site", kinds("ftp", "ftp-list", "ftps"), indirect=True)
@over("name", ["bell\x07", "not-utf8-\udcff"])
def test_hostile_names_over_ftp_are_listed_with_trouble(store, site, name):
    site.put(name)
    site.put("good.csv")
    assert {bool(info.trouble): info.name.isprintable() for info in store.list(site.directory)} == {
        True: True,
        False: True,
    }


@over("name", ["", ".", "..", "a/b", "../x", "a\0b", "a\nb", "\udcff", "y" * 256])
def test_unusable_names_are_refused_before_anything_is_asked(store, site, name):
    site.put("kept")
    for call in (
        lambda: write(store, site, name, b"x"),
        lambda: read(store, site, name),
        lambda: store.stat(site.directory, name),
        lambda: store.rename(site.directory, "kept", name),
        lambda: store.delete(site.directory, name),
    ):
        with pytest.raises(BadName):
            call()
    assert site.names() == ["kept"]


@over("directory", ["../etc", "in/../../x", "a\nb"])
def test_directories_that_climb_are_refused(store, site, directory):
    with pytest.raises(BadName):
        list(store.list(directory))


def test_stat_of_what_is_not_there_is_none(store, site):
    assert store.stat(site.directory, "nothing") is None


def test_modified_changes_with_the_content(store, site):
    write(store, site, "a", b"1")
    first = store.stat(site.directory, "a")
    write(store, site, "a", b"other")
    assert (first.size, first.modified) != (5, store.stat(site.directory, "a").modified)


@over("content", [b"", b"x", b"\r\n\x00\xff" * 1000])
def test_what_is_written_is_read_back(store, site, content):
    written = write(store, site, "a.csv", content, mark="17")
    assert (written.size, written.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert read(store, site, "a.csv") == content


def test_write_overwrites_and_leaves_no_tail(store, site):
    write(store, site, "a.csv", b"a long first content")
    write(store, site, "a.csv", b"short")
    assert read(store, site, "a.csv") == b"short"


def test_twenty_megabytes_arrive_whole(store, site):
    content = hashlib.shake_128(b"twenty").digest(20 * MB + 7)
    assert write(store, site, "big", content, size=len(content)).size == len(content)
    assert hashlib.sha256(read(store, site, "big")).digest() == hashlib.sha256(content).digest()


class Dripping:
    """A Reader that gives little at a time."""

    def __init__(self, content: bytes) -> None:
        self.rest = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        return self.rest.read(min(size, 1000))


def test_a_source_that_gives_little_at_a_time_is_read_to_its_end(store, site):
    content = bytes(range(256)) * 500
    store.write(site.directory, "a", Dripping(content))
    assert read(store, site, "a") == content


def test_a_reader_gives_at_most_what_is_asked_for(store, site):
    site.put("a", b"0123456789" * 10_000)
    with store.open(site.directory, "a") as reader:
        assert 0 < len(reader.read(7)) <= 7
        assert len(reader.read(0)) == 0
        assert 0 < len(reader.read(70_000)) <= 70_000


def test_reading_may_stop_midway_and_the_store_still_works(store, site):
    site.put("a", b"x" * 5 * MB)
    with store.open(site.directory, "a") as reader:
        reader.read(10)
    assert store.stat(site.directory, "a").size == 5 * MB


def test_a_file_is_read_while_another_is_written_in_the_same_store(store, site):
    site.put("a", b"abc" * MB)
    with store.open(site.directory, "a") as reader:
        store.write(site.directory, "b", reader)
    assert read(store, site, "b") == b"abc" * MB


class SourceGoneError(Exception):
    """The other store's trouble."""


class Breaking:
    """A Reader that breaks after some megabytes."""

    left = 12 * MB

    def read(self, size: int = -1, /) -> bytes:
        if self.left <= 0:
            raise SourceGoneError
        self.left -= size
        return b"x" * size


def test_a_source_that_breaks_is_not_taken_for_the_targets_fault(store, site):
    with pytest.raises(SourceGoneError):
        store.write(site.directory, "a", Breaking())
    write(store, site, "b", b"works")
    if store.writes_whole:
        assert site.names() == ["b"]


class Endless:
    """A Reader of zeros, so many."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        found = min(size, self.left)
        self.left -= found
        return bytes(found)


@over("site", kinds("sftp", "ftp", "objects", "oci"), indirect=True)
def test_memory_is_bounded_while_64_megabytes_pass(store, site, monkeypatch):
    """The servers run in this process too: what they keep is on disk, or (moto) taken off by counting ours only."""
    tracemalloc.start(8)
    try:
        store.write(site.directory, "big", Endless(64 * MB), size=64 * MB)
        tracemalloc.reset_peak()
        with store.open(site.directory, "big") as reader:
            while chunk := reader.read(CHUNK):
                assert len(chunk) <= CHUNK
        ours = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.Filter(True, "*/integrations/adapters/*")]
        )
    finally:
        tracemalloc.stop()
    assert sum(stat.size for stat in ours.statistics("filename")) < 12 * MB


def test_rename_gives_the_other_name(store, site):
    site.put("a.csv", b"content")
    store.rename(site.directory, "a.csv", "SENT-a.csv")
    assert site.names() == ["SENT-a.csv"]
    assert read(store, site, "SENT-a.csv") == b"content"


def test_rename_to_a_taken_name_is_refused_and_both_stay(store, site):
    site.put("a", b"one")
    site.put("b", b"two")
    with pytest.raises(AlreadyExists, match="b"):
        store.rename(site.directory, "a", "b")
    assert (read(store, site, "a"), read(store, site, "b")) == (b"one", b"two")


def test_rename_onto_the_same_content_ends_a_rename_that_was_cut_off(store, site):
    site.put("a", b"same")
    site.put("b", b"same")
    store.rename(site.directory, "a", "b")
    assert site.names() == ["b"]


def test_rename_of_what_is_gone_is_not_found(store, site):
    with pytest.raises(NotFound, match=r"a\.csv"):
        store.rename(site.directory, "a.csv", "b.csv")


def test_rename_to_itself_changes_nothing(store, site):
    site.put("a", b"one")
    store.rename(site.directory, "a", "a")
    assert read(store, site, "a") == b"one"


def test_delete_twice_is_fine(store, site):
    site.put("a")
    store.delete(site.directory, "a")
    store.delete(site.directory, "a")
    assert site.names() == []


def test_what_is_gone_cannot_be_opened(store, site):
    with pytest.raises(NotFound, match="gone"):
        read(store, site, "gone")


def test_a_missing_directory_cannot_be_listed_or_written_to(store, site):
    missing = "missing-dir"
    with pytest.raises(NotFound, match=missing):
        list(store.list(missing))
    with pytest.raises(NotFound, match=missing):
        store.write(missing, "a", io.BytesIO(b"x"))


@over("site", kinds("memory", "sftp", "ftp", "ftps", "objects", "oci"), indirect=True)
def test_what_is_not_permitted_is_said_so(site):
    site.put("a")
    with site.store(site.reader) as store:
        directory = "locked" if site.endpoint.adapter == "memory" else site.directory
        for call in (
            lambda: store.write(directory, "b", io.BytesIO(b"x")),
            lambda: store.delete(directory, "a"),
        ):
            with pytest.raises(NotPermitted):
                call()
        list(store.list(directory))
    assert site.names() == ["a"]


@over("site", kinds("sftp", "ftp", "ftps", "objects", "oci"), indirect=True)
def test_wrong_credentials_are_refused_without_showing_them(site):
    secrets = dict.fromkeys(site.endpoint.secrets, site.wrong_secret)
    with site.store(secrets=secrets) as store, pytest.raises(LoginRefused) as raised:
        list(store.list(site.directory))
    assert not raised.value.passing
    assert site.wrong_secret not in f"{raised.value.text} {raised.value.detail} {raised.value.hint}"


@over("site", kinds("memory", *servers), indirect=True)
def test_a_server_that_is_down_is_unreachable_and_nothing_was_sent(site):
    site.stop()
    with site.store() as store, pytest.raises(Unreachable) as raised:
        list(store.list(site.directory))
    assert raised.value.passing
    assert not raised.value.sent


@over("site", kinds("memory", "sftp", "ftp", "ftp-list", "ftps", "objects", "oci"), indirect=True)
def test_a_server_that_is_slow_is_timed_out(site):
    site.put("a")
    with site.store(read_timeout=0.5) as store:
        store.stat(site.directory, "a")
        site.server.fail("slow", 1)
        with pytest.raises(TimedOut) as raised:
            read(store, site, "a")
    assert raised.value.passing


@over("site", kinds("memory", "sftp", "ftp", "ftps", "objects", "oci"), indirect=True)
def test_a_read_cut_midway_is_dropped_and_the_next_one_works(store, site):
    site.put("a", b"x" * 4 * MB)
    site.server.fail("cut", 1)
    with pytest.raises(Dropped) as raised:
        read(store, site, "a")
    assert raised.value.passing
    assert len(read(store, site, "a")) == 4 * MB


@over("site", kinds("memory", "sftp", "ftp", "ftps", "oci"), indirect=True)
def test_a_write_cut_midway_is_dropped_and_can_be_made_anew(store, site):
    site.server.fail("cut", 1)
    with pytest.raises(Dropped) as raised:
        write(store, site, "a", b"x" * 4 * MB)
    assert raised.value.sent
    write(store, site, "a", b"x" * 4 * MB)
    assert store.stat(site.directory, "a").size == 4 * MB


@over("site", kinds("memory", "sftp", "ftp", "objects", "oci"), indirect=True)
def test_a_server_that_fails_is_said_so_in_its_own_words(store, site):
    site.put("a")
    store.stat(site.directory, "a")
    site.server.fail("500", 1)
    with pytest.raises(AdapterError) as raised:
        list(store.list(site.directory))
    assert raised.value.text


def test_test_reports_every_step_with_its_time(site):
    with site.store() as store:
        steps = store.test()
    assert all(step.ok for step in steps), steps
    assert all(step.milliseconds >= 0 for step in steps)


@over("site", kinds("memory", *servers), indirect=True)
def test_test_of_a_server_that_is_down_names_the_step_that_failed(site):
    site.stop()
    with site.store() as store:
        last = store.test()[-1]
    assert not last.ok
    assert "refuses connections" in last.detail


def test_closing_twice_is_harmless(site):
    store = site.store()
    store.test()
    store.close()
    store.close()


@over("site", kinds(*servers), indirect=True)
def test_the_settings_of_a_working_connection_have_no_problems(site):
    with site.store() as store:
        assert store.problems(site.endpoint) == []


def test_a_transfer_message_says_where(site):
    with site.store() as store:
        if site.endpoint.adapter.endswith("object_storage"):
            assert store.directory_for({"namespaceName": "ns", "bucketName": "b"}) == "ns/b"
        else:
            assert store.directory_for({"directory": "in/dacs"}) == "in/dacs"
