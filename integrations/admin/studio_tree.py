"""JSON documents as trees whose fields can be picked: a source's path, or a point of a target with what differs."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from integrations.mapping.changes import ADDED, CHANGED, REMOVED, Path, pointer_of

NODES = 400  # of one document that are drawn
LONGEST = 120  # characters of a value
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_KEYWORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_BADGES = {
    ADDED: mark_safe(' <span class="bb-badge bb-good">+ added</span>'),
    CHANGED: mark_safe(' <span class="bb-badge bb-warn">~ changed</span>'),
    REMOVED: mark_safe(' <span class="bb-badge bb-bad">&minus; removed</span>'),
}
_NOTHING: Any = object()
Pick = Callable[[Path, Any], tuple[str, str, str] | None]  # (button's name, its value, what it does)


def source_tree(document: Any, *, pick: bool) -> SafeString:
    """A source; with `pick` its fields are buttons that insert their path into the expression."""
    return _Tree(_insert if pick else None).drawn(document, document)


def target_tree(before: Any, after: Any, *, pick: bool) -> SafeString:
    """A target after a draft, marked where it differs from before; with `pick` its fields set the pointer."""
    return _Tree(_point if pick else None).drawn(before, after)


def jsonata_path(path: Path) -> str:
    """A path as JSONata finds it in an extension: `source.items[0].name`; "" where a name cannot be written."""
    found = "source"
    for part in path:
        if isinstance(part, int):
            found += f"[{part}]"
        elif "`" in part:
            return ""
        else:
            plain = _PLAIN.fullmatch(part) and part not in _KEYWORDS
            found += f".{part}" if plain else f".`{part}`"
    return found


def _insert(path: Path, _value: Any) -> tuple[str, str, str] | None:
    found = jsonata_path(path)
    return ("insert", found, f"insert {found} into the expression") if found else None


def _point(path: Path, value: Any) -> tuple[str, str, str] | None:
    """The pointer of the object that a field is, of the objects it lists, or of the one it is in."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        path = (*path, 0)
    elif not isinstance(value, dict):
        while path and isinstance(path[-1], int):
            path = path[:-1]
        path = path[:-1]
    pointer = pointer_of(path, each=True)
    return "point", pointer, f"point to {pointer or 'the whole target'}"


class _Tree:
    """One tree being drawn, down to NODES fields."""

    def __init__(self, pick: Pick | None) -> None:
        self._pick = pick
        self._left = NODES

    def drawn(self, before: Any, after: Any) -> SafeString:
        """The whole; nothing but its value where the document is no object or list."""
        if not _holds(before) and not _holds(after):
            return format_html('<p class="st-tree">{}</p>', _value(after))
        return format_html('<div class="st-tree">{}</div>', self._children((), before, after))

    def _children(self, path: Path, before: Any, after: Any) -> SafeString:
        rows = []
        for key, old, new in _pairs(before, after):
            if self._left <= 0:
                rows.append(format_html('<li class="bb-quiet">{}</li>', "… more fields, not shown"))
                break
            self._left -= 1
            rows.append(self._node((*path, key), old, new))
        return format_html("<ul>{}</ul>", mark_safe("".join(rows)))  # noqa: S308  (each escaped)

    def _node(self, path: Path, old: Any, new: Any) -> SafeString:
        kind = _kind(old, new)
        shown = old if new is _NOTHING else new
        inside = _list_or_object(shown)
        name = self._name(path, shown)
        if not inside:
            return format_html(
                '<li class="st-node st-{}">{} {}{}</li>',
                kind,
                name,
                _values(old, new, kind),
                _BADGES.get(kind, ""),
            )
        was = format_html(" was {}", _value(old)) if kind == CHANGED else ""
        if kind in (ADDED, REMOVED, CHANGED):
            old = new = shown
        return format_html(
            '<li class="st-node st-{}">{} <span class="bb-quiet">{}</span>{}{}{}</li>',
            kind,
            name,
            _count(shown),
            _BADGES.get(kind, ""),
            was,
            self._children(path, old, new),
        )

    def _name(self, path: Path, value: Any) -> SafeString:
        text = f"[{path[-1]}]" if isinstance(path[-1], int) else str(path[-1])
        picked = self._pick(path, value) if self._pick else None
        if picked is None:
            return format_html('<span class="st-key">{}</span>', text)
        name, picks, does = picked
        return format_html(
            '<button type="submit" form="studio-form" class="st-key" name="{}" value="{}" title="{}" '
            'aria-label="{}: {}">{}</button>',
            name,
            picks,
            does.capitalize(),
            text,
            does,
            text,
        )


def _pairs(before: Any, after: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """Each child of either, in the order of the one after; what only was, last."""
    if isinstance(before, list) or isinstance(after, list):
        yield from _items(*(value if isinstance(value, list) else [] for value in (before, after)))
        return
    old, new = (value if isinstance(value, dict) else {} for value in (before, after))
    for key, value in new.items():
        yield key, old.get(key, _NOTHING), value
    for key, value in old.items():
        if key not in new:
            yield key, value, _NOTHING


def _items(old: list[Any], new: list[Any]) -> Iterator[tuple[str | int, Any, Any]]:
    for index in range(max(len(old), len(new))):
        yield index, _at(old, index), _at(new, index)


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _NOTHING


def _kind(old: Any, new: Any) -> str:
    if old is _NOTHING:
        return ADDED
    if new is _NOTHING:
        return REMOVED
    if type(old) is type(new) and _list_or_object(old):
        return "same"
    alike = isinstance(old, bool) is isinstance(new, bool) and old == new
    return "same" if alike else CHANGED


def _list_or_object(value: Any) -> bool:
    return isinstance(value, list | dict)


def _holds(value: Any) -> bool:
    return _list_or_object(value) and bool(value)


def _count(value: Any) -> str:
    if isinstance(value, list):
        return f"list of {len(value)}"
    return "" if value else "empty"


def _values(old: Any, new: Any, kind: str) -> SafeString:
    if kind == CHANGED:
        return format_html("<ins>{}</ins> was <del>{}</del>", _value(new), _value(old))
    if kind == REMOVED:
        return format_html("<del>{}</del>", _value(old))
    return format_html("<ins>{}</ins>", _value(new)) if kind == ADDED else _value(new)


def _value(value: Any) -> SafeString:
    text = json.dumps(value, ensure_ascii=False)
    cut = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    kind = "string" if isinstance(value, str) else "number"
    return format_html('<span class="st-{}">{}</span>', kind, cut)
