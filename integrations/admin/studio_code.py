"""JSONata as the console shows it: by lines, its parts told apart by weight and slant as well as by colour."""

import re
from collections.abc import Collection, Iterator

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<name>`[^`]*`)"""
    r"""|(?P<call>\$\$|\$\w+)|(?P<number>\b\d+(?:\.\d+)?)|(?P<word>[^\W\d]\w*)|(?P<rest>\s+|.)""",
    re.DOTALL,
)
_KEYWORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})


def code_lines(expression: str, marked: Collection[int] = ()) -> SafeString:
    """An expression as a numbered list of lines, those in `marked` (from 1) marked; everything escaped."""
    tokens = _tokens(expression.rstrip("\n"))
    lines = "".join(f"{kind}\x00{text}\x01" for kind, text in tokens).split("\n")
    # A token over several lines was cut by the split: each piece takes its kind along.
    shown, open_kind = [], ""
    for number, line in enumerate(lines, start=1):
        pieces, open_kind = _pieces(line, open_kind)
        body = format_html_join("", '<span class="{}">{}</span>', pieces)
        note = mark_safe('<span class="bb-sr">here: </span>') if number in marked else ""
        css = "st-line st-line-marked" if number in marked else "st-line"
        shown.append(
            format_html('<li class="{}" id="base-{}">{}<code>{}</code></li>', css, number, note, body)
        )
    return format_html('<ol class="st-code">{}</ol>', mark_safe("".join(shown)))  # noqa: S308  (escaped above)


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    before = ""
    for match in _TOKEN.finditer(expression.replace("\x00", "").replace("\x01", "").replace("\r\n", "\n")):
        kind, text = str(match.lastgroup), match.group()
        if kind == "word" and text in _KEYWORDS:
            kind = "keyword"
        elif kind == "string" and before in ("{", ",") and expression[match.end() :].lstrip().startswith(":"):
            kind = "key"
        if text.strip() and kind != "comment":
            before = text
        yield f"st-{kind}", text


def _pieces(line: str, open_kind: str) -> tuple[list[tuple[str, str]], str]:
    """(kind, text) of one line; the kind of a token that goes on in the next one, "" where none does."""
    pieces: list[tuple[str, str]] = []
    for part in line.split("\x01"):
        kind, found, text = part.partition("\x00")
        if not found:
            kind, text = open_kind, part
        if text:
            pieces.append((kind, text))
        open_kind = kind
    return pieces, open_kind if not line.endswith("\x01") else ""
