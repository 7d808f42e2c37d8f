"""Which row of a lookup each line of a file is about, and whether properties would then share days."""

from collections.abc import Iterable, Iterator
from typing import Any

from lookups.kinds import cell_of
from lookups.models import NAME, Lookup, Row
from lookups.names import fold_property
from lookups.periods import FROM, VALID, day_of, overlap


class Matcher:
    """Pairs lines with rows by their first cell (a property by its name, in any spelling).

    Of several, the one with the same first day is taken, else the next in order, those valid today first.
    """

    def __init__(self, lookup: Lookup, aliases: dict[str, str], lines: Iterable[dict[str, Any]]) -> None:
        """`lines`: all of the file's, by column name; `aliases`: from a property's folded spelling to its name."""
        self.lookup = lookup
        self.aliases = aliases
        self.waiting: dict[str, list[Row]] = {}
        self._periods: dict[str, list[Row]] = {}
        for row in self._rows():
            self.waiting.setdefault(self.key(row.cells[0] if row.cells else ""), []).append(row)
        self._found = iter(self._paired(list(lines)))

    def next(self) -> Row | None:
        """The row of the next line; None for a new one."""
        return next(self._found, None)

    def key(self, first_cell: str) -> str:
        """What rows are matched by."""
        if not self.lookup.is_properties:
            return first_cell
        folded = fold_property(first_cell)
        return self.aliases.get(folded, folded)

    def left(self) -> list[Row]:
        """Rows that no line is about, in order."""
        rows = [row for waiting in self.waiting.values() for row in waiting]
        return sorted(rows, key=lambda row: (row.position, row.pk))

    def clash(self, row: Row, *, replace: bool) -> str:
        """What is wrong with a property that another line, or a row that stays, has for the same day; "" if nothing."""
        if not self.lookup.is_properties:
            return ""
        key = self.key(row.cells[NAME])
        earlier = self._periods.setdefault(key, [])
        if any(overlap(row.period, other.period) for other in earlier):
            return f"{row.cells[NAME]} is in the file twice" + (
                " for the same days" if any(row.period) else ""
            )
        earlier.append(row)
        stays = [] if replace else self.waiting.get(key, [])
        if any(overlap(row.period, other.period) for other in stays):
            return f"{row.cells[NAME]} has another row for days of this period"
        return ""

    def _rows(self) -> list[Row]:
        rows = list(self.lookup.rows.select_related("lookup"))
        return sorted(rows, key=lambda row: row.validity != VALID) if self.lookup.is_properties else rows

    def _paired(self, lines: list[dict[str, Any]]) -> Iterator[Row | None]:
        keys = [self.key(cell_of(line[self.lookup.columns[NAME]])) for line in lines]
        found: list[Row | None] = [None] * len(lines)
        for exact in (True, False):
            for at, line in enumerate(lines):
                if found[at] is None:
                    found[at] = self._take(keys[at], line, exact=exact)
        return iter(found)

    def _take(self, key: str, line: dict[str, Any], *, exact: bool) -> Row | None:
        waiting = self.waiting.get(key, [])
        for at, row in enumerate(waiting):
            if not exact or (FROM in line and _begins(line) == row.valid_from):
                return waiting.pop(at)
        return None


def _begins(line: dict[str, Any]) -> Any:
    try:
        return day_of(line[FROM])
    except ValueError:  # told when the line is read
        return ""
