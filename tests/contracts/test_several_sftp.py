"""Several small files at once over SFTP: in order, once each, nothing new after a failure, nothing left open."""

import hashlib
import inspect
import io
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest
from paramiko.buffered_pipe import BufferedPipe, PipeTimeout
from paramiko.sftp import SFTP_FAILURE, SFTP_OP_UNSUPPORTED, SFTP_PERMISSION_DENIED

from demo.sftp_files import Files, Handle
from integrations.adapters.errors import (
    AdapterError,
    AlreadyExists,
    BadName,
    Dropped,
    NotFound,
    NotPermitted,
    NotStarted,
    TimedOut,
    Unreachable,
    Unwhole,
)
from integrations.adapters.several import Parcel
from integrations.adapters.sftp_pipe import Pipe
from integrations.adapters.sftp_wire import Wire
from tests.contracts import sites
from tests.contracts.conftest import kinds

KB, MB = 1024, 1024 * 1024
over = pytest.mark.parametrize


@pytest.fixture(params=kinds("sftp", "sshd"))
def site(request, tmp_path):
    """A real server: the demo's, which knows no extension of OpenSSH's, and OpenSSH."""
    with getattr(sites, request.param)(tmp_path) as found:
        yield found


@pytest.fixture
def demo(tmp_path):
    with sites.sftp(tmp_path) as found:
        yield found


@pytest.fixture
def real(tmp_path):
    with sites.sshd(tmp_path) as found:
        yield found


@pytest.fixture
def store(site):
    with site.store() as found:
        yield found


def content_of(name: str, size: int) -> bytes:
    return hashlib.shake_128(name.encode()).digest(size)


def kinds_of(found) -> list[type]:
    return [type(one) for one in found]


def files_open(site) -> list[Path]:
    """Files of the site's folder that OpenSSH's sessions have open, once a session that was ended is gone."""
    deadline = time.monotonic() + 2
    while (found := list(_files_open(site))) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _files_open(site):
    for pid in site.server.sessions():
        with suppress(FileNotFoundError):  # a process or a file that has ended meanwhile
            targets = [fd.readlink() for fd in Path(f"/proc/{pid}/fd").iterdir()]
            yield from (target for target in targets if target.is_relative_to(site.folder))


SIZES = [0, 1, 20_000, 32 * KB - 1, 32 * KB, 32 * KB + 1, 255 * KB, 255 * KB + 1, 300 * KB, 3 * MB + 7]


@over("at_once", [0, 1, 3, 64])
def test_files_of_every_size_are_read_in_the_order_asked_for(store, site, at_once):
    names = [f"{number:02}-{size}" for number, size in enumerate(SIZES)]
    for name, size in zip(names, SIZES, strict=True):
        site.put(name, content_of(name, size))
    names.reverse()
    found = store.read_many(site.directory, names, at_once=at_once)
    assert [one.info.name for one in found] == names
    assert [one.content for one in found] == [content_of(name, int(name[3:])) for name in names]
    assert [one.info for one in found] == [store.stat(site.directory, name) for name in names]


@over("at_once", [1, 3, 64])
def test_files_of_every_size_are_written_whole(store, site, at_once):
    files = [Parcel(f"f{size}", content_of("f", size)) for size in SIZES]
    written = store.write_many(site.directory, files, at_once=at_once)
    assert [one.size for one in written] == SIZES
    assert [one.sha256 for one in written] == [hashlib.sha256(file.content).hexdigest() for file in files]
    assert {name: (site.folder / name).read_bytes() for name in site.names()} == {
        file.name: file.content for file in files
    }


def test_what_is_overwritten_leaves_no_tail(store, site):
    site.put("a", b"a long first content")
    store.write_many(site.directory, [Parcel("a", b"short")], at_once=4)
    assert (site.folder / "a").read_bytes() == b"short"


