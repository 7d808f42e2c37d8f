"""A newer version of a lookup: what nobody edited follows it, what both sides changed waits for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from lookups.kinds import Kind
from lookups.lines import Line, Source
from lookups.merge import CONFLICTS, Do, Item, Merger, Step
from lookups.models import Lookup, Row
from lookups.names import fold_name
from lookups.services.conflicts import conflict_note, conflicts_settle
from lookups.services.merge_write import RowWriter
from lookups.services.rows import Person
from lookups.stamps import touch_once


@dataclass(frozen=True, slots=True)
class Merged:
    """One row of a merge; lines are cells and days, `base` as last brought, None where there is no such row.

    `what`: a `Do`; for conflicts `changed` (on both sides), `added` (on both), `removed` (edited here, gone there) or
    `deleted` (deleted here, changed there).
    """

    label: str
    what: str
    base: Line | None
    ours: Line | None
    theirs: Line | None


@dataclass(slots=True)
class MergeResult:
    """What a merge did; in a preview, what it would do."""

    name: str
    lookup: Lookup | None = None
    made: bool = False  # there was no such lookup
    added: list[Merged] = field(default_factory=list)
    updated: list[Merged] = field(default_factory=list)
    kept: list[Merged] = field(default_factory=list)  # edited or deleted here, unchanged in the package
    conflicts: list[Merged] = field(default_factory=list)  # stay as they are here until somebody decides
    removed: list[Merged] = field(default_factory=list)
    new_columns: list[str] = field(default_factory=list)
    followed: int = 0  # properties whose description or kind follows the package, while their value stays
    problems: list[str] = field(default_factory=list)  # rows that stay as they were, and why: sentences

    @property
    def changes(self) -> bool:
        """Whether anything is other than before."""
        found = (self.added, self.updated, self.removed, self.conflicts, self.new_columns)
        return self.made or any(found)

    def counts(self) -> dict[str, int]:
        """How many rows of each sort."""
        names = ("added", "updated", "kept", "conflicts", "removed", "problems")
        return {name: len(getattr(self, name)) for name in names}


def lookup_merge(
    *,
    name: str,
    kind: str,
    package: str,
    description: str,
    columns: Sequence[str],
    rows: Iterable[Any],
    person: Person = None,
    preview: bool = False,
    source: Source = Source.IMPORTED,
) -> MergeResult:
    """Make a lookup, or bring a newer version of its rows; with `preview` nothing is written.

    A row is a list of cells in the order of `columns`, or `{cells, valid_from, valid_until}`, or a dict by column
    name; of a property list also `{name, value, description, kind, choices, required, default, valid_from,
    valid_until}`. Columns it has and the lookup has not are added at the end; the lookup's others stay.
    `source`: whether this is the package's own file or a person's import; each is compared with what it brought last.
    ValidationError on a name, kind or columns that cannot be, ValueError on a row that is none.
    """
    lookup = Lookup.objects.filter(folded=fold_name(name)).first()
    made = lookup is None
    if lookup is None:
        lookup = Lookup(name=name, kind=kind, columns=list(columns))
    elif lookup.kind != kind:
        raise ValidationError(f"{lookup} is a {lookup.get_kind_display().split(':')[0].lower()} here.")
    result = MergeResult(name=lookup.name, lookup=None if made else lookup, made=made)
    result.new_columns = _widen(lookup, columns, made=made)
    lookup.description, lookup.package = description, package
    lookup.clean()
    items = [_item(lookup, columns, row) for row in rows]
    with transaction.atomic():
        here = [] if made else list(lookup.rows.select_for_update(of=("self",)).order_by("position", "pk"))
        steps = _steps(lookup, here, items, source)
        _tell(result, steps)
        if not preview:
            reason = f"Package {package}"
            _write(lookup, steps, result, RowWriter(lookup, source, person=person, reason=reason))
            _remember(lookup, items, source)
    return result


def _widen(lookup: Lookup, columns: Sequence[str], *, made: bool) -> list[str]:
    known = {fold_name(column) for column in lookup.columns}
    fresh = [column for column in columns if fold_name(column) not in known]
    if not made:
        lookup.columns = [*lookup.columns, *fresh]
    return fresh


def _steps(lookup: Lookup, rows: list[Row], items: Sequence[Item], source: Source) -> list[Step]:
    for row in rows:
        row.lookup = lookup
        row.normalise()
    return Merger(lookup, rows, source).steps_of(items)


def _item(lookup: Lookup, columns: Sequence[str], row: Any) -> Item:
    """A package's row, its cells in the order of the lookup's columns."""
    given = row if isinstance(row, dict) else {"cells": row}
    days = {name: given.get(name) for name in ("valid_from", "valid_until")}
    if "cells" in given:
        cells = dict(zip(map(fold_name, columns), given["cells"], strict=False))
    elif lookup.is_properties and "name" in given:
        names = ("name", "value", "description")
        cells = {fold_name(column): given.get(key, "") for column, key in zip(columns, names, strict=False)}
    else:
        cells = {fold_name(str(key)): value for key, value in given.items()}
    ordered = [cells.get(fold_name(column), "") for column in lookup.columns]
    line = Line.of({"cells": ordered, **days}, len(lookup.columns))
    return Item(line, _owned(given) if lookup.is_properties else {})


def _owned(given: dict[str, Any]) -> dict[str, Any]:
    """What the package says of a property's value."""
    return {
        "kind": given.get("kind", Kind.TEXT),
        "choices": given.get("choices", []),
        "required": given.get("required", False),
        "default": given.get("default", ""),
    }


def _tell(result: MergeResult, steps: Iterable[Step]) -> None:
    lists = {
        Do.ADD: result.added,
        Do.UPDATE: result.updated,
        Do.KEEP: result.kept,
        Do.AWAY: result.kept,
        Do.REMOVE: result.removed,
        **dict.fromkeys(CONFLICTS, result.conflicts),
    }
    for step in steps:
        if step.do in lists:
            ours = Line.of_row(step.row) if step.row is not None else None
            theirs = step.item.line if step.item else None
            lists[step.do].append(Merged(step.label, step.do, step.base, ours, theirs))


def _write(lookup: Lookup, steps: Sequence[Step], result: MergeResult, writer: RowWriter) -> None:
    with touch_once():
        if result.made or _differs(lookup):
            lookup.save()
        result.lookup = lookup
        writer.write(steps)
        result.problems, result.followed = writer.problems, writer.followed
        for step in steps:
            if step.do in CONFLICTS:
                conflict_note(lookup=lookup, step=step, package=lookup.package)
        conflicts_settle(rows=[step.row for step in steps if step.row and step.do == Do.SAME])


def _differs(lookup: Lookup) -> bool:
    stored = Lookup.objects.filter(pk=lookup.pk).values("description", "package", "columns").get()
    return any(getattr(lookup, name) != value for name, value in stored.items())


def _remember(lookup: Lookup, items: Sequence[Item], source: Source) -> None:
    """What was brought, for the next merge; other processes need not know."""
    brought = {**lookup.brought, source: [item.line.plain() for item in items]}
    if brought != lookup.brought:
        lookup.brought = brought
        Lookup._base_manager.filter(pk=lookup.pk).update(brought=brought)
