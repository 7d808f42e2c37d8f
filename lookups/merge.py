"""Three-way merge of a lookup's rows: what the package last brought, what is here now, what it brings now.

Nothing is written here: `steps_of` says what is to be done with each row, `lookups.services.merge` does it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lookups.lines import Line, Source, base_of, lines_of, same
from lookups.models import NAME, Lookup, Row
from lookups.names import fold_property


class Do(StrEnum):
    """What becomes of a row."""

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    KEEP = "keep"  # ours differs, the package's is what it was
    SAME = "same"
    AWAY = "away"  # deleted here, and the package's is what it was
    CHANGED = "changed"  # this and the following: conflicts, named as `RowConflict.Kind`
    ADDED = "added"
    REMOVED = "removed"
    DELETED = "deleted"


CONFLICTS = (Do.CHANGED, Do.ADDED, Do.REMOVED, Do.DELETED)


@dataclass(frozen=True, slots=True)
class Item:
    """A package's row; `owned`: what it says of a property's value (kind, choices, required, default)."""

    line: Line
    owned: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with a row (None where there is none here), and the three lines it follows from."""

    do: Do
    row: Row | None
    item: Item | None
    base: Line | None

    @property
    def label(self) -> str:
        """The first cell, as people know the row."""
        line = self.item.line if self.item else self.base
        return (str(self.row) if self.row is not None else "") or (line.cells[NAME] if line else "")


class Merger:
    """Pairs the rows of a lookup with those of a package, and says what is to be done with each."""

    def __init__(self, lookup: Lookup, rows: Sequence[Row], source: Source) -> None:
        """`rows`: all of the lookup's, in order; none for a lookup that is not there yet."""
        self.properties = lookup.is_properties
        self.width = len(lookup.columns)
        self.source = source
        self.rows = list(rows)
        self.bases = {id(row): base_of(row, source, self.width) for row in rows}
        brought = lookup.brought.get(source) or lookup.brought.get(Source.SHIPPED) or []
        self.brought = lines_of(brought, self.width)
        self.given: set[int] = set()
        self.away = set() if brought else set(lookup.shipped)

    def steps_of(self, items: Sequence[Item]) -> list[Step]:
        """A step for each of the package's rows in order, then for each row it has no more."""
        pairs = self._pairs(items)
        for at, row in pairs.items():
            self._forget(self.bases[id(row)] or items[at].line)
        steps = [
            self._both(pairs[at], item) if at in pairs else self._missing(item)
            for at, item in enumerate(items)
        ]
        taken = {id(step.row) for step in steps if step.row is not None}
        return steps + [step for row in self.rows if id(row) not in taken and (step := self._gone(row))]

    # -- pairing -----------------------------------------------------------------------------------------

    def _pairs(self, items: Sequence[Item]) -> dict[int, Row]:
        """From an item's place to its row: those unchanged since first, then by first day, then in order."""
        found: dict[int, Row] = {}
        waiting = [row for row in self.rows if self.properties or self.bases[id(row)]]
        tests: tuple[Callable[[Row, Item], bool], ...] = (
            lambda row, item: self.bases[id(row)] == item.line,
            lambda row, item: self._begins(row) == item.line.begins,
            lambda row, item: True,
        )
        for test in tests:
            by_key = self._by_key(waiting)
            for at, item in enumerate(items):
                if at in found:
                    continue
                fitting = [row for row in by_key.get(self._key(item.line), []) if test(row, item)]
                if fitting:
                    found[at] = fitting[0]
                    by_key[self._key(item.line)].remove(fitting[0])
            paired = {id(row) for row in found.values()}
            waiting = [row for row in waiting if id(row) not in paired]
        return found | self._alike([at for at in range(len(items)) if at not in found], items)

    def _alike(self, places: Iterable[int], items: Sequence[Item]) -> dict[int, Row]:
        """Rows of a table made here that say exactly what an item does: those are no conflict with another one."""
        own: dict[Line, list[Row]] = {}
        for row in [] if self.properties else reversed(self.rows):
            if self.bases[id(row)] is None:
                own.setdefault(Line.of_row(row), []).append(row)
        found = {at: own[items[at].line].pop() for at in places if own.get(items[at].line)}
        self.given |= {id(row) for row in found.values()}
        return found

    def _by_key(self, rows: Iterable[Row]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in rows:
            base = None if self.properties else self.bases[id(row)]
            found.setdefault(self._key(base or Line.of_row(row)), []).append(row)
        return found

    def _key(self, line: Line) -> str:
        return fold_property(line.cells[NAME]) if self.properties else line.cells[NAME]

    def _begins(self, row: Row) -> str:
        base = self.bases[id(row)]
        return base.begins if base else Line.of_row(row).begins

    def _forget(self, base: Line | None) -> None:
        if base in self.brought:
            self.brought.remove(base)

    # -- what to do --------------------------------------------------------------------------------------

    def _both(self, row: Row, item: Item) -> Step:
        base, ours = self.bases[id(row)], Line.of_row(row)
        if self._same(ours, item.line):
            do = Do.SAME
        elif base is None:
            do = Do.ADDED
        elif self._same(ours, base):
            do = Do.UPDATE
        else:
            do = Do.KEEP if self._same(base, item.line) else Do.CHANGED
        return Step(do, row, item, base)

    def _missing(self, item: Item) -> Step:
        """No row of ours came from this one: it is new, or was deleted here, or was made here too."""
        if self.properties:
            return Step(Do.ADD, None, item, None)
        key = self._key(item.line)
        if item.line in self.brought or key in self.away:
            self._forget(item.line)
            return Step(Do.AWAY, None, item, item.line)
        own = self._own(key)
        if own is not None:
            return self._both(own, item)
        base = next((line for line in self.brought if self._key(line) == key), None)
        self._forget(base)
        return Step(Do.DELETED if base else Do.ADD, None, item, base)

    def _own(self, key: str) -> Row | None:
        """A row made here that has this first cell; each is given once."""
        for row in self.rows:
            if id(row) not in self.given and self.bases[id(row)] is None and row.cells[NAME] == key:
                self.given.add(id(row))
                return row
        return None

    def _gone(self, row: Row) -> Step | None:
        """A row the package had and has no more; those it never had are nobody's business."""
        stored = row.shipped if self.source == Source.SHIPPED else row.imported
        if stored is None:
            return None
        base = Line.of(stored, self.width)
        return Step(Do.REMOVE if self._same(Line.of_row(row), base) else Do.REMOVED, row, None, base)

    def _same(self, first: Line, second: Line) -> bool:
        return same(first, second, properties=self.properties)