def test_odd_names_go_through_whole(store, site):
    names = ["with space.csv", "Zähler é.csv", "計量器.csv", "-rf", "*star[1]", "x" * 255, "a\u200db"]
    store.write_many(site.directory, [Parcel(name, name.encode()) for name in names], at_once=64)
    assert [one.content.decode() for one in store.read_many(site.directory, names, at_once=64)] == names
    assert store.taken(site.directory, [*names, "other"], at_once=64) == set(names)
    short = [(name, f"SENT-{name[:200]}") for name in names]
    assert store.rename_many(site.directory, short, at_once=64) == [None] * len(names)
    assert site.names() == sorted(new for _, new in short)


def test_two_thousand_files_arrive_once_each_and_whole(demo):
    names = [f"f{number:05}" for number in range(2000)]
    files = [Parcel(name, content_of(name, 100)) for name in names]
    with demo.store() as store:
        assert not [
            one for one in store.write_many("out", files, at_once=64) if isinstance(one, AdapterError)
        ]
        found = store.read_many("out", names, at_once=64)
        assert (
            store.rename_many("out", [(name, f"SENT-{name}") for name in names], at_once=64) == [None] * 2000
        )
    assert [one.content for one in found] == [file.content for file in files]
    assert demo.names() == [f"SENT-{name}" for name in names]
    for operation in ("put", "get", "rename"):
        done = [one["path"] for one in demo.server.received() if one["operation"] == operation]
        assert len(done) == len(set(done)) == 2000


def test_nothing_to_do_is_nothing_and_needs_no_log_in(demo):
    demo.stop()
    with demo.store() as store:
        assert store.read_many("out", [], at_once=4) == store.rename_many("out", [], at_once=4) == []


# -- failures ------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """Names that were opened at the demo's server; `open_now` and `most`: handles open there."""

    class Seen(list):
        open_now = most = 0

    seen, opening, closing = Seen(), Files.open, Handle.close

    def noted(files, path, flags, attr):
        seen.append(Path(path).name)
        found = opening(files, path, flags, attr)
        seen.open_now += isinstance(found, Handle)
        seen.most = max(seen.most, seen.open_now)
        return found

    def closed(handle):
        seen.open_now -= handle._open
        closing(handle)

    monkeypatch.setattr(Files, "open", noted)
    monkeypatch.setattr(Handle, "close", closed)
    return seen


@over("at_once", [1, 4, 16])
def test_after_a_failure_nothing_new_is_begun_and_what_is_under_way_finishes(demo, opened, at_once):
    names = [f"f{number:03}" for number in range(100)]
    for name in names:
        demo.put(name, name.encode())
    (demo.folder / "f005").unlink()
    with demo.store() as store:
        found = store.read_many("out", names, at_once=at_once)
    assert isinstance(found[5], NotFound)
    assert "f005" in found[5].text
    begun = [name for name, one in zip(names, found, strict=True) if not isinstance(one, NotStarted)]
    assert begun == opened == names[: len(begun)]
    assert 6 <= len(begun) <= 5 + at_once
    assert [one.content for one in found[:5] + found[6 : len(begun)]] == [
        name.encode() for name in begun if name != "f005"
    ]
    assert (opened.open_now, opened.most) == (0, min(at_once, len(begun) - (at_once > 5)))


@over("name", ["", "..", "a/b", "new\nline", "\udcff", "x" * 256])
def test_an_unusable_name_has_its_error_in_its_place(store, site, name):
    site.put("a", b"1")
    for found in (
        store.read_many(site.directory, ["a", name, "b"], at_once=1),
        store.write_many(site.directory, [Parcel("c", b""), Parcel(name, b""), Parcel("d", b"")], at_once=1),
        store.rename_many(site.directory, [("a", "a"), ("a", name), ("a", "e")], at_once=1),
    ):
        assert kinds_of(found)[1:] == [BadName, NotStarted]
        assert not isinstance(found[0], AdapterError)
    assert site.names() == ["a", "c"]


