"""Dots in place of the fields that a site has masked (MaskedField), in JSON, XML, CSV and forms.

A field is known by its name, wherever it stands; all that is beneath it is masked, its structure stays. What cannot
be read as any of these is withheld as a whole where masks apply: a guess would show what must not be seen.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from django.db.models import Q
from lxml import etree

from integrations.engine.csv_header import DELIMITERS, has_plain_header, may_be_header, says_csv
from integrations.models import Flow, MaskedField

DOTS = "•••"
WITHHELD = (
    "Withheld: fields of this flow are masked, and this content is neither JSON, XML, a CSV with a header nor a "
    "form, so that they cannot be found in it. Who may read masked fields can download it."
)
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_LABELS, _VALUES = (
    ("name", "key"),
    ("value", "values", "text"),
)  # {"name": "taxId", "value": "…"} is a field, too

Patterns = tuple[str, ...]


class CannotMask(ValueError):
    """The content is of no form in which masked fields could be found."""


def patterns_of(flow: Flow | None) -> Patterns:
    """The masked names that hold for a flow's payloads (a clone has its original's, too), or for those of no flow."""
    own = [key for key in (flow.pk, flow.clone_of_id) if key] if flow else []
    rows = MaskedField.objects.filter(Q(flow=None) | Q(flow__in=own), enabled=True)
    return tuple(sorted({name for name in rows.values_list("name", flat=True) if name.strip()}))


def masked(content: bytes, content_type: str, *, flow: Flow | None) -> bytes:
    """The content with its masked fields as dots; WITHHELD where it cannot be searched. Unchanged without masks."""
    return mask_or_withhold(content, content_type, patterns_of(flow))


def mask_or_withhold(content: bytes, content_type: str, patterns: Patterns) -> bytes:
    """As `masked`, for names that are known."""
    try:
        return mask(content, content_type, patterns)
    except CannotMask:
        return WITHHELD.encode()


def mask(content: bytes, content_type: str, patterns: Patterns, name: str = "") -> bytes:
    """The content with the fields of these names as dots; CannotMask where they cannot be looked for.

    `name`: of the file it is, which may tell what the content type does not.
    """
    if not patterns or not content.strip():
        return content
    hides = _Names(patterns)
    for reader in _readers(content, content_type.partition(";")[0].strip().lower(), name):
        try:
            return reader(content, hides)
        except (ValueError, RecursionError, csv.Error, etree.LxmlError, LookupError):
            continue
    raise CannotMask(WITHHELD)


def mask_value(document: Any, patterns: Patterns) -> Any:
    """A JSON document as Python has it, a new one, with the fields of these names as dots."""
    return _value(document, _Names(patterns)) if patterns else document


class _Names:
    """The masked names as one pattern; what a name was found to be is kept, as a document repeats its names."""

    def __init__(self, patterns: Iterable[str]) -> None:
        known = [pattern.strip() for pattern in patterns]
        self._whole = re.compile("|".join(map(_pattern, known)), re.IGNORECASE)
        self._within = re.compile("|".join(map(_word, known)), re.IGNORECASE)
        self._known: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Whether a field of this name is masked, with its namespace or without."""
        known = self._known.get(name)
        if known is None:
            known = bool(self._whole.fullmatch(name.strip()) or self._whole.fullmatch(_local(name)))
            self._known[name] = known
        return known

    def mentioned(self, text: str) -> bool:
        """Whether a masked name stands anywhere in a text, as a word of its own."""
        return self._within.search(text) is not None

    def labelled(self, fields: Iterable[tuple[Any, Any]]) -> bool:
        """Whether any label among an object's fields, given as key and text, is a masked name."""
        return any(_local(str(key)).lower() in _LABELS and self(str(text)) for key, text in fields if text)


def _pattern(name: str) -> str:
    return "[^\\n]*".join(map(re.escape, name.split("*")))


def _word(name: str) -> str:
    """A masked name within a text: no letter beside it, but that of an escape; at its asterisks anything."""
    before = "" if name.startswith("*") else r"(?:(?<![^\W\d_])|(?<=\\[bfnrt]))"
    after = "" if name.endswith("*") else r"(?![^\W\d_])"
    return f"{before}{_pattern(name.strip('*'))}{after}"


def _local(name: str) -> str:
    """A name without its namespace, nor the sign of an attribute or a text in XML written as JSON."""
    return re.split(r"[}:]", name)[-1].strip().lstrip("@#")


def _readers(content: bytes, kind: str, name: str) -> Iterable[Callable[[bytes, "_Names"], bytes]]:
    """What the content may be read as, the likeliest first: what it says it is, is not always so. But for a CSV:
    as one, any text with commas could be read."""
    start = content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if start and start in b'{["-0123456789tfn':
        yield _json
        yield _json_lines
    if start == b"<":
        yield _xml
        return
    if kind == "application/x-www-form-urlencoded":
        yield _form
    if says_csv(kind, name):
        yield _csv


