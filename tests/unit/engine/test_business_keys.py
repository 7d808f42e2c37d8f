"""Business keys of a message: single ones, and those of its lists."""

from typing import Any

import pytest
from django.db import transaction

from integrations.engine.intake import LONGEST_VALUE, MOST_VALUES, extract_keys
from integrations.engine.rows import insert_rows
from integrations.engine.spec import registered
from integrations.models import BusinessKey, Instance
from integrations.services.instance_submit import instance_submit

DEVICES = {"message": "id", "device": "place.devices.*.id"}
SEVERAL = {"message": "id", "device": ("request.devices.*.id", "request.*.devices.*.id")}


@pytest.fixture
def keys(make_flow):
    """keys(paths, message): the instance and the rows made of it."""

    def found(paths: dict[str, Any], message: Any) -> tuple[Instance, list[tuple[str, str]]]:
        instance = Instance(flow=make_flow(lambda run, message: None, keys=paths))
        rows = extract_keys(instance, registered()["TEST-FLOW"], message)
        return instance, [(row.name, row.value) for row in rows]

    return found


def devices(*ids: Any) -> dict[str, Any]:
    return {"id": "m", "place": {"devices": [{"id": one} for one in ids]}}


def test_each_item_of_a_list_is_a_key_once_in_the_message_s_order(keys):
    instance, rows = keys(DEVICES, devices("b", "a", "b", 7, "7"))
    assert rows == [("message", "m"), ("device", "b"), ("device", "a"), ("device", "7")]
    assert (instance.primary_key_name, instance.primary_key_value) == ("message", "m")


def test_the_first_hundred_values_are_kept_whatever_stands_between(keys):
    _, rows = keys(DEVICES, devices(*(n // 2 for n in range(3000))))
    assert [value for name, value in rows if name == "device"] == [str(n) for n in range(MOST_VALUES)]


def test_values_that_differ_behind_what_the_column_takes_are_one(keys):
    _, rows = keys(DEVICES, devices("x" * LONGEST_VALUE + "1", "x" * LONGEST_VALUE + "2"))
    assert rows == [("message", "m"), ("device", "x" * LONGEST_VALUE)]


@pytest.mark.parametrize(
    "place",
    [
        None,
        "devices",
        7,
        [],
        [{"devices": [{"id": "x"}]}],
        {"devices": None},
        {"devices": "abc"},
        {"devices": {"id": "x"}},
        {"devices": {"*": {"id": "x"}}},
        {
            "devices": [
                None,
                "x",
                1,
                [],
                [{"id": "x"}],
                {},
                {"id": None},
                {"id": ""},
                {"id": {}},
                {"id": ["x"]},
            ]
        },
        {"devices": [{"id": "nul\x00"}]},
    ],
)
def test_what_is_no_list_of_such_items_gives_none(keys, place):
    assert keys(DEVICES, {"id": "m", "place": place})[1] == [("message", "m")]


@pytest.mark.parametrize("message", [None, "text", 7, [], [{"id": "m"}]])
def test_a_message_of_another_shape_has_no_keys(keys, message):
    instance, rows = keys(DEVICES, message)
    assert (rows, instance.primary_key_name) == ([], "")


def test_a_key_of_a_list_is_never_the_primary_one(keys):
    instance, rows = keys(DEVICES, {"place": {"devices": [{"id": "a"}]}})
    assert rows == [("device", "a")]
    assert (instance.primary_key_name, instance.primary_key_value) == ("", "")


@pytest.mark.parametrize("shaped", [lambda one: one, lambda one: [one], lambda one: [{}, one, one]])
def test_a_key_may_be_in_one_place_or_another(keys, shaped):
    one = {"devices": [{"id": "a"}, {"id": "b"}]}
    rows = keys(SEVERAL, {"id": "m", "request": shaped(one)})[1]
    assert rows == [("message", "m"), ("device", "a"), ("device", "b")]


@pytest.mark.parametrize(
    ("path", "message"),
    [("*", ["a", "b"]), ("ids.*", {"ids": ["a", "b"]}), ("in.*.*", {"in": [["a"], "no", ["b"]]})],
)
def test_items_may_be_the_values_themselves(keys, path, message):
    assert keys({"message": "id", "one": path}, message)[1] == [("one", "a"), ("one", "b")]


@pytest.mark.parametrize(
    "paths", [{"device": "devices.*.id"}, {"message": "id", "device": "devices.*.id", "account": "account"}]
)
def test_keys_of_lists_are_declared_behind_the_single_ones(make_flow, paths):
    with pytest.raises(ValueError, match="business keys of lists come behind"):
        make_flow(lambda run, message: None, keys=paths)


def test_a_hundred_are_written_in_one_statement(make_flow, django_assert_num_queries):
    flow = make_flow(lambda run, message: None, keys=DEVICES)
    instance = Instance.objects.create(flow=flow, cause="manual")
    rows = extract_keys(instance, registered()["TEST-FLOW"], devices(*range(500)))
    with transaction.atomic(), django_assert_num_queries(1):
        insert_rows(rows)
    assert instance.keys.count() == MOST_VALUES + 1


def test_a_message_is_found_by_its_last_device(make_flow, client):
    make_flow(lambda run, message: None, keys=DEVICES)
    body = b'{"id":"m","place":{"devices":[{"id":"a"},{"id":"b"}]}}'
    made = instance_submit(identifier="TEST-FLOW", resource="go", version="1.0", message=body, client=client)
    assert BusinessKey.objects.get(value="b").instance == made.instance
