"""JSONata, bounded. The library is jsonatapy; what it does with values was measured and is kept as follows:

* Undefined and null differ: a field whose value is undefined is left out, one that is null stays null. A whole
  result that is undefined is None here. A function or a regular expression in a result becomes null.
* Numbers are doubles. A whole number beyond 2^53 in a message would lose digits silently, so it is refused and
  named: such ids must be text. 1.0 comes out as 1 and 1.10 as 1.1; decimals with a meaning to their digits must
  be text too. `$number("12345678901234567")` loses digits as JSONata does everywhere. A result that is infinite
  (1/0) is refused; the library would have written null.
* Dates are text. A Python date in a source is refused; `$now()` and `$fromMillis` answer UTC as ISO 8601.
* Text is Unicode by code points; a lone surrogate is refused, because no JSON file can hold it.
* A hub function gets undefined and null alike as None, and answers JSON.
* Compiled expressions and documents belong to the thread that made them (in another one they panic), so each
  thread keeps its own; evaluation holds the interpreter lock, so it is short for everybody's sake.
* `$eval` is refused. `$pad` is the hub's own and bounded. Regular expressions take linear time. Bounds of time,
  depth and list length are the library's; it has none of memory and its clock does not tick inside a built-in
  (`$distinct` of 100,000 numbers: 14 s), so what people edit in the console runs in `sandbox`, never here.
"""

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jsonatapy
import orjson

from integrations.mapping.errors import MappingError
from integrations.mapping.limits import BASE, EXPRESSION_CHARACTERS, PAD_CHARACTERS, Limits
from integrations.mapping.place import runtime_place, syntax_place
from integrations.mapping.values import JSON, check_output, document_of, label

Functions = Mapping[str, Callable[..., Any]]
NO_FUNCTIONS: Functions = MappingProxyType({})

_KEPT = 512  # compiled expressions a thread keeps
# `$pad` of a missing text is undefined, which only an expression can answer; its work is done in Python.
_PAD = "($pad := function($text, $width, $char)<s-ns?:s>{$exists($text) ? $hubPad($text, $width, $char)}; ("


class _Thread(threading.local):
    """What one thread has compiled, and the calls it is in, innermost last."""

    def __init__(self) -> None:
        self.compiled: OrderedDict[tuple[str, frozenset[str]], Any] = OrderedDict()
        self.calls: list[_Call] = []


class _Call:
    """One evaluation: the functions it may call, and what the first failing one raised."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.raised: BaseException | None = None


_thread = _Thread()


def evaluate(
    expression: str,
    source: JSON,
    *,
    functions: Functions = NO_FUNCTIONS,
    name: str = "",
    limits: Limits = BASE,
) -> JSON:
    """What the expression makes of the source, as JSON values; None where that is undefined or null.

    `functions`: name → callable, `$name(…)` in the expression; what one raises comes out of here unchanged.
    `name`: the mapping's, for errors. MappingError: does not compile, does not end, or does not fit its input.
    """
    return run(expression, document_of(source, name), functions=functions, name=name, limits=limits)


def evaluate_to_text(
    expression: str,
    source: JSON,
    *,
    functions: Functions = NO_FUNCTIONS,
    name: str = "",
    limits: Limits = BASE,
) -> str:
    """As `evaluate`, as JSON text: for large results, which Python would only write out again.

    The library writes a number that is not finite as null; so a result with a null is made again by `evaluate`,
    which tells the two apart.
    """
    key, call = (expression, frozenset(functions)), _Call(functions)
    _compiled(*key, name)
    text, complaint = _evaluated(key, document_of(source, name), call, limits, None, as_text=True)
    _raise_what(call, name)
    if complaint or not isinstance(text, str) or "null" in text or len(text) > limits.output:
        return orjson.dumps(
            evaluate(expression, source, functions=functions, name=name, limits=limits)
        ).decode()
    return text


def _raise_what(call: _Call, name: str) -> None:
    """Raise what a function of this evaluation raised."""
    if isinstance(call.raised, MappingError) and not call.raised.place:
        raise MappingError(f"{label(name)}: {call.raised}", place=name)
    if call.raised is not None:
        raise call.raised


def check(expression: str, *, name: str = "", functions: Functions = NO_FUNCTIONS) -> None:
    """Compile only; MappingError with the place where the expression cannot be read."""
    _compiled(expression, frozenset(functions), name)


def run(
    expression: str,
    document: Any,
    *,
    functions: Functions,
    name: str,
    limits: Limits,
    bindings: dict[str, Any] | None = None,
    wrap: tuple[str, str] = ("", ""),
) -> JSON:
    """As `evaluate`, for JSON text, or a JsonataData that the caller keeps in this thread.

    `bindings`: variables; `wrap`: text around the expression, which is compiled by itself first.
    """
    names = frozenset(functions)
    # By itself first, so that a wrapped one cannot break out of its wrapping.
    _compiled(expression, names, name)
    _compiled(wrap[0] + expression + wrap[1], names, name)
    call = _Call(functions)
    result, complaint = _evaluated((wrap[0] + expression + wrap[1], names), document, call, limits, bindings)
    _raise_what(call, name)
    if complaint:
        raise _failed(expression, complaint, name, limits)
    check_output(result, name, limits)
    return result


def _evaluated(
    key: tuple[str, frozenset[str]],
    document: Any,
    call: _Call,
    limits: Limits,
    bindings: dict[str, Any] | None,
    *,
    as_text: bool = False,
) -> tuple[JSON, str]:
    """The result, or the library's complaint. No frame may keep what belongs to this thread: see above."""
    _thread.calls.append(call)
    try:
        result = getattr(_thread.compiled[key], "evaluate_data_to_json" if as_text else "evaluate_with_data")(
            jsonatapy.JsonataData.from_json(document) if isinstance(document, str) else document,
            bindings,
            timeout=limits.milliseconds,
            max_stack_depth=limits.depth,
            max_sequence_length=limits.items,
        )
    except (ValueError, TypeError, RecursionError) as error:
        return None, str(error) or type(error).__name__
    else:
        return result, ""
    finally:
        _thread.calls.pop()
        _let_go(call.raised)