# -- JSON ------------------------------------------------------------------------------------------------


def _json(content: bytes, hides: _Names) -> bytes:
    """A text or a number alone has no name to be known by."""
    document = json.loads(content)
    if isinstance(document, str | int | float) and not isinstance(document, bool):
        raise CannotMask("A value without a name")
    return json.dumps(_value(document, hides), ensure_ascii=False).encode("utf-8", "replace")


def _json_lines(content: bytes, hides: _Names) -> bytes:
    return b"\n".join(_json(line, hides) for line in content.splitlines() if line.strip())


def _value(value: Any, hides: _Names) -> Any:
    if isinstance(value, dict):
        return _object(value, hides)
    if isinstance(value, list):
        return [_value(item, hides) for item in value]
    return _inner(value, hides) if isinstance(value, str) else value


def _object(value: dict[str, Any], hides: _Names) -> dict[str, Any]:
    named = hides.labelled((key, text) for key, text in value.items() if isinstance(text, str))
    return {
        key: _dotted(item) if hides(key) or (named and _is_value(key)) else _value(item, hides)
        for key, item in value.items()
    }


def _is_value(key: str) -> bool:
    return _local(key).lower() in _VALUES


def _dotted(value: Any) -> Any:
    """All that is beneath a masked field; what is empty says nothing and stays."""
    if isinstance(value, dict):
        return {key: _dotted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_dotted(item) for item in value]
    return value if value is None or value == "" else DOTS


def _inner(text: str, hides: _Names) -> str:
    """A document that travels as text within another is searched, too."""
    bare = _DECLARATION.sub("", text, count=1).lstrip()
    if not bare.startswith(("{", "[", "<")):
        return text
    try:
        return (_xml if bare[0] == "<" else _json)(bare.encode(), hides).decode()
    except (ValueError, RecursionError, etree.LxmlError):
        return DOTS if hides.mentioned(bare) else text


# -- XML -------------------------------------------------------------------------------------------------


def _xml(content: bytes, hides: _Names) -> bytes:
    """Without comments and instructions, which have no name to be known by."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise CannotMask("A document type can give a text any name")
    _element(root, hides, within=False)
    return etree.tostring(root, encoding="unicode").encode()


def _element(root: "etree._Element", hides: _Names, *, within: bool) -> None:
    """A loop rather than recursion: documents may be deeper than Python's stack."""
    todo = [(root, within)]
    while todo:
        element, covered = todo.pop()
        covered = covered or hides(str(element.tag)) or hides.labelled(element.attrib.items())
        named = covered or hides.labelled((child.tag, (child.text or "").strip()) for child in element)
        _attributes(element, hides, covered=covered, named=named)
        element.text = _shown(element.text, hides, covered=named)
        for child in element:
            child.tail = _shown(child.tail, hides, covered=named)
            todo.append((child, covered or (named and _is_value(str(child.tag)))))


def _attributes(element: "etree._Element", hides: _Names, *, covered: bool, named: bool) -> None:
    """`named`: by a child, so that an attribute may be the value. The label that says so is left to be read."""
    for key, text in element.attrib.items():
        part = covered and not hides.labelled([(key, text)])
        if hides(str(key)) or part or (named and _is_value(str(key))):
            element.set(key, DOTS if text else "")


def _shown(text: str | None, hides: _Names, *, covered: bool) -> str | None:
    if not text or not text.strip():
        return text
    return DOTS if covered else _inner(text, hides)


# -- CSV and forms ---------------------------------------------------------------------------------------


def _csv(content: bytes, hides: _Names) -> bytes:
    """By its header; without one, no column is known. A record with more cells than the header has them masked."""
    text = content.decode("utf-8-sig")
    first = text.splitlines()[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = _rows(text, delimiter)
    header = next(rows)
    hidden = [hides(name) for name in header]
    if not (may_be_header(header) if any(hidden) else _is_harmless(text, delimiter, hides)):
        raise CannotMask("The first line is no header, or not plainly one")
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(at, cell, hidden, hides) for at, cell in enumerate(row)])
    return out.getvalue().encode()


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _is_harmless(text: str, delimiter: str, hides: _Names) -> bool:
    """Whether a CSV plainly has a header, with no masked column in it, and nothing in it speaks of a masked name."""
    return not hides.mentioned(text) and has_plain_header(_rows(text, delimiter))


def _cell(at: int, cell: str, hidden: list[bool], hides: _Names) -> str:
    covered = at >= len(hidden) or hidden[at]
    return (DOTS if cell else "") if covered else _inner(cell, hides)


def _form(content: bytes, hides: _Names) -> bytes:
    fields = parse_qsl(content.decode(), keep_blank_values=True, strict_parsing=True)
    shown = (
        (name, DOTS if hides(name) and text else quote_plus(_inner(text, hides))) for name, text in fields
    )
    return "&".join(f"{quote_plus(name)}={text}" for name, text in shown).encode()
