"""A lookup at two times, or beside what its package brought."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from lookups.lines import Line, Source, lines_of
from lookups.models import Lookup, Row

MOST_CHANGES = 200_000  # of one lookup's history, read for a past state
PACKAGE = "package"
SAME, CHANGED, ONLY_LEFT, ONLY_RIGHT = "same", "changed", "only left", "only right"
Side: TypeAlias = datetime | str | None  # a time, PACKAGE, or None for now
Key: TypeAlias = tuple[str, int]
Placed: TypeAlias = dict[Key, tuple[int, Line]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A row on both sides; None where it is not there."""

    state: str
    left: Line | None
    right: Line | None


def lookup_compare(*, lookup: Lookup, left: Side, right: Side = None) -> list[Compared]:
    """Every row of either side, in the right side's order; a row is the same one if it has the same number."""
    here, there = _side(lookup, left), _side(lookup, right)
    order = {
        **{key: place for key, (place, _) in here.items()},
        **{key: at for key, (at, _) in there.items()},
    }
    return [
        _compared(here.get(key), there.get(key)) for key in sorted(order, key=lambda key: (order[key], key))
    ]


def _compared(left: tuple[int, Line] | None, right: tuple[int, Line] | None) -> Compared:
    first, second = (left[1] if left else None), (right[1] if right else None)
    if first is None or second is None:
        return Compared(ONLY_RIGHT if first is None else ONLY_LEFT, first, second)
    return Compared(SAME if first == second else CHANGED, first, second)


def _side(lookup: Lookup, side: Side) -> Placed:
    if side is None:
        return {("row", row.pk): (row.position, _line(lookup, row)) for row in lookup.rows.all()}
    if isinstance(side, datetime):
        return _past(lookup, side)
    return _brought(lookup, lookup.rows.all())


def _line(lookup: Lookup, row: Row) -> Line:
    state = row.state()
    return Line.of(state, len(lookup.columns))


def _past(lookup: Lookup, at: datetime) -> Placed:
    """From each row's last change until then; rows that were deleted by then are left out."""
    changes = Row.history.filter(lookup_id=lookup.pk, history_date__lte=at).order_by(
        "id", "-history_date", "-history_id"
    )
    names = ("id", "history_type", "position", "cells", "valid_from", "valid_until")
    found: Placed = {}
    last = None
    for key, kind, position, cells, begins, ends in changes.values_list(*names)[:MOST_CHANGES].iterator():
        if key != last and kind != "-":
            given = {"cells": cells, "valid_from": begins, "valid_until": ends}
            found["row", key] = (position, Line.of(given, len(lookup.columns)))
        last = key
    return found


def _brought(lookup: Lookup, rows: Iterable[Row]) -> Placed:
    """What the package last brought: for rows that came from it, and for those that are not here any more."""
    width = len(lookup.columns)
    stored = lookup.brought.get(Source.SHIPPED) or lookup.brought.get(Source.IMPORTED) or []
    waiting = lines_of(stored, width)
    found: Placed = {}
    for row in rows:
        brought = row.shipped if row.shipped is not None else row.imported
        if brought is not None:
            line = Line.of(brought, width)
            found["row", row.pk] = (row.position, line)
            if line in waiting:
                waiting.remove(line)
    last = max((place for place, _ in found.values()), default=0)
    return found | {("gone", at): (last + at, line) for at, line in enumerate(waiting, 1)}
