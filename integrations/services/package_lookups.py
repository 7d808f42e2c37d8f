"""Lookups in packages: merged row by row with what people edited here (docs/lookups.md)."""

from typing import Any

from django.core.exceptions import ValidationError

from integrations.services.package_format import LOOKUPS, Entry, Who, shown
from lookups.lines import Line
from lookups.merge import CONFLICTS
from lookups.models import DESCRIPTION, NAME, VALUE, Lookup, Row
from lookups.services import Merged, MergeResult, lookup_merge

MOST_SHOWN = 30  # rows of one lookup in a preview


class LookupProblem(Exception):
    """The lookup cannot be imported; a sentence."""


def lookup_exported(lookup: Lookup) -> dict[str, Any]:
    """A lookup with all its rows."""
    rows = lookup.rows.order_by("position", "pk")
    return {
        "name": lookup.name,
        "kind": lookup.kind,
        "package": lookup.package,
        "description": lookup.description,
        "columns": lookup.columns,
        "rows": [_property(row) if lookup.is_properties else Line.of_row(row).plain() for row in rows],
    }


def _property(row: Row) -> dict[str, Any]:
    line = Line.of_row(row)
    cells = [*line.cells, ""][: DESCRIPTION + 1]
    days = {"valid_from": line.begins, "valid_until": line.ends} if line.begins or line.ends else {}
    return {
        "name": cells[NAME],
        "value": cells[VALUE],
        "description": cells[DESCRIPTION],
        "kind": row.kind,
        "choices": row.choices,
        "required": row.required,
        "default": row.default,
        **days,
    }


def lookup_planned(item: dict[str, Any]) -> Entry:
    """What merging it would change, row by row, and what would wait for a person."""
    entry = Entry(LOOKUPS, item["name"])
    try:
        merged = _merged(item, preview=True)
    except LookupProblem as problem:
        entry.state = "refused"
        entry.problems.append(str(problem))
        return entry
    entry.state = "added" if merged.made else "changed" if merged.changes else "unchanged"
    if merged.made:
        entry.changes.append(("rows", "", str(len(merged.added))))
        return entry
    rows = [*merged.conflicts, *merged.updated, *merged.added, *merged.removed]
    entry.changes = [("new columns", "", ", ".join(merged.new_columns))] if merged.new_columns else []
    entry.changes += [_change(row) for row in rows[:MOST_SHOWN]]
    if merged.reordered:
        entry.changes.append(("order of rows", "", "as in the package"))
    if len(rows) > MOST_SHOWN:
        entry.changes.append((f"and {len(rows) - MOST_SHOWN:,} more rows", "", ""))
    _say(entry, merged)
    return entry


def lookup_written(item: dict[str, Any], who: Who) -> None:
    """Merge it; LookupProblem where it cannot be."""
    _merged(item, preview=False, person=who.person)


def _merged(item: dict[str, Any], *, preview: bool, person: Any = None) -> MergeResult:
    try:
        return lookup_merge(
            name=item["name"],
            kind=item["kind"],
            package=item["package"],
            description=item["description"],
            columns=item["columns"],
            rows=item["rows"],
            person=person,
            preview=preview,
        )
    except ValidationError as error:
        raise LookupProblem("; ".join(error.messages)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise LookupProblem(f"A row of it cannot be read: {error}") from error


def _say(entry: Entry, merged: MergeResult) -> None:
    if merged.conflicts:
        entry.notes.append(
            f"{len(merged.conflicts):,} rows were changed on both sides: they stay as they are here until somebody "
            "decides on the lookup's page"
        )
    if merged.kept:
        entry.notes.append(f"{len(merged.kept):,} rows that were edited here stay as they are")
    entry.notes += merged.problems[:MOST_SHOWN]


def _change(row: Merged) -> tuple[str, str, str]:
    what = f"row {row.label}"
    return (f"{what} (conflict)" if row.what in CONFLICTS else what, _line(row.ours), _line(row.theirs))


def _line(line: Line | None) -> str:
    return shown(" | ".join(line.cells)) if line else ""
