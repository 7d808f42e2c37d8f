"""What JSON is taken and what is refused, with the place."""

import datetime
import decimal
import json
import uuid

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.api.errors import BadJson
from integrations.api.json import DEEPEST, dumps, strict_loads


def refusal(body: bytes) -> str:
    with pytest.raises(BadJson) as caught:
        strict_loads(body)
    assert (caught.value.status, caught.value.code) == (400, "HUB-BAD-JSON")
    return f"{caught.value.text} {caught.value.hint}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":\n 1,\n x}', "line 3, column 2"),
        (b'{"a": NaN}', "line 1, column 7"),
        (b'{"a": Infinity}', "line 1, column 7"),
        (b'{"a":\n1e400}', "line 2"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "x\\u0000"}', "U+0000 cannot be kept, line 1, column 9"),
        (b'{"a": 1,\n "b": {}, "a": 2}', "The name 'a' is twice in one object, line 2, column 11"),
        (b'{"a": 1, "\\u0061": 2}', "The name 'a' is twice"),
        (b'{"a": [{"b": 1}, {"b": 1, "b": 2}]}', "line 1, column 27"),
        (b'{"a": 123456789012345678901}', "more than 64 bits and would be rounded, line 1, column 7"),
        (b'{"":0,"b":"1111111111111111111111",\n"c":-99999999999999999999}', "line 2, column 5"),
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"17", "bare value"),
        (b'"text"', "bare value"),
        (b"null", "bare value"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        ('{"a":1}'.encode("utf-16-be"), "UTF-16"),
        ('{"a":1}'.encode("utf-32"), "UTF-16 or UTF-32"),
        (b'{"a":\n "\xe9t\xe9"}', "not UTF-8 line 2, column 3"),
        (b'{"a": 1} {"b": 2}', "line 1, column 10"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": 1', "not JSON"),
        (b"id=7&name=x", "not JSON"),
        (b"<xml/>", "not JSON"),
    ],
)
def test_what_cannot_be_kept_as_sent_is_refused_with_its_place(body, said):
    assert said in refusal(body)


@pytest.mark.parametrize("depth", [DEEPEST + 1, 1000, 5000, 100_000])
def test_nesting_too_deep_is_refused_whatever_its_depth(depth):
    assert "deeper than 200 levels" in refusal(b"[" * depth + b"]" * depth)
    assert "deeper than 200 levels" in refusal(b'{"a":' * depth + b"1" + b"}" * depth)


def test_nesting_up_to_the_limit_is_taken():
    body = b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST
    assert dumps(strict_loads(body)) == body


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a": "x:y", "b": "\\":"}', {"a": "x:y", "b": '":'}),
        (b'{"a": 18446744073709551615, "b": -9223372036854775808}', {"a": 2**64 - 1, "b": -(2**63)}),
        (b'{"a": "123456789012345678901", "b": 1e30}', {"a": "123456789012345678901", "b": 1e30}),
        (b'[{"a": 1}, {"a": 1}]', [{"a": 1}, {"a": 1}]),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_unusual_json_that_loses_nothing_is_taken(body, value):
    assert strict_loads(body) == value


def test_a_message_with_an_even_number_of_backslashes_before_u0000_is_refused():
    assert "U+0000" in refusal(b'{"a": "\\\\\\u0000"}')


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
)
_VALUE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4)
)


@settings(max_examples=150, deadline=None)
@given(value=st.dictionaries(_TEXT, _VALUE, max_size=4))
def test_any_ordinary_object_is_read_as_it_was_written(value):
    assert strict_loads(orjson.dumps(value)) == value
    assert strict_loads(json.dumps(value).encode()) == value


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=40) | st.text('{}[]",:\\u0e1-', max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_a_clear_refusal(body):
    try:
        value = strict_loads(body)
    except BadJson:
        value = {}
    assert isinstance(value, dict | list)


def test_answers_write_times_ids_and_decimals():
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    value = {"at": at, "id": uuid.UUID(int=7), "sum": decimal.Decimal("1.50")}
    assert json.loads(dumps(value)) == {
        "at": "2026-01-02T03:04:05Z",
        "id": str(uuid.UUID(int=7)),
        "sum": "1.50",
    }


def test_what_is_not_json_is_not_written():
    with pytest.raises(TypeError):
        dumps({"a": object()})
