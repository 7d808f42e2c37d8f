"""What neighbours keep: journals that survive a cut line, shelves that show whole files only."""

import pytest

from demo.journal import Journal
from demo.namespaces import NamespaceServer
from demo.shelf import Folder

BUCKET = "CCSDACS_CustomerSync"


@pytest.fixture
def stores():
    with NamespaceServer("one", [BUCKET]) as first, NamespaceServer("two", [BUCKET]) as second:
        yield first, second
        first.reset(files=True)  # moto keeps what it holds as long as the process
        second.reset(files=True)


def written(tmp_path, text="content"):
    path = tmp_path / "scratch"
    path.write_text(text)
    return path


def names(shelf):
    return [item.name for item in shelf.items()]


def test_a_journal_is_read_back_in_order(tmp_path):
    journal = Journal(tmp_path / "kept" / "j.jsonl")
    journal.add({"a": 1}, {"a": 2})
    journal.add({"a": 3})
    assert [entry["a"] for entry in Journal(journal.path).read()] == [1, 2, 3]


def test_a_line_that_a_crash_cut_short_is_left_out_and_written_over(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_text('{"a": 1}\n{"a": ')
    assert list(Journal(path).read()) == [{"a": 1}]
    Journal(path).add({"a": 2})
    assert list(Journal(path).read()) == [{"a": 1}, {"a": 2}]


def test_a_journal_without_a_path_keeps_nothing():
    journal = Journal(None)
    journal.add({"a": 1})
    assert list(journal.read()) == []


def test_a_folder_shows_files_but_hidden_ones(tmp_path):
    folder = Folder(tmp_path / "folder")
    folder.put("b.csv", written(tmp_path))
    folder.put("a.csv", written(tmp_path))
    (folder.path / ".hub-1.part").write_text("half")
    assert names(folder) == ["a.csv", "b.csv"]


def test_a_folder_s_version_changes_with_its_content(tmp_path):
    folder = Folder(tmp_path / "folder")
    folder.put("a.csv", written(tmp_path, "one"))
    (before,) = folder.items()
    folder.put("a.csv", written(tmp_path, "other"))
    assert [item.version for item in folder.items()] != [before.version]


def test_buckets_of_one_name_in_two_namespaces_are_two(tmp_path, stores):
    first, second = (store.shelf(BUCKET) for store in stores)
    first.put("C1-DCTEX_0001_00.csv", written(tmp_path))
    assert (names(first), names(second)) == (["C1-DCTEX_0001_00.csv"], [])
    with first.open("C1-DCTEX_0001_00.csv") as content:
        assert content.read() == b"content"


def test_what_the_owner_puts_callers_of_the_same_namespace_see(tmp_path, stores):
    stores[0].shelf(BUCKET).put("a b.csv", written(tmp_path))
    seen = [store.client().list_objects_v2(Bucket=BUCKET).get("Contents", []) for store in stores]
    assert [[found["Key"] for found in listing] for listing in seen] == [["a b.csv"], []]


def test_an_object_is_copied_within_its_namespace(tmp_path, stores):
    stores[0].shelf(BUCKET).put("a.csv", written(tmp_path))
    stores[0].client().copy_object(Bucket=BUCKET, Key="b.csv", CopySource={"Bucket": BUCKET, "Key": "a.csv"})
    assert names(stores[0].shelf(BUCKET)) == ["a.csv", "b.csv"]


def test_an_object_s_version_changes_with_its_content(tmp_path, stores):
    shelf = stores[0].shelf(BUCKET)
    shelf.put("a.csv", written(tmp_path, "one"))
    (before,) = shelf.items()
    shelf.put("a.csv", written(tmp_path, "other"))
    assert [item.version for item in shelf.items()] != [before.version]


def test_what_the_owner_does_is_neither_failed_nor_received(tmp_path, stores):
    stores[0].fail("down")
    stores[0].shelf(BUCKET).put("a.csv", written(tmp_path))
    assert names(stores[0].shelf(BUCKET)) == ["a.csv"]
    assert stores[0].received() == []
    stores[0].reset()
