"""Lookups as a process holds them: loaded once, dropped when their stamp changes.

Stamps are read at most every half second, so an edit anywhere is seen everywhere within one; this process's own
edits are seen at once. Inside a transaction stamps are read each time, as what was seen there may be rolled back.
A table holds the rows that are valid today, and is loaded again when the next of its periods begins or ends.
"""

import difflib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from threading import RLock
from typing import NamedTuple

from django.db import connection

from lookups.errors import LookupFault
from lookups.models import NAME, VALUE, Alias, Lookup, Row, Stamp
from lookups.names import fold_name, fold_property
from lookups.periods import VALID, midnight, next_day, state_on, today
from lookups.stamps import CATALOGUE, own_edits

CHECK_SECONDS = 0.5
ANY = "*"
FIELDS = ("pk", "cells", "default", "valid_from", "valid_until")


class Cells(NamedTuple):
    """A row in memory."""

    cells: list[str]
    default: str
    pk: int = 0


class Span(NamedTuple):
    """The time for which a table's choice of rows holds: seconds since the epoch, the end not included."""

    begins: float
    ends: float


class Index(NamedTuple):
    """From one column's values to another's: as written, and without case."""

    exact: dict[str, str]
    folded: dict[str, str]


class Table:
    """One lookup's rows, with an index for each pair of columns that was asked for."""

    def __init__(
        self, entry: "Entry", rows: list[Cells], aliases: dict[str, str], span: Span | None = None
    ) -> None:
        """`aliases`: from a property's folded spelling to its folded name; `span`: None if no row has a period."""
        self.span = span
        self.name = entry.name
        self.columns = entry.columns
        self._places = {fold_name(column): at for at, column in enumerate(entry.columns)}
        self._aliases = aliases
        self._rows = rows
        self._indexes: dict[tuple[int, int], Index] = {}
        self._properties: dict[str, Cells] = {}
        self.is_properties = entry.is_properties
        if entry.is_properties:
            for row in reversed(rows):
                self._properties[self._property_key(row.cells[NAME])] = row

    def find(self, source_column: str, value: str, target_column: str) -> str | None:
        """The target column's cell of the first row with this value; None if no row has it, or its cell is blank.

        Exact case goes before any case, a row `*` stands for every other value.
        """
        source, target = self.place(source_column), self.place(target_column)
        if self.is_properties and source == NAME:
            row = self.property(value)
            return (row.cells[target] or None) if row else None
        index = self._indexes.get((source, target)) or self._make_index(source, target)
        found = index.exact.get(value) or index.folded.get(value.casefold())
        return found or index.exact.get(ANY)

    def place(self, column: str) -> int:
        """Which column a name means; LookupFault if none."""
        place = self._places.get(fold_name(column))
        if place is None:
            raise LookupFault(
                f"Lookup {self.name} has no column {column!r}",
                lookup=self.name,
                column=column,
                hint=f"It has {', '.join(self.columns)}.",
            )
        return place

    def property(self, name: str) -> Cells | None:
        """A property's row, under any of its spellings."""
        return self._properties.get(self._property_key(name))

    def rows(self) -> list[list[str]]:
        """The cells of every row that is valid, in order; not to be changed."""
        return [row.cells for row in self._rows]

    def entries(self) -> list[Cells]:
        """As `rows`, with the rows' numbers."""
        return self._rows

    def near(self, name: str) -> str:
        """A hint with the names of properties that look like this one; "" if none does."""
        known = {fold_property(row.cells[NAME]): row.cells[NAME] for row in self._rows}
        return _did_you_mean(fold_property(name), known)

    def value_column(self) -> str:
        """The column that holds a property's value."""
        return self.columns[VALUE]

    def _property_key(self, name: str) -> str:
        folded = fold_property(name)
        return self._aliases.get(folded, folded)

    def _make_index(self, source: int, target: int) -> Index:
        index = Index({}, {})
        for row in self._rows:
            if row.cells[target]:
                index.exact.setdefault(row.cells[source], row.cells[target])
                index.folded.setdefault(row.cells[source].casefold(), row.cells[target])
        self._indexes[source, target] = index
        return index


