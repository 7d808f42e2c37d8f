"""Rules shared by all adapters: names, addresses, listings, pools, the choice of adapter."""

import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.adapters import adapter_class, adapter_names, open_adapter
from integrations.adapters.addresses import dial, resolve
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import AddressRefused, Misconfigured, Unreachable
from integrations.adapters.ftp_listing import from_list, from_mlsd
from integrations.adapters.names import decode_name, name_trouble, path_of, shown_name
from integrations.adapters.pool import Pool
from integrations.adapters.scrub import scrub


@pytest.mark.parametrize("name", adapter_names())
def test_every_adapter_is_what_the_console_needs(name):
    found = adapter_class(name)
    assert (found.name, bool(found.label)) == (name, True)
    assert isinstance(found.problems(Endpoint("x", name)), list)
    assert all(item.label for item in found.fields)
    assert len({item.name for item in found.fields}) == len(found.fields)


def test_an_unknown_adapter_is_said_so():
    with pytest.raises(Misconfigured, match="no adapter 'telex'"):
        open_adapter(Endpoint("x", "telex"))


@pytest.mark.parametrize(
    "name", ["a", "-rf", " a ", "Ä", "A\u0308", "a..b", "...", "x" * 255, "é" * 127, "a\u200db"]
)
def test_names_that_can_be_used(name):
    assert name_trouble(name) == ""


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "\0", "\t", "a\x7f", "a\x85b", "a\u2028b", "\ud800", "x" * 256, "é" * 128]
)
def test_names_that_cannot_be_used(name):
    assert name_trouble(name)
    assert shown_name(name).isprintable()


@given(st.binary(max_size=300))
def test_any_bytes_as_a_name_are_either_usable_or_shown_with_trouble(raw):
    name, trouble = decode_name(raw)
    if trouble:
        assert name.isprintable()
    else:
        assert name.encode() == raw
        assert path_of("/in", name) == f"/in/{name}"


@pytest.mark.parametrize(
    ("directory", "path"), [("", "a"), ("/", "/a"), ("in/", "in/a"), ("/in//x/", "/in//x/a")]
)
def test_directories_and_names_are_joined(directory, path):
    assert path_of(directory, "a") == path


def answers(*found):
    def getaddrinfo(host, port, *more, **options):
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in found
        ]

    return getaddrinfo


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.0.1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"],
)
def test_metadata_services_are_refused_under_any_name_even_where_allowed(monkeypatch, address):
    monkeypatch.setattr(socket, "getaddrinfo", answers(address))
    with pytest.raises(AddressRefused, match="innocent"):
        resolve("innocent.example", 80, timeout=1, allowed=("0.0.0.0/0", "::/0"))


def test_only_the_allowed_addresses_of_a_name_are_used(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", answers("10.1.1.1", "192.168.0.1"))
    (place,) = resolve("ccs.example", 22, timeout=1, allowed=("192.168.0.0/16",))
    assert place.address == "192.168.0.1"


def test_a_network_that_is_none_is_named():
    with pytest.raises(Misconfigured, match="'many'"):
        resolve("127.0.0.1", 22, timeout=1, allowed=("many",))


def test_the_checked_address_is_the_one_connected_to_even_when_the_name_changes(monkeypatch):
    asked = []

    def rebinding(host, port, *more, **options):
        asked.append(host)
        return answers("127.0.0.1" if len(asked) == 1 else "169.254.169.254")(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with socket.create_server(("127.0.0.1", 0)) as server:
        with dial("ccs.example", server.getsockname()[1], timeout=2) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"
        assert asked == ["ccs.example"]


def test_a_name_server_that_is_silent_does_not_hold_a_worker(monkeypatch):
    def silent(*args, **options):
        time.sleep(1)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="could not be resolved") as raised:
        resolve("slow.example", 22, timeout=0.2)
    assert time.monotonic() - began < 0.9
    assert "name server" in raised.value.detail


def test_an_unknown_name_is_unreachable():
    with pytest.raises(Unreachable, match="no-such-host"):
        resolve("no-such-host.invalid", 22, timeout=5)


MLSD = (
    b"type=cdir;modify=20260101000000; .\r\n"
    b"Type=file;Size=12;Modify=20260102030405;UNIX.mode=0644;  two  spaces.csv\r\n"
    b"type=dir;modify=20260102030405; sub\r\n"
    b"type=OS.unix=slink:/x;size=3; link\r\n"
    b"type=file;size=1; bad\xff\r\n"
)
UNIX = (
    b"total 12\r\n"
    b"drwxr-xr-x    2 1000     1000         4096 Jan 03 12:00 sub\r\n"
    b"-rw-r--r--    1 1000     1000           12 Jan 03  2025 two  words.csv\r\n"
    b"-rw-r--r--+   1 owner    group     1234567 Dec 31 23:59  leading\r\n"
    b"lrwxrwxrwx    1 1000     1000            3 Jan 03 12:00 link -> a -> b\r\n"
    b"drwxr-xr-x    2 1000     1000         4096 Jan 03 12:00 ..\r\n"
)
DOS = b"01-02-26  03:04PM       <DIR>          sub dir\r\n01-02-26  03:04PM                 12 a b.csv\r\n"


def test_listings_of_every_style_are_read():
    assert [(info.name, info.size, info.is_directory, bool(info.trouble)) for info in from_mlsd(MLSD)] == [
        (" two  spaces.csv", 12, False, False),
        ("sub", 0, True, False),
        ("link", 3, False, True),
        ("bad\\xff", 1, False, True),
    ]
    assert [(info.name, info.size, info.is_directory) for info in from_list(UNIX)] == [
        ("sub", 4096, True),
        ("two  words.csv", 12, False),
        (" leading", 1234567, False),
        ("link", 3, False),
    ]
    assert [(info.name, info.size, info.is_directory) for info in from_list(DOS)] == [
        ("sub dir", 0, True),
        ("a b.csv", 12, False),
    ]


class Thing:
    """Something a pool lends."""

    def __init__(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False


def pool() -> Pool[Thing]:
    return Pool(Thing, alive=lambda thing: thing.open, close=Thing.close)


def test_a_pool_lends_the_same_session_again_and_another_meanwhile():
    found = pool()
    with found.lend() as first, found.lend() as second:
        assert first is not second
    with found.lend() as third:
        assert third in (first, second)
    found.close()
    assert not first.open
    assert not second.open


def test_a_pool_does_not_lend_what_broke():
    found = pool()
    with pytest.raises(ValueError, match="broke"), found.lend(keep=(KeyError,)) as first:
        raise ValueError("broke")
    assert not first.open
    with pytest.raises(KeyError), found.lend(keep=(KeyError,)) as second:
        raise KeyError
    with found.lend() as third:
        assert third is second


def test_secrets_are_masked_however_they_are_spelt():
    endpoint = Endpoint("x", "rest", {"user": "u"}, {"password": "canary-1", "pin": "12"})
    assert scrub("canary-1 dTpjYW5hcnktMQ== 12", endpoint) == "••• ••• 12"
