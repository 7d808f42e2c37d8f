"""Where two JSON documents differ, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from integrations.mapping.pointer import EACH
from integrations.mapping.values import JSON

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs: `kind` is added, changed or removed; `old` or `new` is None where there is none."""

    path: Path
    kind: str
    old: JSON = None
    new: JSON = None

    @property
    def pointer(self) -> str:
        """Where, as a JSON Pointer."""
        return pointer_of(self.path)

    @property
    def field(self) -> str:
        """Where, with `*` for each item of a list: the same for all items."""
        return pointer_of(self.path, each=True)


def pointer_of(path: Path, *, each: bool = False) -> str:
    """A path as a JSON Pointer; with `each`, `*` in place of positions."""
    return "".join(f"/{EACH if each and isinstance(part, int) else _escaped(part)}" for part in path)


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def changes(before: JSON, after: JSON, most: int = 1_000) -> list[Change]:
    """The fields in which `after` differs from `before`, in the documents' order; at most so many."""
    found: list[Change] = []
    for change in _changes((), before, after):
        found.append(change)
        if len(found) >= most:
            break
    return found


def value_at(document: JSON, path: Path) -> tuple[bool, JSON]:
    """Whether there is something at a path, and what."""
    for part in path:
        if isinstance(document, dict) and part in document:
            document = document[str(part)]
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            return False, None
    return True, document


def _changes(path: Path, before: JSON, after: JSON) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _in_objects(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(path, before, after)
    elif isinstance(before, bool) is not isinstance(after, bool) or before != after:
        yield Change(path, CHANGED, before, after)


def _in_objects(path: Path, before: dict[str, JSON], after: dict[str, JSON]) -> Iterator[Change]:
    for key, old in before.items():
        if key in after:
            yield from _changes((*path, key), old, after[key])
        else:
            yield Change((*path, key), REMOVED, old=old)
    for key, new in after.items():
        if key not in before:
            yield Change((*path, key), ADDED, new=new)


def _in_lists(path: Path, before: list[Any], after: list[Any]) -> Iterator[Change]:
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        yield from _changes((*path, index), old, new)
    for index in range(len(after), len(before)):
        yield Change((*path, index), REMOVED, old=before[index])
    for index in range(len(before), len(after)):
        yield Change((*path, index), ADDED, new=after[index])
