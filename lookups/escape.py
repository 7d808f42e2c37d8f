"""Cells that a spreadsheet would run as a formula get an apostrophe on export, taken away again on import.

A cell is escaped if it begins, after any apostrophes, with = + - @ (also in full width), tab or a line end; so
what had apostrophes before one of those gets one more, and the round trip changes nothing.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def escape_cell(text: str) -> str:
    """As exported."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_cell(text: str) -> str:
    """As it was before `escape_cell`."""
    return text[1:] if _ESCAPED.match(text) else text
