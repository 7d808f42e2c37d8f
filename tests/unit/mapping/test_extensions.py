"""A site's own fields: where they are put, what they see, what is refused."""

from typing import Any

import pytest

from integrations.mapping import (
    Extension,
    MappingError,
    apply_extensions,
    check_extension,
    digest,
    load_base,
    preview,
)
from lookups.errors import LookupFault

TARGET = {"head": {"id": "1"}, "items": [{"n": 1}, {"n": 2}], "none": [], "odd": "text"}


def _extended(pointer, expression, source=None, target=TARGET, **extra):
    return apply_extensions(target, source or {}, [Extension(pointer, expression, "site")], **extra)


def test_fields_are_set_at_a_pointer_and_the_rest_is_left():
    made = _extended("/head", '{"code": source.code, "id": item.id & "0"}', {"code": "X"})
    assert made["head"] == {"id": "10", "code": "X"}
    assert made["items"] == TARGET["items"]


def test_each_item_of_a_list_is_extended_by_itself():
    made = _extended("/items/*", '{"twice": item.n * 2, "of": target.head.id}')
    assert made["items"] == [{"n": 1, "twice": 2, "of": "1"}, {"n": 2, "twice": 4, "of": "1"}]


def test_lists_in_lists_and_positions():
    target: Any = {"a": [{"b": [{}, {}]}, {"b": [{}]}]}
    assert _extended("/a/*/b/*", '{"x": 1}', target=target)["a"][0]["b"] == [{"x": 1}, {"x": 1}]
    assert _extended("/a/1/b/0", '{"x": 1}', target=target) == {"a": [{"b": [{}, {}]}, {"b": [{"x": 1}]}]}


def test_the_empty_pointer_is_the_whole():
    assert _extended("", '{"more": $count(item.items)}')["more"] == 2


def test_a_pointer_escapes_slash_and_tilde():
    assert _extended("/a~1b/~0c", '{"x": 1}', target={"a/b": {"~c": {}}}) == {"a/b": {"~c": {"x": 1}}}


def test_null_removes_a_field():
    assert _extended("/items/*", '{"n": item.n = 1 ? null : item.n}')["items"] == [{}, {"n": 2}]


def test_an_undefined_result_changes_nothing():
    assert _extended("/head", 'source.missing ? {"a": 1}') == TARGET


def test_the_target_given_is_left_as_it_was():
    before: Any = {"head": {}}
    _extended("/head", '{"a": 1}', target=before)
    assert before == {"head": {}}


def test_later_extensions_see_what_earlier_ones_did():
    both = [Extension("", '{"a": 1}', "one"), Extension("", '{"b": item.a + 1}', "two")]
    assert apply_extensions({}, {}, both) == {"a": 1, "b": 2}


def test_an_empty_list_has_nothing_to_extend():
    assert _extended("/none/*", '{"x": 1}') == TARGET


@pytest.mark.parametrize(
    ("pointer", "what"),
    [
        ("/nowhere", "there is no /nowhere; the target holds head, items"),
        ("/head/deep/er", "there is no /head/deep"),
        ("/odd", "/odd is a text, not an object"),
        ("/odd/x", "/odd is a text and holds no 'x'"),
        ("/items/7", "the list has 2 items"),
        ("/items/n", "use * for each item"),
        ("/items", "/items is a list, not an object"),
        ("items", "must be empty (the whole target) or begin with /"),
    ],
)
def test_a_pointer_into_nothing_says_so(pointer, what):
    with pytest.raises(MappingError) as caught:
        _extended(pointer, '{"x": 1}')
    assert what in str(caught.value)


def test_a_result_that_is_no_object_is_refused():
    with pytest.raises(MappingError, match=r"'site' at '/head' returned .*must return an object"):
        _extended("/head", '"text"')


def test_lookups_are_answered_by_the_hub():
    functions = {"lookupValue": lambda lookup, column, value, target: f"{lookup}:{value}"}
    made = _extended("/items/*", '{"c": $lookupValue("L", "A", item.n, "B")}', functions=functions)
    assert [item["c"] for item in made["items"]] == ["L:1", "L:2"]


def test_a_lookup_fault_in_an_extension_comes_out_as_itself():
    fault = LookupFault("no row")

    def failing(*_):
        raise fault

    for _ in range(2):  # the process is as good as new after it
        with pytest.raises(LookupFault) as caught:
            _extended("", '{"c": $property("L", "n")}', functions={"property": failing})
        assert caught.value is fault


def test_wrong_arguments_in_an_extension_are_named():
    with pytest.raises(MappingError, match=r"\$f was called with 2 arguments"):
        _extended("", '{"c": $f(1, 2)}', functions={"f": lambda one: one})


def test_a_preview_shows_base_and_result():
    shown = preview('{"id": key}', [Extension("", '{"site": "S"}', "s")], {"key": 7})
    assert shown.base == {"id": 7}
    assert shown.result == {"id": 7, "site": "S"}


def test_an_extension_is_tried_on_a_sample_before_it_is_saved():
    assert check_extension('{"a": source.x}', "", {}, {"x": 1}) == {"a": 1}
    with pytest.raises(MappingError, match="cannot be read"):
        check_extension('{"a": ', "", {}, {})
    with pytest.raises(MappingError, match="left side of the"):
        check_extension('{"a": "x" - 1}', "", {}, {})


def test_a_sample_without_items_tries_nothing_and_is_refused():
    with pytest.raises(MappingError, match="has no items"):
        check_extension('{"a": 1}', "/none/*", TARGET, {})


def test_an_expression_cannot_break_out_of_its_wrapping():
    with pytest.raises(MappingError, match="cannot be read"):
        _extended("", '1)} & {"result": (2')


def test_a_base_is_read_from_beside_its_flow(tmp_path):
    (tmp_path / "ack.jsonata").write_text('{"é": 1}', encoding="utf-8")
    assert load_base(tmp_path, "ack") == '{"é": 1}'
    assert len(digest(load_base(tmp_path, "ack"))) == 64


@pytest.mark.parametrize(
    ("content", "what"), [(None, "has no file"), (b"\xff\xfe", "is not UTF-8"), (b"{", "cannot be read")]
)
def test_a_base_that_cannot_be_used_names_itself(tmp_path, content, what):
    if content is not None:
        (tmp_path / "ack.jsonata").write_bytes(content)
    with pytest.raises(MappingError, match=f"'ack' {what}"):
        load_base(tmp_path, "ack")