def _let_go(raised: BaseException | None) -> None:
    """Clear the library's own frame behind a kept exception: it holds the expression and the document."""
    frame = raised.__traceback__.tb_frame.f_back if raised and raised.__traceback__ else None
    while frame is not None and frame.f_code is not _evaluated.__code__:
        frame.clear()
        frame = frame.f_back


def _compiled(expression: str, names: frozenset[str], name: str) -> None:
    """Have the expression compiled in this thread's cache, with its functions registered."""
    kept = _thread.compiled
    if (expression, names) in kept:
        kept.move_to_end((expression, names))
        return
    if len(expression) > EXPRESSION_CHARACTERS:
        raise MappingError(
            f"{label(name)} has {len(expression)} characters; an expression may have {EXPRESSION_CHARACTERS}",
            place=name,
        )
    if complaint := _complaint_of(expression):
        place = syntax_place(expression, _complaint_of)
        raise MappingError(
            f"{label(name)} cannot be read: {_plain(complaint)}, {place}", place=_place(name, place)
        )
    kept[expression, names] = _made(expression, names)
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def _complaint_of(expression: str) -> str:
    try:
        jsonatapy.compile(expression)
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _made(expression: str, names: frozenset[str]) -> Any:
    text = f"{_PAD}{expression}\n))" if "$pad" in expression else expression
    compiled = jsonatapy.compile(text)
    compiled.register_override("eval", _called("eval"))
    compiled.register_override("pad", _called("pad"))
    compiled.register("hubPad", _called("pad"))
    for each in names:
        compiled.register(each, _called(each))
    return compiled


def _called(name: str) -> Callable[..., Any]:
    """What the library calls for `$name`: the innermost evaluation's function; what it raises is kept aside."""

    def call(*arguments: Any) -> Any:
        current = _thread.calls[-1]
        function = current.functions.get(name) or _OWN[name]
        try:
            return _answer(name, function(*arguments))
        except TypeError as error:
            current.raised = misused(name, function, arguments) or error
            raise
        except BaseException as error:
            # The library makes a text of whatever comes; a worker's SystemExit must stay one, too.
            current.raised = error
            raise

    return call


def misused(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> MappingError | None:
    """The sentence for a call whose arguments do not fit; None where they do and the error is another one."""
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments)
    except TypeError as error:
        wanted = ", ".join(signature.parameters)
        return MappingError(
            f"${name} was called with {len(arguments)} arguments: {error}. It takes ({wanted})"
        )
    return None


def _answer(name: str, value: Any) -> Any:
    """A function's answer, where JSON holds it without loss."""
    if value is None or isinstance(value, str | bool):
        return value
    return orjson.loads(document_of(value, f"${name}"))


def _eval_refused(*_: Any) -> None:
    raise MappingError("$eval is not available in mappings: write the expression out")


def _pad(text: Any, width: Any = None, char: Any = None) -> str | None:
    """JSONata's $pad, up to PAD_CHARACTERS."""
    if text is None:
        return None
    if not isinstance(text, str) or not isinstance(width, int | float):
        raise MappingError("$pad takes a text and a width")
    if abs(width) > PAD_CHARACTERS:
        raise MappingError(f"$pad to {width:.0f} characters: at most {PAD_CHARACTERS} can be made")
    missing = int(abs(width)) - len(text)
    fill = ((char or " ") * missing)[: max(missing, 0)]
    return text + fill if width > 0 else fill + text


_OWN: dict[str, Callable[..., Any]] = {"eval": _eval_refused, "pad": _pad}


def _failed(expression: str, complaint: str, name: str, limits: Limits) -> MappingError:
    bounds = {
        "D1012": f"did not end within {limits.milliseconds / 1000:g} s",
        "D1011": f"calls itself more than {limits.depth} deep",
        "D2014": f"makes a list of more than {limits.items} items",
        "D2015": f"makes a list of more than {limits.items} items",
    }
    if broken := next((text for code, text in bounds.items() if complaint.startswith(code)), ""):
        return MappingError(f"{label(name)} {broken}", place=name)
    place = runtime_place(expression, complaint)
    at = f", {place}" if place else ""
    return MappingError(
        f"{label(name)} does not fit its input: {_plain(complaint)}{at}", place=_place(name, place)
    )


def _plain(complaint: str) -> str:
    return complaint.removeprefix("Parse error: ").removeprefix("Invalid syntax: ")


def _place(name: str, place: str) -> str:
    return " ".join(part for part in (name, place.split(":", 1)[0]) if part)
