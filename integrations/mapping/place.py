"""Where in an expression something is wrong: the JSONata library says what, not where."""

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<comment>/\*.*?\*/)|(?P<space>\s+)"""
    r"""|\$?\w+(?:\.\d+)?|\$\$|:=|!=|<=|>=|\*\*|\.\.|~>|\?\?|\?:|.""",
    re.DOTALL,
)
# Errors that only say that the text ended too early.
_AT_END = re.compile(r"S0207|S0203|S0101|S0105|S0106|S0302|S030[0-9]|Unclosed comment|before end")
_NAMED = re.compile(r"(?:the (?P<operator>\S{1,3}) operator|(?P<function>\$\w+))")
_EXCERPT = 60


def line_and_column(expression: str, offset: int) -> str:
    """`line 3, column 9: \\`"a" + 1\\``: a place as people look for it, with the text found there."""
    before = expression[:offset]
    line = before.count("\n") + 1
    column = offset - (before.rfind("\n") + 1) + 1
    near = expression[offset:].split("\n", 1)[0].strip()[:_EXCERPT]
    return f"line {line}, column {column}" + (f": `{near}`" if near else ", where it ends")


def syntax_place(expression: str, complaint_of: Callable[[str], str]) -> str:
    """Where parsing stopped: the last token of the shortest beginning that no continuation could mend.

    `complaint_of` compiles a text and answers the library's complaint, "" where there is none.
    """
    tokens = [match for match in _TOKEN.finditer(expression) if not (match["space"] or match["comment"])]
    low, high = 0, len(tokens)  # tokens[:low] can be continued, tokens[:high + 1] cannot
    while low < high:
        middle = (low + high) // 2
        complaint = complaint_of(expression[: tokens[middle].end()])
        if complaint and not _AT_END.search(complaint):
            high = middle
        else:
            low = middle + 1
    return line_and_column(expression, tokens[low].start() if low < len(tokens) else len(expression))


def runtime_place(expression: str, complaint: str) -> str:
    """Where the function or operator a complaint names stands; "" where it names none, or too many have it."""
    named = _NAMED.search(complaint)
    if named is None:
        return ""
    wanted = named["operator"] or named["function"]
    found = [match.start() for match in _TOKEN.finditer(expression) if match.group() == wanted]
    if len(found) == 1:
        return line_and_column(expression, found[0])
    lines = sorted({expression.count("\n", 0, offset) + 1 for offset in found})
    return f"one of lines {', '.join(map(str, lines))}" if lines else ""
