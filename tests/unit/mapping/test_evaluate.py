"""JSONata in the process: values, functions, bounds, and errors that say where."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.mapping import MappingError, check, evaluate
from integrations.mapping.limits import EXPRESSION_CHARACTERS, SITE
from lookups.errors import LookupFault


def _error(expression, source=None, **extra):
    with pytest.raises(MappingError) as caught:
        evaluate(expression, source or {}, name="ack", **extra)
    return caught.value


def test_a_missing_field_is_left_out_and_null_stays():
    assert evaluate('{"a": missing, "b": kept, "c": null}', {"kept": None}) == {"b": None, "c": None}


def test_an_undefined_result_is_none():
    assert evaluate("nothing.here", {"a": 1}) is None


def test_functions_are_called_with_plain_values():
    found = evaluate("$f(a, missing, 1.5, [1])", {"a": "x"}, functions={"f": lambda *given: repr(given)})
    assert found == "('x', None, 1.5, [1])"


def test_a_lookup_fault_comes_out_as_itself():
    fault = LookupFault("no row", lookup="L", column="C", value="v")

    def lookup_value(*_):
        raise fault

    with pytest.raises(LookupFault) as caught:
        evaluate('$lookupValue("L", "C", "v", "D")', {}, functions={"lookupValue": lookup_value})
    assert caught.value is fault


def test_a_workers_timeout_inside_a_lookup_stays_a_system_exit():
    def property_(*_):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        evaluate('$property("L", "n")', {}, functions={"property": property_})


def test_wrong_arguments_name_the_function_and_what_it_takes():
    error = _error('$lookupValue("L")', functions={"lookupValue": lambda lookup, column: ""})
    assert "$lookupValue was called with 1 arguments" in str(error)
    assert "(lookup, column)" in str(error)


def test_a_mapping_may_be_evaluated_inside_a_function_of_another():
    inner = {"f": lambda: evaluate("$f()", {}, functions={"f": lambda: "inner"})}
    assert evaluate('$f() & "!"', {}, functions=inner) == "inner!"


def test_an_expression_uses_the_functions_of_each_call():
    assert [evaluate("$f()", {}, functions={"f": lambda n=n: n}) for n in (1, 2)] == [1, 2]


def test_many_threads_share_an_expression():
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: evaluate("a * 2", {"a": n}), range(200))) == [
            n * 2 for n in range(200)
        ]


def test_a_fault_may_outlive_the_thread_it_was_raised_in():
    def failing():
        raise LookupFault("no row")

    with ThreadPoolExecutor(1) as pool:
        fault = pool.submit(lambda: evaluate("$f()", {}, functions={"f": failing})).exception()
    assert isinstance(fault, LookupFault)
    del fault
    gc.collect()  # an expression dropped here, in another thread than its own, would fail this test


@pytest.mark.parametrize(
    ("expression", "place", "what"),
    [
        ('{\n "x": 1,\n "y": 2 3\n}', "line 3, column 9", "Expected RightBrace"),
        ("a + ", "line 1, column 5, where it ends", "Unexpected end"),
        ("(\n  $a := 1;\n  $nope(1)\n)", "line 3, column 3", "$nope"),
        ('{"a":\n  "x" + 1}', "line 2, column 7", "left side of the +"),
        ('(/* a ] here */ "]"; 1])', "line 1, column 23", "RightBracket"),
    ],
)
def test_an_error_names_mapping_and_place(expression, place, what):
    error = _error(expression)
    assert "'ack'" in str(error)
    assert place in str(error)
    assert what in str(error)
    assert error.place.startswith("ack line")


def test_an_operator_that_stands_in_several_lines_names_them():
    assert "one of lines 1, 2" in str(_error('{"a": "x" + 1,\n "b": 1 + 2}'))


def test_checking_compiles_only():
    check("$unknown(1)", name="later")
    with pytest.raises(MappingError, match="'later' cannot be read"):
        check("[1, 2", name="later")


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ({"rows": [{"id": 2**53}]}, "/rows/0/id is 9007199254740992"),
        ({"at": date(2024, 1, 1)}, "/at is a date"),
        ({"amount": Decimal("1.10")}, "/amount is a Decimal"),
        ({"name": "a\ud800"}, "/name is text with half a character"),
        ({"a": {1: 2}}, "/a has the key 1"),
    ],
)
def test_a_value_that_would_not_come_through_whole_is_refused_and_named(source, what):
    assert what in str(_error("$", source))


def test_whole_numbers_up_to_2_53_and_decimals_come_through():
    numbers = {"id": 2**53 - 1, "low": -(2**53) + 1, "rate": 0.1, "money": 12345.67}
    assert evaluate("$", numbers) == numbers


def test_ids_as_text_keep_every_digit():
    assert evaluate('{"id": id}', {"id": "123456789012345678901"}) == {"id": "123456789012345678901"}


def test_a_division_by_zero_is_an_error_and_not_null():
    assert "not finite" in str(_error('{"rate": 1 / zero}', {"zero": 0}))


def test_dates_are_text_in_utc():
    assert evaluate('$fromMillis($toMillis("2024-03-10T07:00:00Z"))', {}) == "2024-03-10T07:00:00.000Z"


def test_text_is_counted_in_characters():
    assert evaluate('{"n": $length(t), "u": $uppercase(t)}', {"t": "é😀ß"}) == {"n": 3, "u": "É😀SS"}


@pytest.mark.parametrize(
    "expression", ['$eval("1")', '($e := $eval; $e("1"))', '"1" ~> $eval', '$map(["1"], $eval)']
)
def test_eval_is_refused_however_it_is_called(expression):
    assert "$eval is not available" in str(_error(expression))


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        ('$pad("ab", 5) & "|"', "ab   |"),
        ('$pad("ab", -5, "0")', "000ab"),
        ('{"a": $pad(missing, 5)}', {}),
        ('["a", "b"].$pad(2, "-")', ["a-", "b-"]),
        ('$pad("ab", 7, "xyz")', "abxyzxy"),
        ('$pad("abc", 1)', "abc"),
    ],
)
def test_pad_is_jsonatas(expression, made):
    assert evaluate(expression, {}) == made


def test_pad_is_bounded():
    assert "at most 100000" in str(_error('$pad("a", 900000000)'))


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("($f := function($n){1 + $f($n + 1)}; $f(1))", "calls itself more than 200 deep"),
        ("$count([1..100000000])", "makes a list of more than 20000 items"),
        ("$append([1..20000], [1..20000])", "makes a list of more than 20000 items"),
        ('{"a": $join([1..20000].$pad("x", 100))}', "at most 1048576 are kept"),
    ],
)
def test_a_bound_that_is_broken_is_named(expression, what):
    assert what in str(_error(expression, limits=replace(SITE, milliseconds=60_000)))  # on a busy machine too


def test_what_does_not_end_is_stopped_in_time():
    began = time.monotonic()
    said = str(_error("($f := function($n){$f($n + 1)}; $f(1))", limits=SITE))
    assert "did not end within 1.5 s" in said
    assert time.monotonic() - began < 4


def test_an_endless_expression_is_too_long():
    assert "characters; an expression may have" in str(_error("1" * (EXPRESSION_CHARACTERS + 1)))


def test_a_hostile_regular_expression_takes_linear_time():
    began = time.monotonic()
    evaluate("$contains(text, /(a+)+$/)", {"text": "a" * 5000 + "!"})
    assert time.monotonic() - began < 1


def test_a_function_that_answers_no_json_is_an_error():
    assert "$f" in str(_error("$f()", functions={"f": lambda: 2**60}))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_any_json_value_passes_unchanged(value):
    assert evaluate('{"kept": kept}', {"kept": value}) == {"kept": value}


@given(st.text(alphabet="{}[]()\"'+-*/$:;=,.ab1 \n&?~<>", max_size=40))
def test_any_text_is_compiled_or_refused_with_a_place(text):
    refusal = None
    try:
        check(text, name="m")
    except MappingError as error:
        refusal = str(error)
    assert refusal is None or "line " in refusal
