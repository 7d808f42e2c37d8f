"""What is wrong with a draft, and where: line and column of its expression, or the nearest point of the target."""

import re
from dataclasses import dataclass
from typing import Any

from integrations.engine.faults import fault_of
from integrations.mapping.errors import MappingError, PointerError
from integrations.mapping.nearest import nearest_point

DRAFT = "draft"  # what the draft is called where evaluations name it
EXPRESSION, POINTER, BASE, OTHER = "expression", "pointer", "base", "other"
_AT = re.compile(r"line (\d+), column (\d+)")
_LINES = re.compile(r"one of lines ([\d, ]+)")


@dataclass(frozen=True, slots=True)
class Trouble:
    """`where`: expression, pointer, base or other (another extension). `nearest`: a pointer that would do,
    None where none is meant; `lines` count from 1, `column` too, 0 where it is not known; `kind`: the fault's title,
    which quotes nothing of the message."""

    where: str
    text: str
    hint: str = ""
    lines: tuple[int, ...] = ()
    column: int = 0
    nearest: str | None = None
    kind: str = "It fails"

    def excerpt(self, expression: str) -> list[dict[str, Any]]:
        """The expression's lines around the place: `number`, `text`, `marked`, and `before` the column."""
        if not self.lines:
            return []
        whole = expression.split("\n")
        shown = {line for one in self.lines for line in (one - 1, one, one + 1) if 0 < line <= len(whole)}
        return [
            {
                "number": line,
                "text": whole[line - 1],
                "marked": line in self.lines,
                "before": re.sub(r"\S", " ", whole[line - 1][: self.column - 1]) if self.column else "",
            }
            for line in sorted(shown)
        ]


def trouble_of(error: Exception, *, where: str, target: Any = None, pointer: str = "") -> Trouble:
    """An error of an evaluation as a person can act on it; `where` it was met, unless it is the pointer's own."""
    fault = fault_of(error)
    if isinstance(error, PointerError) and where == EXPRESSION:
        nearest = nearest_point(target, pointer)
        said = f"The nearest point there is: {nearest or 'the whole target'}."
        return Trouble(POINTER, _plain(fault.text), hint=said, nearest=nearest)
    place = error.place if isinstance(error, MappingError) else ""
    lines, column = _lines_of(place)
    return Trouble(where, _plain(fault.text), fault.hint, lines, column, kind=fault.title)


def _plain(text: str) -> str:
    """The sentence, with its full stop and with the draft called so: it has no name yet."""
    for named in ("The mapping", "The extension"):
        text = text.replace(f"{named} {DRAFT!r}", "The draft", 1)
    return text if text.endswith((".", "!", "?", "`")) else f"{text}."


def _lines_of(place: str) -> tuple[tuple[int, ...], int]:
    """The lines and the column a place names; () and 0 where it names none."""
    if found := _AT.search(place):
        return (int(found[1]),), int(found[2])
    if found := _LINES.search(place):
        return tuple(int(number) for number in found[1].split(",") if number.strip()), 0
    return (), 0