@dataclass(frozen=True, slots=True)
class Entry:
    """A lookup in the catalogue."""

    pk: int
    name: str
    is_properties: bool
    columns: list[str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The lookups by folded name, and the aliases, both sides folded."""

    entries: dict[str, Entry]
    names: dict[str, str]
    properties: dict[str, str]

    @classmethod
    def load(cls) -> "Catalogue":
        """From the database."""
        rows = Lookup.objects.values_list("folded", "pk", "name", "kind", "columns")
        entries = {
            folded: Entry(pk, name, kind == Lookup.Form.PROPERTIES, columns)
            for folded, pk, name, kind, columns in rows
        }
        aliases = list(Alias.objects.values_list("of", "folded", "meaning"))
        names = {key: fold_name(meaning) for of, key, meaning in aliases if of == Alias.Of.LOOKUP}
        properties = {key: fold_property(meaning) for of, key, meaning in aliases if of == Alias.Of.PROPERTY}
        return cls(entries, names, properties)

    def entry(self, name: str) -> Entry:
        """The lookup a name means; LookupFault if none."""
        folded = fold_name(name)
        found = self.entries.get(folded) or self.entries.get(self.names.get(folded, ""))
        if found is None:
            known = {key: entry.name for key, entry in self.entries.items()}
            hint = _did_you_mean(folded, known) or "Make or import it under Lookups."
            raise LookupFault(f"There is no lookup {name!r}", lookup=name, hint=hint)
        return found


class Cache:
    """What one process knows of the lookups; thread-safe."""

    def __init__(
        self,
        *,
        check_seconds: float = CHECK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        edits: Callable[[], int] = own_edits,
    ) -> None:
        """`edits`: a number that grows with each edit this process makes."""
        self._check_seconds = check_seconds
        self._clock = clock
        self._edits = edits
        self._lock = RLock()
        self._checked: tuple[float, int] | None = None
        self._stamps: dict[str, str] = {}
        self._catalogue: tuple[str, Catalogue] | None = None
        self._tables: dict[int, tuple[str, Table]] = {}

    def table(self, name: str) -> Table:
        """The lookup of this name, as it was at most half a second ago; LookupFault if there is none."""
        with self._lock:
            self._look()
            catalogue = self._current_catalogue()
            entry = catalogue.entry(name)
            stamp = self._stamps.get(str(entry.pk), "")
            known = self._tables.get(entry.pk)
            if known is None or known[0] != stamp or not _current(known[1].span):
                known = (stamp, _load_table(entry, catalogue.properties))
                self._tables[entry.pk] = known
            return known[1]

    def _look(self) -> None:
        now, edits = self._clock(), self._edits()
        if self._checked is not None and not connection.in_atomic_block:
            checked, seen = self._checked
            if seen == edits and now - checked < self._check_seconds:
                return
        self._stamps = dict(Stamp.objects.values_list("subject", "value"))
        # What a transaction saw may be rolled back: the next look outside it must not rely on it.
        self._checked = None if connection.in_atomic_block else (now, edits)

    def _current_catalogue(self) -> Catalogue:
        stamp = self._stamps.get(CATALOGUE, "")
        if self._catalogue is None or self._catalogue[0] != stamp:
            self._catalogue = (stamp, Catalogue.load())
            self._tables.clear()
        return self._catalogue[1]


def table_on(name: str, day: date) -> Table:
    """A lookup as it answers on a day, read for this once; LookupFault if there is none."""
    catalogue = Catalogue.load()
    return _load_table(catalogue.entry(name), catalogue.properties, day)


def _current(span: Span | None) -> bool:
    return span is None or span.begins <= time.time() < span.ends


def _load_table(entry: Entry, aliases: dict[str, str], day: date | None = None) -> Table:
    """The rows valid on a day (today). Those with a period come before those without: an exception beats the rule."""
    width, day = len(entry.columns), day or today()
    stored = Row.objects.filter(lookup_id=entry.pk).order_by("position", "pk")
    rows: list[Cells] = []
    first: list[Cells] = []
    turns = {date.min, date.max}
    for pk, cells, default, begins, ends in stored.values_list(*FIELDS):
        row = Cells([*cells, *[""] * width][:width], default, pk)
        if begins is ends is None:
            rows.append(row)
            continue
        turns |= {begins or date.min, next_day(ends or date.max)}
        if state_on(day, begins, ends) == VALID:
            first.append(row)
    span = _span(day, turns) if len(turns) > 2 else None  # noqa: PLR2004  (the two ends of time)
    return Table(entry, first + rows, aliases, span)


def _span(day: date, turns: set[date]) -> Span:
    """From the latest turn that has been to the first that is to come."""
    begins = max(turn for turn in turns if turn <= day)
    ends = min((turn for turn in turns if turn > day), default=date.max)
    return Span(
        float("-inf") if begins == date.min else midnight(begins),
        float("inf") if ends == date.max else midnight(ends),
    )


def _did_you_mean(folded: str, known: dict[str, str]) -> str:
    near: Iterable[str] = difflib.get_close_matches(folded, known, n=3, cutoff=0.75)
    names = [known[key] for key in near]
    return f"Did you mean {' or '.join(names)}?" if names else ""


lookups = Cache()
