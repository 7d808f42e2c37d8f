"""A row as packages and merges see it: its cells and its two days, as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from lookups.kinds import cell_of
from lookups.models import VALUE, Row
from lookups.periods import day_of, day_text


class Source(StrEnum):
    """Who brings a package's rows: its own file after each migrate, or a person who imports a package."""

    SHIPPED = "shipped"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Line:
    """Cells, as many as the lookup has columns, and the first and the last day ("" for an open end)."""

    cells: tuple[str, ...]
    begins: str = ""
    ends: str = ""

    @classmethod
    def of(cls, value: Any, width: int) -> Self:
        """From a list of cells or `{cells, valid_from, valid_until}`; ValueError on a day that is none."""
        given = value if isinstance(value, dict) else {"cells": value}
        cells = [cell_of(cell) for cell in [*given["cells"], *[""] * width][:width]]
        begins, ends = (day_text(day_of(given.get(name))) for name in ("valid_from", "valid_until"))
        return cls(tuple(cells), begins, ends)

    @classmethod
    def of_row(cls, row: Row) -> Self:
        """A row as it is now."""
        return cls(tuple(row.cells), day_text(row.valid_from), day_text(row.valid_until))

    def plain(self) -> list[str] | dict[str, Any]:
        """As a JSON column keeps it: cells alone where there are no days."""
        if not (self.begins or self.ends):
            return list(self.cells)
        return {"cells": list(self.cells), "valid_from": self.begins, "valid_until": self.ends}

    def values(self) -> list[str]:
        """The cells and then the two days."""
        return [*self.cells, self.begins, self.ends]

    def onto(self, row: Row) -> None:
        """Give a row these cells and days."""
        row.cells = list(self.cells)
        row.valid_from, row.valid_until = day_of(self.begins), day_of(self.ends)


def sites_part(line: Line, *, properties: bool) -> tuple[str, ...]:
    """What of a line a site decides: all of a table's; of a property the value and the days, the rest follows."""
    values = line.values()
    return (values[VALUE], *values[-2:]) if properties else tuple(values)


def same(first: Line, second: Line, *, properties: bool) -> bool:
    """Whether two lines say the same, as far as it is the site's."""
    return sites_part(first, properties=properties) == sites_part(second, properties=properties)


def base_of(row: Row, source: Source, width: int) -> Line | None:
    """What a source last brought for a row; an import counts from the package's own where it brought none."""
    stored = row.shipped if source == Source.SHIPPED else row.imported or row.shipped
    return None if stored is None else Line.of(stored, width)


def lines_of(stored: Sequence[Any], width: int) -> list[Line]:
    """The lines of a JSON list."""
    return [Line.of(one, width) for one in stored]
