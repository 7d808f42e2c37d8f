"""Which file names the hub touches: one rule for every store.

A hostile or unreadable name is listed with its trouble and never opened, written or renamed (security case S10).
A leading dash, spaces, quotes and any script are fine: names never pass through a shell.
"""

import unicodedata
from functools import lru_cache

from integrations.adapters.errors import BadName

LONGEST_NAME = 255  # bytes in UTF-8, as on all common file systems
_UNUSABLE_KINDS = {"Cc": "a control character", "Zl": "a line separator", "Zp": "a paragraph separator"}


@lru_cache(maxsize=1024)  # each step of a file asks again
def name_trouble(name: str) -> str:
    """Why this name cannot be used, as a phrase; "" where it can."""
    if name in ("", ".", ".."):
        return "the name is empty" if not name else "the name means a directory"
    plain = name.isascii() and name.isprintable() and "/" not in name
    trouble = "" if plain else _unusable_character(name)
    if not trouble and len(name.encode()) > LONGEST_NAME:
        trouble = f"the name is longer than {LONGEST_NAME} bytes"
    return trouble


def _unusable_character(name: str) -> str:
    for character in name:
        if character in "/\0":
            return "the name holds a path" if character == "/" else "the name holds a NUL"
        kind = unicodedata.category(character)
        if kind == "Cs":
            return "the name is not UTF-8"
        if kind in _UNUSABLE_KINDS:
            return f"the name holds {_UNUSABLE_KINDS[kind]}"
    return ""


def usable_name(name: str) -> str:
    """The name itself; BadName where it cannot be used."""
    if trouble := name_trouble(name):
        raise BadName(f"The file name {shown_name(name)!r} cannot be used: {trouble}")
    return name


def usable_directory(directory: str) -> str:
    """The directory without a slash at its end ("" is where the log-in starts); BadName for one that climbs."""
    for part in directory.split("/"):
        trouble = "it climbs with .." if part == ".." else part not in ("", ".") and name_trouble(part)
        if trouble:
            raise BadName(f"The directory {shown_name(directory)!r} cannot be used: {trouble}")
    return directory.rstrip("/") or directory[:1]


def path_of(directory: str, name: str) -> str:
    """Directory and name joined, both checked; BadName."""
    base = usable_directory(directory)
    return f"{base}{'' if base in ('', '/') else '/'}{usable_name(name)}"


def decode_name(raw: bytes) -> tuple[str, str]:
    """A name from the wire: how it is shown (unusable characters escaped), and its trouble or ""."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return shown_name(raw.decode("utf-8", "backslashreplace")), "the name is not UTF-8"
    trouble = name_trouble(name)
    return (shown_name(name) if trouble else name), trouble


def shown_name(name: str) -> str:
    """The name with control characters and broken encoding escaped, safe in a log, a mail or a page."""
    return "".join(
        character
        if character.isprintable() or character == " "
        else character.encode("unicode_escape").decode("ascii")
        for character in name
    )
