"""When two spellings are the same name.

Seed 001 writes `_EMAIL_ID` and `_Email_ID`, `OUTL-BRT- CCS_DACS_ConfigProps`, `CCS\\_DACS` and
`notification.type. email`; the others add `OUTLBRT-` and `OUTL_BRT_`. What differs further is in the alias table.
"""

import re

_SEPARATORS = re.compile(r"[\s\\_-]+")
_NOISE = re.compile(r"[\s\\]+")


def fold_name(text: str) -> str:
    """A lookup's or column's name without case, spaces, backslashes, hyphens and underscores."""
    return _SEPARATORS.sub("", text).casefold()


def fold_property(text: str) -> str:
    """A property's name without case, spaces and backslashes; its dots, hyphens and underscores count."""
    return _NOISE.sub("", text).casefold()
