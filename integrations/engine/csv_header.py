"""Whether the first line of a CSV names its columns: nothing in a CSV says so, so that it takes evidence."""

import re
from collections.abc import Iterator

DELIMITERS = ",;\t|"
_NAME = re.compile(r"[^\W\d][\w .:#/()-]*")  # what a header's cell looks like, and a record's seldom does
_LONGEST, _DIGITS = 60, 3  # characters of a name; digits, of which a record's identifiers have more
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d", re.IGNORECASE)
_ANSWERS = frozenset({"true", "false", "yes", "no", "null", "none", "nil", "n/a"})


def says_csv(content_type: str, name: str = "") -> bool:
    """Whether a content type (in lower case, without parameters) or a file's name says that this is a CSV."""
    by_type = "csv" in content_type or content_type.endswith("-separated-values")
    return by_type or name.lower().endswith((".csv", ".tsv", ".tab"))


def may_be_header(row: list[str]) -> bool:
    """Whether a line could name columns: each is there, once, and looks like a name."""
    names = [cell.strip() for cell in row]
    return len(names) > 1 and len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))


def has_plain_header(rows: Iterator[list[str]]) -> bool:
    """Whether the first of these lines plainly names columns: no cell of it is a sentence, a date, an answer or an
    identifier with its digits, and there are records beneath it, each with as many cells and none with its words."""
    header = next(rows, [])
    if not may_be_header(header) or any(map(_is_value, header)):
        return False
    found = [_is_record_of(header, row) for row in rows if row]
    return bool(found) and all(found)


def _is_value(cell: str) -> bool:
    return (
        len(cell) > _LONGEST
        or sum(map(str.isdigit, cell)) >= _DIGITS
        or cell.strip().lower() in _ANSWERS
        or _MONTH.search(cell) is not None
    )


def _is_record_of(header: list[str], row: list[str]) -> bool:
    return len(row) == len(header) and not any(map(str.__eq__, header, row))
