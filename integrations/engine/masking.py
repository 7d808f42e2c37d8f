"""Dots in place of the fields that a site has masked (MaskedField), in JSON, XML, CSV and forms.

A field is known by its name, wherever it stands; all that is beneath it is masked, its structure stays. What cannot
be read as any of these is withheld as a whole where masks apply: a guess would show what must not be seen.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from django.db.models import Q
from lxml import etree

from integrations.models import Flow, MaskedField

DOTS = "•••"
WITHHELD = (
    "Withheld: fields of this flow are masked, and this content is neither JSON, XML, CSV nor a form, so that they "
    "cannot be found in it. Who may read masked fields can download it."
)
_DELIMITERS = ",;\t|"
_COLUMN = re.compile(r"[^\W\d][\w .:#/()-]*")  # what a header's cell looks like, and a record's seldom does
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


def mask(content: bytes, content_type: str, patterns: Patterns) -> bytes:
    """The content with the fields of these names as dots; CannotMask where they cannot be looked for."""
    if not patterns or not content.strip():
        return content
    hides = _Names(patterns)
    for reader in _readers(content, content_type.partition(";")[0].strip().lower()):
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
        parts = ["[^\\n]*".join(map(re.escape, pattern.strip().split("*"))) for pattern in patterns]
        self._whole = re.compile("|".join(parts), re.IGNORECASE)
        self._known: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Whether a field of this name is masked, with its namespace or without."""
        known = self._known.get(name)
        if known is None:
            local = re.split(r"[}:]", name)[-1].strip().lstrip("@")
            known = bool(self._whole.fullmatch(name.strip()) or self._whole.fullmatch(local))
            self._known[name] = known
        return known

    def mentioned(self, text: str) -> bool:
        """Whether a masked name stands anywhere in a text."""
        return self._whole.search(text) is not None


def _readers(content: bytes, kind: str) -> Iterable[Callable[[bytes, "_Names"], bytes]]:
    """What the content may be read as, the likeliest first: what it says it is, is not always so."""
    start = content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if start and start in b'{["-0123456789tfn':
        yield _json
        yield _json_lines
    if start == b"<":
        yield _xml
        return
    if kind == "application/x-www-form-urlencoded":
        yield _form
    if kind != "application/json":
        yield _csv


# -- JSON ------------------------------------------------------------------------------------------------


def _json(content: bytes, hides: _Names) -> bytes:
    return json.dumps(_value(json.loads(content), hides), ensure_ascii=False).encode("utf-8", "replace")


def _json_lines(content: bytes, hides: _Names) -> bytes:
    return b"\n".join(_json(line, hides) for line in content.splitlines() if line.strip())


def _value(value: Any, hides: _Names) -> Any:
    if isinstance(value, dict):
        return _object(value, hides)
    if isinstance(value, list):
        return [_value(item, hides) for item in value]
    return _inner(value, hides) if isinstance(value, str) else value


def _object(value: dict[str, Any], hides: _Names) -> dict[str, Any]:
    label = next(
        (text for key, text in value.items() if key.lower() in _LABELS and isinstance(text, str)), ""
    )
    named = bool(label) and hides(label)
    return {
        key: _dotted(item) if hides(key) or (named and key.lower() in _VALUES) else _value(item, hides)
        for key, item in value.items()
    }


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
        label = next((text for key, text in element.attrib.items() if str(key).lower() in _LABELS), "")
        covered = covered or hides(str(element.tag)) or bool(label and hides(str(label)))
        for key, text in element.attrib.items():
            if hides(str(key)) or (covered and str(key).lower() not in _LABELS):
                element.set(key, DOTS if text else "")
        element.text = _shown(element.text, hides, covered=covered)
        for child in element:
            child.tail = _shown(child.tail, hides, covered=covered)
            todo.append((child, covered))


def _shown(text: str | None, hides: _Names, *, covered: bool) -> str | None:
    if not text or not text.strip():
        return text
    return DOTS if covered else _inner(text, hides)


# -- CSV and forms ---------------------------------------------------------------------------------------


def _csv(content: bytes, hides: _Names) -> bytes:
    """By its header; without one, no column is known. A record with more cells than the header has them masked."""
    text = content.decode("utf-8-sig")
    first = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next(rows)
    names = [cell.strip() for cell in header]
    if delimiter not in first or len(set(names)) < len(names) or not all(map(_COLUMN.fullmatch, names)):
        raise CannotMask("The first line is no header")
    hidden = [hides(name) for name in names]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(at, cell, hidden, hides) for at, cell in enumerate(row)])
    return out.getvalue().encode()


def _cell(at: int, cell: str, hidden: list[bool], hides: _Names) -> str:
    covered = at >= len(hidden) or hidden[at]
    return (DOTS if cell else "") if covered else _inner(cell, hides)


def _form(content: bytes, hides: _Names) -> bytes:
    fields = parse_qsl(content.decode(), keep_blank_values=True, strict_parsing=True)
    shown = (
        (name, DOTS if hides(name) and text else quote_plus(_inner(text, hides))) for name, text in fields
    )
    return "&".join(f"{quote_plus(name)}={text}" for name, text in shown).encode()
