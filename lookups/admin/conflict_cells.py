"""A merge conflict cell by cell: the three versions, what is chosen, and the line that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from lookups.kinds import cell_of
from lookups.lines import Line
from lookups.models import DESCRIPTION, NAME, RowConflict
from lookups.periods import FROM, UNTIL, day_of, day_text
from lookups.services.conflicts import line_in, ours_now


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a conflict; `chosen_here`: whether the two sides differ in it and a person is to choose."""

    at: int
    column: str
    base: str
    ours: str
    theirs: str
    decided: str
    chosen_here: bool
    choice: str  # ours, theirs, own, or "" while nothing is chosen
    own: str

    @property
    def differs(self) -> bool:
        """Whether the two sides have different texts."""
        return self.ours != self.theirs


def cells_of(conflict: RowConflict, now: Line | None, posted: Mapping[str, str]) -> list[Cell]:
    """Each column, and the two days if any side has one; what was posted stays chosen.

    Where one side alone changed since the package's last version, that side is chosen to begin with.
    """
    columns = [*conflict.lookup.columns, FROM, UNTIL]
    sides = {name: line_in(conflict, name) for name in ("base", "theirs", "decided")} | {"ours": now}
    values = {name: line.values() if line else [""] * len(columns) for name, line in sides.items()}
    found = []
    for at, column in enumerate(columns):
        if at >= len(columns) - 2 and not any(values[name][at] for name in values):
            continue
        base, ours, theirs = (values[name][at] for name in ("base", "ours", "theirs"))
        found.append(
            Cell(
                at=at,
                column=column,
                base=base,
                ours=ours,
                theirs=theirs,
                decided=values["decided"][at],
                chosen_here=ours != theirs and not _follows(conflict, at),
                choice=posted.get(f"choice_{at}", _default(conflict, base, ours, theirs)),
                own=posted.get(f"own_{at}", ours),
            )
        )
    return found


def _follows(conflict: RowConflict, at: int) -> bool:
    """A property's name and description are the package's."""
    return conflict.lookup.is_properties and at in (NAME, DESCRIPTION)


def _default(conflict: RowConflict, base: str, ours: str, theirs: str) -> str:
    if conflict.base is None:
        return ""
    return "theirs" if ours == base else "ours" if theirs == base else ""


def chosen_line(conflict: RowConflict, posted: Mapping[str, str]) -> Line | None:
    """The line that was posted: all of one side (`whole`), or cell by cell; None for no row.

    ValueError is a sentence about a column without a choice, or a day that is none.
    """
    whole, now = posted.get("whole", ""), ours_now(conflict)
    theirs = line_in(conflict, "theirs")
    if whole == "ours" or now is None:
        return theirs if whole == "theirs" else now
    if whole == "theirs" and theirs is None:
        return None
    values = now.values()
    for cell in cells_of(conflict, now, posted):
        if cell.chosen_here:
            values[cell.at] = cell.theirs if whole == "theirs" else _chosen(cell)
    return Line(tuple(values[:-2]), values[-2], values[-1])


def _chosen(cell: Cell) -> str:
    if cell.choice not in ("ours", "theirs", "own"):
        raise ValueError(f"Choose what shall stand for {cell.column}.")
    text: str = {"ours": cell.ours, "theirs": cell.theirs, "own": cell_of(cell.own)}[cell.choice]
    if cell.column not in (FROM, UNTIL):
        return text
    try:
        return day_text(day_of(text))
    except ValueError as error:
        raise ValueError(f"{cell.column} {error}.") from None