def test_what_is_not_permitted_is_said_in_its_place(demo):
    demo.put("a")
    with demo.store(demo.reader) as store:
        found = store.write_many("", [Parcel("b", b"1"), Parcel("c", b"2")], at_once=1)
        assert kinds_of(found) == [NotPermitted, NotStarted]


@pytest.mark.sshd
def test_a_disk_that_is_full_is_met_in_its_place_and_nothing_stays_open(real):
    (real.folder / "full").symlink_to("/dev/full")
    files = [
        Parcel("a", b"x" * KB),
        Parcel("full", b"x" * 300 * KB),
        Parcel("b", b"y" * KB),
        Parcel("c", b""),
    ]
    with real.store() as store:
        found = store.write_many(real.directory, files, at_once=3)
        assert not isinstance(found[0], AdapterError)
        assert "full" in found[1].text
        assert found[2].size == KB
        assert isinstance(found[3], NotStarted)
        assert files_open(real) == []


@pytest.mark.sshd
def test_no_file_stays_open_and_the_session_is_used_again(real):
    for number in range(300):
        real.put(f"f{number:03}", b"x" * 1000)
    real.put("large", b"x" * MB)
    names = [f"f{number:03}" for number in range(300)]
    with real.store() as store:
        sessions = None
        for asked in (names, ["large", "gone", *names], [*names[:10], "gone"]):
            store.read_many(real.directory, asked, at_once=64)
            store.write_many(
                real.directory, [Parcel(f"w-{name}", b"y" * 40_000) for name in asked], at_once=64
            )
            assert files_open(real) == []
            sessions = sessions or set(real.server.sessions())
            assert set(real.server.sessions()) <= sessions


def test_a_log_in_that_fails_is_the_first_files_and_the_others_are_not_begun(demo):
    demo.stop()
    with demo.store() as store:
        found = store.read_many("out", ["a", "b", "c"], at_once=2)
        with pytest.raises(Unreachable):
            store.taken("out", ["a"], at_once=2)
    assert kinds_of(found) == [Unreachable, NotStarted, NotStarted]


@over("kind", ["read", "write"])
def test_a_cut_in_a_volley_drops_what_is_under_way_and_begins_nothing_new(demo, opened, kind):
    names, content = [f"f{number:02}" for number in range(40)], b"x" * 100 * KB
    for name in names if kind == "read" else ():
        demo.put(name, content)

    def volley(store):
        if kind == "read":
            return store.read_many("out", names, at_once=8)
        return store.write_many("out", [Parcel(name, content) for name in names], at_once=8)

    with demo.store() as store:
        demo.server.fail("cut", 1)
        found = volley(store)
        assert kinds_of(found)[0] is Dropped
        assert all(one.sent and names[0][0] in one.text for one in found if isinstance(one, Dropped))
        assert kinds_of(found)[8:] == [NotStarted] * 32
        assert set(opened) <= set(names[:8])
        assert not [one for one in volley(store) if isinstance(one, AdapterError)]


@pytest.mark.sshd
def test_a_session_killed_between_two_volleys_drops_one_and_the_next_works(real):
    real.put("a")
    with real.store() as store:
        store.read_many(real.directory, ["a"], at_once=2)
        with store._pool.lend() as session:  # so that it looks alive while its server is stopped
            real.server.signal(signal.SIGSTOP)
        threading.Timer(0.3, real.server.signal, [signal.SIGKILL]).start()
        assert kinds_of(store.read_many(real.directory, ["a", "b", "c"], at_once=2)) == [
            Dropped,
            Dropped,
            NotStarted,
        ]
        assert not session.alive()
        assert store.read_many(real.directory, ["a"], at_once=2)[0].content == b"x"


