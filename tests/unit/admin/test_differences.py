"""Two payloads side by side: which fields were added, removed, changed or moved."""

import json

from integrations import differences


def _fields(before, after):
    found = differences.compare(json.dumps(before).encode(), json.dumps(after).encode())
    return {(item.kind, item.path) for item in found.fields}


def test_fields_are_known_by_their_path():
    before = {"a": 1, "b": {"c": [1, 2]}, "gone": "x"}
    after = {"a": 1, "b": {"c": [1, 3]}, "new": "y"}
    assert _fields(before, after) == {("changed", "/b/c/1"), ("added", "/new"), ("removed", "/gone")}


def test_a_value_that_went_to_another_field_is_followed():
    before = json.dumps({"accountId": "8812345678"}).encode()
    after = json.dumps({"customer": {"id": "8812345678"}}).encode()
    (item,) = differences.compare(before, after).fields
    assert (item.kind, item.was_at, item.path) == ("moved", "/accountId", "/customer/id")


def test_xml_is_compared_by_element_and_attribute():
    found = differences.compare(
        b'<a><b x="1">one</b><c>1</c><c>2</c></a>', b'<a><b x="2">one</b><c>1</c><c>3</c></a>'
    )
    assert {(item.kind, item.path) for item in found.fields} == {
        ("changed", "/a/b/@x"),
        ("changed", "/a/c[2]"),
    }


def test_csv_is_compared_by_row_and_column():
    found = differences.compare(b"id,name\n1,a\n2,b\n", b"id,name\n1,a\n2,c\n")
    assert [(item.kind, item.path, item.after) for item in found.fields] == [("changed", "/2/name", "c")]


def test_lines_stand_beside_each_other_with_a_mark():
    lines = differences.compare(b'{"a": 1, "b": 2}', b'{"a": 1, "b": 3}').lines
    marked = [(line.symbol, line.left, line.right) for line in lines if line.kind != "same"]
    assert marked == [("≠", '  "b": 2', '  "b": 3')]


def test_long_payloads_are_not_aligned_for_ever(monkeypatch):
    monkeypatch.setattr(differences, "MOST_LINES", 3)
    monkeypatch.setattr(differences, "MOST_FIELDS", 2)
    found = differences.compare(json.dumps(list(range(9))).encode(), json.dumps(list(range(1, 10))).encode())
    assert len(found.lines) == 3
    assert (len(found.fields), found.more) == (2, 7)


def test_the_same_is_said_to_be_the_same():
    assert differences.compare(b"\x00", b"\x00").same
