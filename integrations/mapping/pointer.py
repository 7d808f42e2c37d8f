"""JSON Pointers (RFC 6901) into a target, with `*` for each item of a list."""

from typing import Any

from integrations.mapping.errors import PointerError

EACH = "*"


def parts_of(pointer: str) -> list[str]:
    """A pointer's parts, unescaped; PointerError where it does not begin with `/`."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise PointerError(f"The pointer {pointer!r} must be empty (the whole target) or begin with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def objects_at(target: Any, pointer: str, *, name: str = "") -> list[dict[str, Any]]:
    """The objects of the target a pointer means, each to be changed in place; none where `*` meets no items.

    PointerError where a part of the pointer is not there, or what it leads to is no object: nothing is created,
    because a misspelt pointer would then make a field nobody asked for.
    """
    found = [("", target)]
    for part in parts_of(pointer):
        found = [step for path, value in found for step in _step(path, value, part, pointer, name)]
    for path, value in found:
        if not isinstance(value, dict):
            raise _error(name, pointer, f"{path or 'the whole target'} is {_kind(value)}, not an object")
    return [value for _, value in found]


def _step(path: str, value: Any, part: str, pointer: str, name: str) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return _step_list(path, value, part, pointer, name)
    if not isinstance(value, dict):
        raise _error(name, pointer, f"{path or 'the whole target'} is {_kind(value)} and holds no {part!r}")
    if part not in value:
        here = ", ".join(list(value)[:8]) or "nothing"
        raise _error(name, pointer, f"there is no {path}/{part}; {path or 'the target'} holds {here}")
    return [(f"{path}/{part}", value[part])]


def _step_list(path: str, value: list[Any], part: str, pointer: str, name: str) -> list[tuple[str, Any]]:
    if part == EACH:
        return [(f"{path}/{index}", item) for index, item in enumerate(value)]
    if not (part.isascii() and part.isdigit()):
        raise _error(
            name, pointer, f"{path or 'the target'} is a list: use * for each item, or a position from 0"
        )
    if int(part) >= len(value):
        raise _error(name, pointer, f"there is no {path}/{part}; the list has {len(value)} items")
    return [(f"{path}/{part}", value[int(part)])]


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def _error(name: str, pointer: str, text: str) -> PointerError:
    label = f"The extension {name!r}" if name else "The extension"
    return PointerError(f"{label} at {pointer!r}: {text}", place=f"{name} {pointer}".strip())