@pytest.mark.sshd
def test_a_file_that_falls_silent_is_timed_out_once_and_its_closing_not_waited_for(real):
    real.put("a", b"x" * 30 * MB)
    with real.store(read_timeout=1.0) as store:
        with store.open(real.directory, "a") as reader:
            reader.read(10)
            real.server.signal(signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(TimedOut):
                reader.read()
        assert time.monotonic() - began < 1.9
        real.server.signal(signal.SIGCONT)


@pytest.mark.sshd
def test_a_server_that_falls_silent_is_timed_out_once_for_all(real):
    for number in range(20):
        real.put(f"f{number:02}")
    with real.store(read_timeout=1.0) as store:
        store.taken(real.directory, ["f00"], at_once=1)
        real.server.signal(signal.SIGSTOP)
        began = time.monotonic()
        found = store.read_many(real.directory, [f"f{number:02}" for number in range(20)], at_once=8)
        assert time.monotonic() - began < 4
        real.server.signal(signal.SIGCONT)
        assert kinds_of(found) == [TimedOut] * 8 + [NotStarted] * 12
        assert store.read_many(real.directory, ["f00"], at_once=8)[0].content == b"x"


def test_a_server_that_keeps_less_than_it_was_sent_is_unwhole(demo, monkeypatch):
    keeping = Handle.write
    monkeypatch.setattr(Handle, "write", lambda handle, offset, data: keeping(handle, offset, data[:-1]))
    with demo.store() as store:
        found = store.write_many("out", [Parcel("a", b"123"), Parcel("b", b"")], at_once=1)
    assert kinds_of(found) == [Unwhole, NotStarted]


@over("said", [SFTP_OP_UNSUPPORTED, paramiko.SFTPAttributes()])
def test_a_server_that_knows_nothing_of_open_files_is_asked_by_path(demo, monkeypatch, said):
    keeping = Handle.write
    monkeypatch.setattr(Handle, "stat", lambda handle: said)
    with demo.store() as store:
        assert store.write_many("out", [Parcel("a", b"123")], at_once=4)[0].size == 3
        assert store.write("out", "b", io.BytesIO(b"1234")).size == 4
        assert store.read_many("out", ["b"], at_once=4)[0].content == b"1234"
        monkeypatch.setattr(Handle, "write", lambda handle, offset, data: keeping(handle, offset, data[:-1]))
        assert kinds_of(store.write_many("out", [Parcel("a", b"123")], at_once=4)) == [Unwhole]
        with pytest.raises(Unwhole):
            store.write("out", "a", io.BytesIO(b"123"))


def test_a_server_that_shows_the_size_of_closed_files_only_is_believed_then(demo, monkeypatch):
    nothing = paramiko.SFTPAttributes()
    nothing.st_size = 0
    monkeypatch.setattr(Handle, "stat", lambda handle: nothing)
    with demo.store() as store:
        assert store.write_many("out", [Parcel("a", b"123")], at_once=4)[0].size == 3
        assert store.write("out", "b", io.BytesIO(b"1234")).size == 4


@over("operation", ["read", "write"])
def test_a_file_that_fails_once_it_is_open_is_closed_and_the_session_used_again(
    demo, opened, monkeypatch, operation
):
    demo.put("a", b"x" * 100)
    with demo.store() as store:
        with store._pool.lend() as session:
            pass
        with monkeypatch.context() as patch:
            patch.setattr(Handle, operation, lambda *args: SFTP_PERMISSION_DENIED)
            if operation == "read":
                found = store.read_many("out", ["a"], at_once=4)
            else:
                found = store.write_many("out", [Parcel("a", b"x" * 100_000)], at_once=4)
        assert kinds_of(found) == [NotPermitted]
        assert session.alive()
        assert store.read_many("out", ["a"], at_once=4)[0].info.size == store.stat("out", "a").size
        assert (opened, opened.open_now) == (["a", "a"], 0)
        assert not session.wire._early


def test_short_reads_give_the_whole_file(demo, monkeypatch):
    giving = Handle.read
    monkeypatch.setattr(Handle, "read", lambda handle, at, size: giving(handle, at, min(size, 5000)))
    content = content_of("a", 70_001)
    demo.put("a", content)
    demo.put("b", content)
    with demo.store() as store:
        assert [one.content for one in store.read_many("out", ["a", "b"], at_once=4)] == [content, content]
        with store.open("out", "a") as reader:
            assert reader.read() == content


# -- growing files ---------------------------------------------------------------------------------------------


def test_a_file_that_grew_after_it_was_listed_shows_its_new_size(store, site):
    site.put("a", b"x" * 100)
    (listed,) = store.list(site.directory)
    with (site.folder / "a").open("ab") as file:
        file.write(b"y" * 50)
    os.utime(site.folder / "a", (0, 1_700_000_000))
    (found,) = store.read_many(site.directory, ["a"], at_once=4)
    assert found.content == b"x" * 100 + b"y" * 50
    assert (listed.size, found.info.size, found.info.modified) == (100, 150, "1700000000")


def test_a_file_that_keeps_growing_is_read_once_and_shows_that_there_is_more(demo, monkeypatch):
    giving = Handle.read

    def growing(handle, at, size):
        found = giving(handle, at, size)
        with (demo.folder / "a").open("ab") as file:
            file.write(b"more")
        return found

    demo.put("a", b"first")
    monkeypatch.setattr(Handle, "read", growing)
    with demo.store() as store:
        (found,) = store.read_many("out", ["a"], at_once=4)
    assert found.content == b"firstmore"
    assert found.info.size > len(found.content)


def test_a_file_that_has_become_large_is_not_taken_into_memory_whole(store, site):
    site.put("a")
    os.truncate(site.folder / "a", 40 * MB)
    found = store.read_many(site.directory, ["a", "a"], at_once=1)
    assert [(len(one.content), one.info.size) for one in found] == [(16 * MB, 40 * MB)] * 2


# -- renames ---------------------------------------------------------------------------------------------------


@over("other", [b"one", b"two"])
def test_a_rename_never_replaces_whatever_is_there(store, site, other):
    site.put("a", b"one")
    site.put("b", other)
    found = store.rename_many(site.directory, [("a", "b"), ("a", "c")], at_once=1)
    assert kinds_of(found) == [AlreadyExists, NotStarted]
    assert ((site.folder / "a").read_bytes(), (site.folder / "b").read_bytes()) == (b"one", other)


def test_of_two_renames_to_one_name_one_wins(store, site):
    names = [f"f{number}" for number in range(8)]
    for name in names:
        site.put(name, name.encode())
    found = store.rename_many(site.directory, [(name, "won") for name in names], at_once=8)
    assert found[0] is None
    assert kinds_of(found)[1:] == [AlreadyExists] * 7
    assert site.names() == [*names[1:], "won"]
    assert (site.folder / "won").read_bytes() == b"f0"


def test_a_source_that_is_gone_is_not_found_even_where_the_target_is_there(store, site):
    site.put("b")
    for new in ("b", "c", "a"):
        (found,) = store.rename_many(site.directory, [("a", new)], at_once=4)
        assert isinstance(found, NotFound)
        assert "a is not at" in found.text


def test_a_rename_to_itself_changes_nothing(store, site):
    site.put("a", b"one")
    assert store.rename_many(site.directory, [("a", "a")], at_once=4) == [None]
    assert site.names() == ["a"]


@over("said", [SFTP_FAILURE, SFTP_OP_UNSUPPORTED])
def test_a_server_whose_own_rename_does_not_work_is_asked_for_the_other(demo, monkeypatch, said):
    monkeypatch.setattr(Files, "rename", lambda files, old, new: said)
    demo.put("a")
    demo.put("b")
    demo.put("taken")
    with demo.store() as store:
        assert store.rename_many("out", [("a", "c")], at_once=4) == [None]
        assert kinds_of(store.rename_many("out", [("b", "taken")], at_once=4)) == [AlreadyExists]
    assert demo.names() == ["b", "c", "taken"]


# -- what the server offers ------------------------------------------------------------------------------------


@pytest.mark.sshd
@over(("flush", "flushes"), [("yes", 4), ("no", 0), (None, 0)])
def test_files_are_flushed_to_the_servers_disk_where_the_connection_says_so(
    real, monkeypatch, flush, flushes
):
    seen, asking = [], Wire.ask_flush
    monkeypatch.setattr(Wire, "ask_flush", lambda wire, handle: seen.append(handle) or asking(wire, handle))
    settings = dict(real.endpoint.settings) | ({"flush": flush} if flush else {})
    with real.store(settings=settings) as store, Path(os.devnull).open("rb") as nothing:
        store.write_many(real.directory, [Parcel(name, b"x") for name in "abc"], at_once=2)
        store.write(real.directory, "d", nothing)
    assert len(seen) == flushes
    assert real.names() == ["a", "b", "c", "d"]


def test_a_server_that_cannot_flush_is_not_asked_to(demo):
    with demo.store(settings={**demo.endpoint.settings, "flush": "yes"}) as store:
        assert store.write_many("out", [Parcel("a", b"x")], at_once=2)[0].size == 1


def test_flush_is_a_setting_with_two_values(demo):
    with demo.store() as store:
        for value, wrong in (("yes", 0), ("no", 0), ("", 0), ("perhaps", 1)):
            endpoint = sites.replace(demo.endpoint, settings={**demo.endpoint.settings, "flush": value})
            assert len(store.problems(endpoint)) == wrong


def test_requests_are_as_large_as_the_server_says_and_32_kib_where_it_does_not(store, site, request):
    with store._pool.lend() as session:
        found = (session.wire.read_block, session.wire.write_block)
    assert found == ((255 * KB,) * 2 if "sshd" in request.node.name else (32 * KB,) * 2)


# -- paramiko's side -------------------------------------------------------------------------------------------


def public(kind: type) -> dict[str, list[str]]:
    members = {name for name, value in vars(kind).items() if callable(value) and not name.startswith("_")}
    return {name: list(inspect.signature(getattr(kind, name)).parameters) for name in members | {"__len__"}}


def test_the_pipe_is_still_what_paramiko_puts_into_a_channel():
    """A failure here means that paramiko's pipe changed: look at sftp_pipe.py before the pin goes up."""
    assert type(paramiko.Channel(1).in_buffer) is BufferedPipe
    ours = public(Pipe)
    assert {name: ours.get(name) for name in public(BufferedPipe)} == public(BufferedPipe)
    used = set(inspect.getsource(paramiko.Channel).replace("self.in_buffer.", "\0").split("\0")[1:])
    assert {text.partition("(")[0] for text in used} <= set(ours)


def test_the_pipe_gives_what_came_in_order_however_it_is_cut():
    content, pipe = content_of("pipe", 100_000), Pipe()
    for start in range(0, len(content), 7001):
        pipe.feed(content[start : start + 7001])
    assert (len(pipe), pipe.read_ready()) == (100_000, True)
    parts = [pipe.read(size) for size in (1, 7000, 1, 20_000, 5)]
    assert [len(part) for part in parts] == [1, 7000, 1, 20_000, 5]
    assert b"".join(parts) + pipe.empty() == content
    pipe.close()
    assert (pipe.read(10), pipe.read_ready()) == (b"", False)


def test_the_pipe_waits_for_what_is_wanted_and_a_slow_line_gives_what_it_has():
    pipe = Pipe()
    with pytest.raises(PipeTimeout):
        pipe.read(1, 0.01)
    pipe.wanted = 10
    pipe.feed(b"123")
    assert pipe.read(100, 0.01) == b"123"
    threading.Timer(0.05, pipe.feed, [b"0123456789ab"]).start()
    assert pipe.read(100, 10) == b"0123456789ab"


def test_the_pipe_sets_an_event_while_there_is_something():
    pipe, event = Pipe(), threading.Event()
    pipe.set_event(event)
    seen = [event.is_set()]
    pipe.feed(b"12")
    seen.append(event.is_set())
    pipe.read(2)
    seen.append(event.is_set())
    pipe.close()
    assert [*seen, event.is_set()] == [False, True, False, True]
