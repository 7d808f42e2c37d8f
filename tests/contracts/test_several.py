"""What every file store does alike with several small files at once, against real servers."""

import hashlib
import unicodedata

import pytest

from integrations.adapters.errors import AdapterError, AlreadyExists, BadName, Dropped, NotFound, NotStarted
from integrations.adapters.several import Parcel
from tests.contracts.conftest import ALL, kinds
from tests.contracts.test_stores import ODD_NAMES

over = pytest.mark.parametrize
AT_ONCE = [1, 4, 16]
MANY = [f"C1-DCTIL_{number:03}.csv" for number in range(40)]


def content_of(name):
    """Each file has its own size and bytes; the first is empty."""
    return b"" if name == MANY[0] else hashlib.shake_128(name.encode()).digest(50 * len(name) + len(MANY))


def parcels(names):
    return [Parcel(name, content_of(name), "17") for name in names]


def read_one(store, site, name):
    with store.open(site.directory, name) as reader:
        return b"".join(iter(lambda: reader.read(100_000), b""))


def same_form(site):
    """Whether the server takes both normal forms of a name for one (rclone's does, tests.contracts.rclone)."""
    return getattr(site, "one_normal_form", False)


def kinds_of(results):
    return [type(result) for result in results]


@over("at_once", AT_ONCE)
def test_many_files_are_written_read_and_renamed_in_the_order_asked_for(store, site, at_once):
    shuffled = sorted(MANY, key=lambda name: hashlib.sha256(name.encode()).digest())
    written = store.write_many(site.directory, parcels(shuffled), at_once=at_once)
    assert [(one.size, one.sha256) for one in written] == [
        (len(content_of(name)), hashlib.sha256(content_of(name)).hexdigest()) for name in shuffled
    ]
    assert site.names() == MANY
    found = store.read_many(site.directory, shuffled, at_once=at_once)
    assert [one.content for one in found] == [content_of(name) for name in shuffled]
    pairs = [(name, f"SENT-{name}") for name in shuffled]
    assert store.rename_many(site.directory, pairs, at_once=at_once) == [None] * len(pairs)
    assert site.names() == sorted(f"SENT-{name}" for name in MANY)
    assert read_one(store, site, f"SENT-{MANY[7]}") == content_of(MANY[7])


# (A listing by LIST has minutes only, where MDTM has seconds.)
@over("site", kinds(*(kind for kind in ALL if kind != "ftp-list")), indirect=True)
def test_what_is_read_is_shown_as_the_listing_shows_it(store, site):
    store.write_many(site.directory, parcels(MANY[:6]), at_once=4)
    listed = {info.name: (info.size, info.modified) for info in store.list(site.directory)}
    found = store.read_many(site.directory, MANY[:6], at_once=4)
    assert {one.info.name: (one.info.size, one.info.modified) for one in found} == listed


def test_nothing_to_do_is_nothing(store, site):
    assert store.read_many(site.directory, [], at_once=4) == []
    assert store.write_many(site.directory, [], at_once=4) == []
    assert store.rename_many(site.directory, [], at_once=4) == []
    assert store.taken(site.directory, [], at_once=4) == set()


@over("at_once", [1, 8])
def test_odd_names_go_through_whole_together(store, site, at_once):
    names = [name for name in ODD_NAMES if unicodedata.is_normalized("NFC", name) or not same_form(site)]
    written = store.write_many(site.directory, parcels(names), at_once=at_once)
    assert [result for result in written if isinstance(result, AdapterError)] == []
    assert site.names() == sorted(names)
    assert store.taken(site.directory, [*names, "not there"], at_once=at_once) == set(names)
    found = store.read_many(site.directory, names, at_once=at_once)
    assert [one.content for one in found] == [content_of(name) for name in names]
    pairs = [(name, f"{number:02}") for number, name in enumerate(names)]
    assert store.rename_many(site.directory, pairs, at_once=at_once) == [None] * len(pairs)
    back = [(new, old) for old, new in pairs]
    assert store.rename_many(site.directory, back, at_once=at_once) == [None] * len(pairs)
    assert site.names() == sorted(names)


def test_which_names_are_taken_is_known(store, site):
    for name in (MANY[3], MANY[20], "A", "z"):
        site.put(name)
    assert store.taken(site.directory, [*MANY, "z"], at_once=4) == {MANY[3], MANY[20], "z"}
    assert store.taken(site.directory, ["A"], at_once=4) == {"A"}
    assert store.taken(site.directory, [MANY[0]], at_once=4) == set()


@over("at_once", AT_ONCE)
def test_after_a_file_that_is_gone_nothing_new_is_read(store, site, at_once):
    names = [f"f{number:02}" for number in range(60)]
    for name in names:
        site.put(name, name.encode())
    store.delete(site.directory, names[5])
    found = store.read_many(site.directory, names, at_once=at_once)
    assert [one.content for one in found[:5]] == [name.encode() for name in names[:5]]
    assert isinstance(found[5], NotFound)
    assert {type(one) for one in found[6:] if isinstance(one, AdapterError)} <= {NotStarted}
    if at_once == 1:  # others may all be under way before the failure is known
        assert kinds_of(found[6:]) == [NotStarted] * 54


