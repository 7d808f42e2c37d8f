"""Two payloads side by side: as a person reads them, line by line, and which fields differ.

A field is known by its path (JSON Pointer without escapes, XML's elements and attributes, CSV's row and column).
"""

import csv
import difflib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

MOST_LINES = 4_000  # of one side that are aligned; the comparison is quadratic at worst
MOST_FIELDS = 500  # differences that are listed
_SYMBOLS = {"same": "", "changed": "≠", "removed": "-", "added": "+"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of both sides; a side without one is None. `kind`: same, changed, removed or added."""

    kind: str
    left: str | None
    right: str | None
    left_number: int = 0
    right_number: int = 0

    @property
    def symbol(self) -> str:
        """The mark for who does not see colours."""
        return _SYMBOLS[self.kind]


@dataclass(frozen=True, slots=True)
class Field:
    """A field that differs. `kind`: changed, removed, added, or moved (its value stands elsewhere before)."""

    kind: str
    path: str
    before: str = ""
    after: str = ""
    was_at: str = ""


@dataclass(slots=True)
class Comparison:
    """What is the same and what is not."""

    lines: list[Line] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    more: int = 0
    same: bool = False


def readable(content: bytes) -> str:
    """JSON and XML indented, anything else as text; what is no text is said to be so."""
    if b"\x00" in content[:1024]:
        return f"{len(content)} bytes that are no text."
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    root = _tree(content)
    if root is not None:
        etree.indent(root)
        return str(etree.tostring(root, encoding="unicode"))
    return content.decode("utf-8", "replace")


def compare(before: bytes, after: bytes) -> Comparison:
    """Both contents, aligned line by line, and the fields that were added, removed, changed or moved."""
    found = Comparison(same=before == after)
    left, right = readable(before).splitlines(), readable(after).splitlines()
    if max(len(left), len(right)) <= MOST_LINES:
        found.lines = list(_aligned(left, right))
    else:
        pairs = zip(left[:MOST_LINES], right[:MOST_LINES], strict=False)
        found.lines = [Line("same" if a == b else "changed", a, b, n, n) for n, (a, b) in enumerate(pairs, 1)]
    fields = list(_fields(_flat(before), _flat(after)))
    found.counts = dict(Counter(item.kind for item in fields))
    found.fields, found.more = fields[:MOST_FIELDS], max(len(fields) - MOST_FIELDS, 0)
    return found


def _aligned(left: list[str], right: list[str]) -> Iterator[Line]:
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for at in range(max(b - a, d - c)):
            one = left[a + at] if a + at < b else None
            two = right[c + at] if c + at < d else None
            name = (
                "same"
                if kind == "equal"
                else "removed"
                if two is None
                else "added"
                if one is None
                else "changed"
            )
            yield Line(
                name, one, two, a + at + 1 if one is not None else 0, c + at + 1 if two is not None else 0
            )


def _fields(before: dict[str, str], after: dict[str, str]) -> Iterator[Field]:
    """In the order of the new document, then what it no longer has."""
    places: dict[str, list[str]] = {}
    for path, value in before.items():
        if path not in after:
            places.setdefault(value, []).append(path)
    moved: set[str] = set()
    for path, value in after.items():
        if path in before:
            if before[path] != value:
                yield Field("changed", path, before[path], value)
        elif value and len(places.get(value, ())) == 1:
            moved.add(places[value][0])
            yield Field("moved", path, value, value, was_at=places[value][0])
        else:
            yield Field("added", path, "", value)
    for path, value in before.items():
        if path not in after and path not in moved:
            yield Field("removed", path, value)


def _flat(content: bytes) -> dict[str, str]:
    """Path → value of every field; {} for what has no fields."""
    try:
        return dict(_json_fields(json.loads(content), ""))
    except (ValueError, RecursionError):
        pass
    root = _tree(content)
    return dict(_xml_fields(root, "")) if root is not None else _csv_fields(content)


def _json_fields(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _json_fields(item, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for at, item in enumerate(value):
            yield from _json_fields(item, f"{path}/{at}")
    else:
        yield path or "/", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tree(content: bytes) -> "etree._Element | None":
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=True
    )
    try:
        return etree.fromstring(content, parser)
    except etree.LxmlError:
        return None


def _xml_fields(element: "etree._Element", path: str) -> Iterator[tuple[str, str]]:
    here = f"{path}/{_local(element.tag)}"
    for name, value in element.attrib.items():
        yield f"{here}/@{_local(name)}", str(value)
    children = [child for child in element if isinstance(child.tag, str)]
    if not children or (element.text or "").strip():
        yield here, (element.text or "").strip()
    many = Counter(child.tag for child in children)
    seen: Counter[Any] = Counter()
    for child in children:
        seen[child.tag] += 1
        yield from (
            (f"{inner}" if many[child.tag] == 1 else _numbered(inner, here, seen[child.tag]), value)
            for inner, value in _xml_fields(child, here)
        )


def _numbered(inner: str, here: str, number: int) -> str:
    """The path with the number of its element among its likes."""
    name, slash, rest = inner[len(here) + 1 :].partition("/")
    return f"{here}/{name}[{number}]{slash}{rest}"


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _csv_fields(content: bytes) -> dict[str, str]:
    text = content.decode("utf-8", "replace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return {}
    if len(rows) < 2 or len(rows[0]) < 2:  # noqa: PLR2004  (a header and a record, of two columns at least)
        return {}
    return {
        f"/{number}/{name}": cell
        for number, row in enumerate(rows[1:], 1)
        for name, cell in zip(rows[0], row, strict=False)
    }
