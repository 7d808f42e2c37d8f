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
from lookups.services.conflicts import conflicts_note, conflicts_settle
from lookups.services.merge_columns import COLUMNS, Fit, columns_fit
from lookups.services.merge_order import is_ordered, order_is_theirs, rows_ordered, rows_renumber
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
    reordered: bool = False  # rows that were here come in another order
    followed: int = 0  # properties whose description or kind follows the package, while their value stays
    problems: list[str] = field(default_factory=list)  # rows that stay as they were, and why: sentences

    @property
    def changes(self) -> bool:
        """Whether anything is other than before."""
        found = (self.added, self.updated, self.removed, self.conflicts, self.new_columns)
        return self.made or self.reordered or any(found)

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
    valid_until}`. Columns it has and the lookup has not are added at the end; the lookup's others stay, and one that
    was renamed here is still the package's.
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
    fit = columns_fit(lookup, columns, source)
    result.new_columns = fit.fresh
    lookup.description, lookup.package = description, package
    lookup.clean()
    items = [_item(lookup, fit, row) for row in rows]
    with transaction.atomic():
        here = [] if made else list(lookup.rows.select_for_update(of=("self",)).order_by("position", "pk"))
        steps = _steps(lookup, here, items, source)
        _tell(result, steps)
        theirs = not made and order_is_theirs(lookup, items, source)
        result.reordered = theirs and not is_ordered(rows_ordered(here, steps))
        writer = RowWriter(lookup, source, person=person, reason=f"Package {package}", quiet=preview)
        if not preview:
            _write(lookup, steps, result, writer, here if theirs else None)
            _remember(lookup, items, fit, source)
        elif lookup.is_properties:
            _try(lookup, steps, result, writer)
    return result


def _steps(lookup: Lookup, rows: list[Row], items: Sequence[Item], source: Source) -> list[Step]:
    for row in rows:
        row.lookup = lookup
        row.normalise()
    return Merger(lookup, rows, source).steps_of(items)


def _item(lookup: Lookup, fit: Fit, row: Any) -> Item:
    """A package's row, its cells in the order of the lookup's columns."""
    given = row if isinstance(row, dict) else {"cells": row}
    days = {name: given.get(name) for name in ("valid_from", "valid_until")}
    if "cells" in given:
        cells = dict(zip(fit.places, given["cells"], strict=False))
    elif lookup.is_properties and "name" in given:
        names = ("name", "value", "description")
        cells = {column: given.get(key, "") for column, key in zip(fit.places, names, strict=False)}
    else:
        cells = {fold_name(str(key)): value for key, value in given.items()}
    line = Line.of({"cells": fit.ordered(cells), **days}, fit.width)
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


def _write(
    lookup: Lookup,
    steps: Sequence[Step],
    result: MergeResult,
    writer: RowWriter,
    reorder: list[Row] | None,
) -> None:
    """`reorder`: the rows as they were, where theirs is the order to be."""
    with touch_once():
        if result.made or _differs(lookup):
            lookup.save()
        result.lookup = lookup
        writer.write(steps)
        if reorder is not None:
            rows_renumber(lookup, rows_ordered(reorder, steps, writer.made))
        result.problems, result.followed = writer.problems, writer.followed
        found = [step for step in steps if step.do in CONFLICTS]
        conflicts_note(lookup=lookup, steps=found, source=writer.source)
        conflicts_settle(rows=[step.row for step in steps if step.row and step.do == Do.SAME])


def _try(lookup: Lookup, steps: Sequence[Step], result: MergeResult, writer: RowWriter) -> None:
    """What only writing shows of a property list, as periods that share a day; all of it is taken back."""
    with transaction.atomic():
        with touch_once():
            if result.made:
                lookup.save()
            writer.write(steps)
        transaction.set_rollback(True)
    result.problems, result.followed = writer.problems, writer.followed


def _differs(lookup: Lookup) -> bool:
    stored = Lookup.objects.filter(pk=lookup.pk).values("description", "package", "columns").get()
    return any(getattr(lookup, name) != value for name, value in stored.items())


def _remember(lookup: Lookup, items: Sequence[Item], fit: Fit, source: Source) -> None:
    """What was brought, for the next merge; other processes need not know."""
    lines = [item.line.plain() for item in items]
    brought = {**lookup.brought, source: lines, COLUMNS: fit.remembered(lookup, source)}
    if brought != lookup.brought:
        lookup.brought = brought
        Lookup._base_manager.filter(pk=lookup.pk).update(brought=brought)
