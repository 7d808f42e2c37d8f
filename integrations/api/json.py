"""JSON in and out: strict reading, so that what is stored is what was sent, and fast writing."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.utils.functional import Promise
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from integrations.api.body import read_bounded
from integrations.api.errors import BadJson

DEEPEST = 200  # levels of nesting; the field's messages have under 20
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKENS = re.compile(_STRING + rb"|[{}\[\]:,]", re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*(\\u0000)")
_LONG_INTEGER = re.compile(rb"(?<![\d.eE+-])-?\d{19,}(?![\d.eE])")
_LEAST, _MOST = -(2**63), 2**64 - 1
_BOM = b"\xef\xbb\xbf"


def strict_loads(body: bytes) -> Any:
    """The object or list a message is; BadJson with line and column for everything else.

    Refused, because it would be changed or lost on its way: broken JSON, another encoding than UTF-8, lone
    surrogates, U+0000, a name twice in one object, numbers no double or 64-bit integer holds, nesting deeper
    than 200, and a bare string, number or null. A UTF-8 byte order mark is let pass (RFC 8259 section 8.1).
    """
    body = without_mark(body)
    _refuse_encodings(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _broken(error) from None
    if not isinstance(value, dict | list):
        raise BadJson("The body is a bare value; a message is a JSON object", hint="Send {…}.")
    names = _count_names(value)
    _refuse_losses(body, names)
    return value


def without_mark(body: bytes) -> bytes:
    """The body without a UTF-8 byte order mark."""
    return body.removeprefix(_BOM)


def _refuse_encodings(body: bytes) -> None:
    if not body.strip():
        raise BadJson("The body is empty; a JSON object is expected")
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in body[:4]:
        raise BadJson("The body is UTF-16 or UTF-32", hint="Send UTF-8.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadJson(f"The body is not UTF-8 {_place(body, error.start)}", hint="Send UTF-8.") from None


def _broken(error: orjson.JSONDecodeError) -> BadJson:
    if "depth limit" in error.msg:
        return _too_deep()
    return BadJson(f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}")


def _too_deep() -> BadJson:
    return BadJson(f"The body is nested deeper than {DEEPEST} levels")


def _count_names(value: Any) -> int:
    """How many names its objects have together; BadJson where it is nested too deep. Without recursion."""
    names, depth, level = 0, 0, [value]
    while level:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep()
        names += sum(len(item) for item in level if isinstance(item, dict))
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
    return names


def _children(item: Any) -> Any:
    return item.values() if isinstance(item, dict) else item


def _refuse_losses(body: bytes, names: int) -> None:
    """What orjson would take, but not as it was sent. `names`: how many the parsed objects have."""
    if found := _NUL.search(body):
        raise BadJson(f"The character U+0000 cannot be kept, {_place(body, found.start(1))}")
    bare = _STRINGS.sub(b'""', body)
    if bare.count(b":") != names:
        raise _twice(body)
    if any(not _LEAST <= int(number) <= _MOST for number in _LONG_INTEGER.findall(bare)):
        at = next(
            number.start() for number in _LONG_INTEGER.finditer(_blanked(body)) if _inexact(number.group())
        )
        raise BadJson(
            f"An integer has more than 64 bits and would be rounded, {_place(body, at)}",
            hint="Send it as a string.",
        )


def _inexact(number: bytes) -> bool:
    return not _LEAST <= int(number) <= _MOST


def _blanked(body: bytes) -> bytes:
    """The body with its strings overwritten, so that places stay."""
    return _STRINGS.sub(lambda found: b'"' * len(found.group()), body)


def _twice(body: bytes) -> BadJson:
    """Which name is there twice, and where."""
    open_names: list[set[str]] = []
    last: re.Match[bytes] | None = None
    for token in _TOKENS.finditer(body):
        mark = token.group()
        if mark in b"{[":
            open_names.append(set())
        elif mark in b"}]":
            open_names.pop()
        elif mark == b":" and last is not None:
            name = orjson.loads(last.group())
            if name in open_names[-1]:
                return BadJson(
                    f"The name {name[:100]!r} is twice in one object, {_place(body, last.start())}"
                )
            open_names[-1].add(name)
        last = token
    return BadJson("A name is twice in one object")


def _place(body: bytes, at: int) -> str:
    """Line and column, both from 1, columns in bytes as orjson counts them."""
    before = body[:at]
    return f"line {before.count(10) + 1}, column {at - before.rfind(10)}"


class OrjsonParser(BaseParser):
    """Request bodies of the monitoring API."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The strictly read body, at most HUB_MAX_BODY bytes of it."""
        return strict_loads(read_bounded(stream, settings.HUB_MAX_BODY))


class OrjsonRenderer(BaseRenderer):
    """Answers: UTF-8, times with their zone."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The answer's bytes; none for None."""
        return b"" if data is None else dumps(data)


def dumps(data: Any) -> bytes:
    """UTF-8 JSON of plain values, UUIDs, times, decimals and translated texts."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
