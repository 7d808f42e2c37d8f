"""The point of a target that a pointer which leads nowhere was most likely meant for."""

import difflib
from typing import Any

from integrations.mapping.changes import Path, pointer_of
from integrations.mapping.errors import PointerError
from integrations.mapping.pointer import EACH, parts_of


def nearest_point(target: Any, pointer: str) -> str:
    """The nearest object there is, as a pointer with `*` for items; "" is the whole target."""
    try:
        parts = parts_of(pointer)
    except PointerError:
        parts = pointer.replace(".", "/").split("/")
    here, path = _to_object(target, ())
    for part in parts:
        if part == EACH or part.isdigit():
            continue  # positions are found anew: lists are gone into of themselves
        name = _name_in(here, part)
        if name is None:
            break
        below, along = _to_object(here[name], (*path, name))
        if not isinstance(below, dict):
            break
        here, path = below, along
    return pointer_of(path, each=True)


def _to_object(value: Any, path: Path) -> tuple[Any, Path]:
    """Through lists to their first item."""
    while isinstance(value, list) and value:
        value, path = value[0], (*path, 0)
    return value, path


def _name_in(value: Any, part: str) -> str | None:
    if not isinstance(value, dict):
        return None
    if part in value:
        return part
    folded = {name.lower(): name for name in value}
    close = difflib.get_close_matches(part.lower(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None