@over("at_once", AT_ONCE)
def test_after_a_file_that_is_gone_nothing_new_is_renamed(store, site, at_once):
    names = [f"f{number:02}" for number in range(60)]
    for name in names:
        site.put(name, name.encode())
    store.delete(site.directory, names[5])
    found = store.rename_many(site.directory, [(name, f"S-{name}") for name in names], at_once=at_once)
    assert isinstance(found[5], NotFound)
    done = [name for name, result in zip(names, found, strict=True) if result is None]
    assert done[:5] == names[:5]
    assert {type(result) for result in found[6:] if result is not None} <= {NotStarted}
    assert at_once > 1 or done == names[:5]
    left = set(names) - set(done) - {names[5]}
    assert site.names() == sorted({f"S-{name}" for name in done} | left)


@over("at_once", [1, 4])
def test_a_name_that_cannot_be_used_is_said_in_its_place(store, site, at_once):
    names = ["a", "../b", "c"]
    written = store.write_many(site.directory, parcels(names), at_once=at_once)
    assert isinstance(written[1], BadName)
    assert isinstance(store.read_many(site.directory, ["../b"], at_once=at_once)[0], BadName)
    assert isinstance(store.rename_many(site.directory, [("a", "x/y")], at_once=at_once)[0], BadName)
    assert set(site.names()) <= {"a", "c"}


@over("site", kinds("objects", "oci", "rclone"), indirect=True)
@over("at_once", [1, 8])
@over("looked", [True, False])
def test_where_files_show_at_once_a_taken_name_is_not_overwritten(store, site, at_once, looked):
    names = [f"f{number}" for number in range(8)]
    site.put("f3", b"what was there")
    if looked:
        assert store.taken(site.directory, names, at_once=at_once) == {"f3"}
    written = store.write_many(site.directory, parcels(names), at_once=at_once)
    assert isinstance(written[3], AlreadyExists)
    assert read_one(store, site, "f3") == b"what was there"
    assert [one.size for one in written[:3]] == [len(content_of(name)) for name in names[:3]]


@over("site", kinds("memory", "sftp", "sshd", "ftp"), indirect=True)
def test_where_files_show_while_they_are_written_part_names_are_overwritten(store, site):
    site.put("a.part", b"a longer leftover of an attempt that was cut off")
    (written,) = store.write_many(site.directory, [Parcel("a.part", b"whole")], at_once=4)
    assert written.size == 5
    assert read_one(store, site, "a.part") == b"whole"


@over("at_once", [1, 4])
def test_renames_never_replace_what_has_the_name(store, site, at_once):
    for name in ("a", "b", "c"):
        site.put(name, name.encode())
    site.put("S-b", b"other")
    found = store.rename_many(site.directory, [(n, f"S-{n}") for n in ("a", "b", "c")], at_once=at_once)
    assert found[0] is None
    assert isinstance(found[1], AlreadyExists)
    assert (read_one(store, site, "b"), read_one(store, site, "S-b")) == (b"b", b"other")


def test_a_rename_whose_leftover_has_the_same_content_is_ended_or_left_for_a_closer_look(store, site):
    for name in ("a", "S-a"):
        site.put(name, b"same")
    (found,) = store.rename_many(site.directory, [("a", "S-a")], at_once=4)
    if found is not None:
        assert isinstance(found, AlreadyExists)
        store.rename(site.directory, "a", "S-a")
    assert site.names() == ["S-a"]


@over(
    "site",
    kinds("memory", "sftp", "sshd", "ftp", "ftp-list", "ftps", "objects", "oci", "rclone"),
    indirect=True,
)
def test_a_missing_directory_is_said_in_the_first_place(store, site):
    missing = "missing-dir"
    names = [f"f{number}" for number in range(10)]
    for found in (
        store.read_many(missing, names, at_once=1),
        store.write_many(missing, parcels(names), at_once=1),
        store.rename_many(missing, [(name, f"S-{name}") for name in names], at_once=1),
    ):
        assert kinds_of(found) == [NotFound, *[NotStarted] * 9]


@over("site", kinds("memory", "sftp", "ftp", "objects", "oci"), indirect=True)
def test_a_server_that_is_gone_is_said_in_the_first_place(site):
    site.stop()
    with site.store() as store:
        names = ["a", "b", "c", "d"]
        found = store.read_many(site.directory, names, at_once=1)
        assert found[0].passing
        assert kinds_of(found[1:]) == [NotStarted] * 3
        found = store.write_many(site.directory, parcels(names), at_once=1)
        assert found[0].passing
        assert kinds_of(found[1:]) == [NotStarted] * 3


@over("site", kinds("memory", "sftp", "ftp", "objects", "oci"), indirect=True)
def test_a_cut_midway_is_dropped_in_its_place_and_the_next_attempt_works(store, site):
    names = [f"f{number}" for number in range(6)]
    for name in names:
        site.put(name, b"x" * 300_000)
    site.server.fail("cut", 1)
    found = store.read_many(site.directory, names, at_once=1)
    dropped = [number for number, one in enumerate(found) if isinstance(one, Dropped)]
    assert len(dropped) == 1
    assert all(isinstance(one, NotStarted) for one in found[dropped[0] + 1 :])
    again = store.read_many(site.directory, names, at_once=4)
    assert [len(one.content) for one in again] == [300_000] * 6
