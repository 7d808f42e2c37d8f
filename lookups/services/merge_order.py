"""The order of rows after a merge: of several with one first cell the first answers, so it counts."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from django.db import models

from lookups.lines import Source
from lookups.merge import Do, Item, Step
from lookups.models import Lookup, Row
from lookups.stamps import touch

BATCH = 100  # a longer CASE takes longer than two short ones
_plain: models.QuerySet[Row] = models.QuerySet(Row)  # touches no stamps row by row


def order_is_theirs(lookup: Lookup, items: Sequence[Item], source: Source) -> bool:
    """Whether rows are put in the order they come in: always for a person's import (which restores a backup so).

    For the package's own file only where it changed, so that a table replaced by a program keeps its order.
    """
    if source == Source.IMPORTED:
        return True
    return source in lookup.brought and lookup.brought[source] != [item.line.plain() for item in items]


def rows_ordered(
    here: Sequence[Row], steps: Iterable[Step], made: Iterable[tuple[Step, Row]] = ()
) -> list[Row]:
    """The package's rows in its order; every other row stays behind the one it followed.

    `here`: the rows before the merge, in order; `made`: those it added.
    """
    steps = list(steps)
    new = {id(step): row for step, row in made}
    rows = ((step, step.row or new.get(id(step))) for step in steps)
    came = [row for step, row in rows if row is not None and step.item is not None]
    removed = {id(step.row) for step in steps if step.do == Do.REMOVE}
    known = {id(row) for row in came}
    behind: dict[int | None, list[Row]] = {}
    last = None
    for row in here:
        if id(row) in known:
            last = id(row)
        elif id(row) not in removed:
            behind.setdefault(last, []).append(row)
    return [*behind.get(None, ()), *(one for row in came for one in (row, *behind.get(id(row), ())))]


def is_ordered(rows: Iterable[Row]) -> bool:
    """Whether stored rows are in this order already."""
    return all((one.position, one.pk) < (two.position, two.pk) for one, two in pairwise(rows))


def rows_renumber(lookup: Lookup, rows: Sequence[Row]) -> None:
    """Give stored rows this order; their values stay, so there is no history of it."""
    if is_ordered(rows):
        return
    moved = []
    for at, row in enumerate(rows, 1):
        if row.position != at:
            row.position = at
            moved.append(row)
    _plain.bulk_update(moved, ["position"], batch_size=BATCH)
    touch([str(lookup.pk)])
