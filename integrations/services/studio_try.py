"""Try a draft of a mapping extension on a source, in the sandbox: nothing of it is stored, nothing leaves the hub."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from integrations.engine.mapper import mapping_functions
from integrations.engine.stands import Stands
from integrations.mapping import Extension, MappingError, apply_extensions
from integrations.mapping.changes import Change, changes
from integrations.mapping.errors import PointerError
from integrations.mapping.jsonata import Functions
from integrations.mapping.pointer import objects_at, parts_of
from integrations.mapping.pool import POOL
from integrations.models import Flow, Mapping, MappingExtension
from integrations.services.studio_trouble import (
    BASE,
    DRAFT,
    EXPRESSION,
    OTHER,
    POINTER,
    Trouble,
    trouble_of,
)
from lookups.errors import LookupFault

QUESTIONS, ANSWERING_SECONDS = 1_000, 3.0  # lookups a try may ask for, and how long they may take
EVALUATION = (MappingError, LookupFault)  # what a draft may raise


@dataclass(frozen=True, slots=True)
class Draft:
    """An extension as it is being edited; `key`: of the saved one it will replace, None for a new one."""

    mapping: Mapping
    key: int | None = None
    pointer: str = ""
    expression: str = ""
    position: int = 0
    active: bool = True

    @property
    def extension(self) -> Extension:
        """As it is evaluated."""
        return Extension(self.pointer, self.expression, DRAFT)


@dataclass(frozen=True, slots=True)
class Tried:
    """The target without and with the draft; `after` is None where it fails, `items` how many points it met."""

    before: Any = None
    after: Any = None
    changes: list[Change] = field(default_factory=list)
    items: int = 0
    trouble: Trouble | None = None
    milliseconds: float = 0.0


def draft_of(row: MappingExtension) -> Draft:
    """A saved extension as a draft."""
    return Draft(row.mapping, row.pk, row.pointer, row.expression, row.position, row.active)


def functions_of(flow: Flow) -> Functions:
    """What expressions may call, bounded: a draft may not keep a page waiting with questions."""
    deadline, asked = time.monotonic() + ANSWERING_SECONDS, 0

    def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked > QUESTIONS or time.monotonic() > deadline:
                raise MappingError(
                    f"The draft asked for more lookups than a try has time for ({QUESTIONS} in {ANSWERING_SECONDS:g} s)"
                )
            return function(*arguments)

        return call

    named = mapping_functions(Stands.of(flow.stands_for or {}))
    return {name: bounded(function) for name, function in named.items()}


def line_up(draft: Draft, rows: Sequence[MappingExtension]) -> tuple[list[Extension], list[Extension]]:
    """The active extensions before the draft and after it, in the order they are applied; never its saved form."""
    own = (draft.position, draft.key or 2**62)
    others = [row for row in rows if row.active and row.pk != draft.key]
    first = [row for row in others if (row.position, row.pk) < own]
    return named(first), named([row for row in others if row not in first])


def named(rows: Sequence[MappingExtension]) -> list[Extension]:
    """Saved extensions as they are evaluated, called by their number."""
    return [Extension(row.pointer, row.expression, f"extension {row.pk}") for row in rows]


def base_of(mapping: Mapping, source: Any, functions: Functions) -> Any:
    """The base's target of a source, made in the sandbox; MappingError, LookupFault."""
    return POOL.base(mapping.expression, source, functions=functions, name=mapping.name)


def studio_try(*, draft: Draft, source: Any, among: Sequence[MappingExtension] | None = None) -> Tried:
    """The target of a source without the draft and with it, all other active extensions applied.

    `among`: the extensions there would be; None for those that are stored.
    """
    began = time.perf_counter()
    rows = list(draft.mapping.extensions.all()) if among is None else among
    tried = _tried(draft, source, functions_of(draft.mapping.flow), rows)
    return Tried(*tried, milliseconds=(time.perf_counter() - began) * 1000)


def _tried(
    draft: Draft, source: Any, functions: Functions, rows: Sequence[MappingExtension]
) -> tuple[Any, Any, list[Change], int, Trouble | None]:
    first, then = line_up(draft, rows)
    where, target = BASE, None
    try:
        target = base_of(draft.mapping, source, functions)
        where = OTHER
        target = apply_extensions(target, source, first, functions=functions)
        before = apply_extensions(target, source, then, functions=functions)
    except EVALUATION as error:
        return target, None, [], 0, trouble_of(error, where=where)
    if not draft.expression.strip():
        return before, before, [], 0, _astray(draft, target)
    where = EXPRESSION
    try:
        met = len(objects_at(target, draft.pointer, name=DRAFT))
        made = apply_extensions(target, source, [draft.extension], functions=functions)
        where = OTHER
        after = apply_extensions(made, source, then, functions=functions)
    except EVALUATION as error:
        return before, None, [], 0, trouble_of(error, where=where, target=target, pointer=draft.pointer)
    if not met:
        return before, after, [], 0, draft_check(draft)
    return before, after, changes(before, after), met, None


def _astray(draft: Draft, target: Any) -> Trouble | None:
    """Whether a pointer alone leads nowhere, before there is an expression."""
    try:
        objects_at(target, draft.pointer, name=DRAFT)
    except MappingError as error:
        return trouble_of(error, where=EXPRESSION, target=target, pointer=draft.pointer)
    return None


def draft_check(draft: Draft) -> Trouble | None:
    """Whether the draft can be read at all, where there is nothing to try it on; None where it can."""
    try:
        POOL.check(draft.expression, functions=mapping_functions(), name=DRAFT)
        parts_of(draft.pointer)
    except EVALUATION as error:
        return trouble_of(error, where=POINTER if isinstance(error, PointerError) else EXPRESSION)
    return None
