"""Which names of fields a shadow run may show to who may not read payloads: a draft can make names out of contents."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from integrations.mapping.changes import CHANGED, Change
from integrations.services.shadow_report import Shown

A_FIELD = "a field"  # in place of a name that may quote the message
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)


def names_in(document: Any) -> set[str]:
    """The names of a document's fields, at any depth."""
    return set(_names(document))


def _names(document: Any) -> Iterator[str]:
    """A loop rather than recursion: documents may be deep."""
    todo = [document]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield from map(str, value)
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def names_typed(expressions: Iterable[str]) -> set[str]:
    """The texts that stand in expressions as they were typed: what their author knows anyway."""
    found = (match for expression in expressions for match in _TEXT.finditer(expression))
    return {_unescaped(match[1] or match[2] or "") for match in found}


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def fields_named(found: Iterable[Change], known: set[str]) -> list[Shown]:
    """The fields that differ, each once, without values and positions; A_FIELD where a name is not a known one."""
    return list(dict.fromkeys(_shown(one, known) for one in found))


def _shown(change: Change, known: set[str]) -> Shown:
    if any(isinstance(part, str) and part not in known for part in change.path):
        return Shown(A_FIELD, A_FIELD, change.kind)
    return Shown(change.field, change.field, change.kind)


def some_field(value: Any = None) -> Shown:
    """A field that differs of which nothing can be shown; `value` stands for both of its values."""
    return Shown(A_FIELD, A_FIELD, CHANGED, value, value)
