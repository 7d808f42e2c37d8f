"""A small map drawn here: tickets as dots, service delivery points, the incident; nothing is asked of other servers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.admin.map_scale import Units, distance, lines, round_down, round_up, units_of

WIDTH, HEIGHT, EDGE = 480.0, 320.0, 38.0
NARROWEST = 250.0  # metres across: one point alone is shown with its neighbourhood
APART = 9.0  # between dots that share a place
TOGETHER = 12  # dots that are drawn around one place; more become one with their number
BAR = 110.0  # the scale bar is no longer
GRID = 75.0  # between grid lines, at least
REACHED_BY_TAB = 30  # dots; of more the tables beneath have the links
_TURN = math.pi * (3 - math.sqrt(5))  # between one dot and the next around a place, as sunflowers have it


@dataclass(frozen=True, slots=True)
class Place:
    """Something on the map. `kind`: customer, landbase, location, unlocated, point or incident."""

    x: float
    y: float
    kind: str
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place as it is drawn; `number`: how many it stands for, where it is more than one."""

    x: str
    y: str
    kind: str
    title: str
    link: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class GridLine:
    """A line of the graticule, `at` so far from the left or the top."""

    at: str
    label: str


@dataclass(slots=True)
class Drawn:
    """What the template draws."""

    marks: list[Mark]
    meridians: list[GridLine]
    parallels: list[GridLine]
    bar: str
    bar_length: str
    about: str
    counts: list[tuple[str, str, int]]
    width: float = WIDTH
    height: float = HEIGHT
    tab: bool = True
    rings: list[Mark] = field(default_factory=list)
    points: list[Mark] = field(default_factory=list)


_NAMES = {
    "customer": "Customer ticket",
    "landbase": "Landbase ticket",
    "location": "Location ticket",
    "unlocated": "Unlocated ticket",
    "point": "Service delivery point",
    "incident": "Where the incident was opened",
}


class _View:
    """From coordinates to the drawing's: north is up, both directions to the same scale."""

    def __init__(self, places: Sequence[Place], units: Units) -> None:
        xs, ys = [place.x for place in places], [place.y for place in places]
        self.units = units
        self.middle = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
        self.metres = units.metres_at(self.middle[1])
        self.across = (max(xs) - min(xs)) * self.metres[0], (max(ys) - min(ys)) * self.metres[1]
        inner = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
        # Drawing units a metre.
        self.scale = min(room / max(span, NARROWEST) for room, span in zip(inner, self.across, strict=True))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is drawn."""
        east = (x - self.middle[0]) * self.metres[0] * self.scale
        north = (y - self.middle[1]) * self.metres[1] * self.scale
        return WIDTH / 2 + east, HEIGHT / 2 - north

    def grid(self, *, east: bool) -> list[GridLine]:
        """The lines of one direction."""
        axis, size = (0, WIDTH) if east else (1, HEIGHT)
        unit = self.metres[axis] * self.scale  # drawing units a unit of the model
        half, step = size / 2 / unit, round_up(GRID / unit)
        low, high = self.middle[axis] - half, self.middle[axis] + half
        if self.units.degrees:  # the view of the whole earth has room beyond the poles, where nothing is
            end = 180.0 if east else 90.0
            low, high = max(low, -end), min(high, end)
        found = lines(low, high, step)
        return [
            GridLine(
                _text(self.at(value, self.middle[1])[0] if east else self.at(self.middle[0], value)[1]),
                self.units.label(value, step, east=east),
            )
            for value in found
        ]


def draw(places: Sequence[Place], projection: str, *, more: str = "") -> Drawn | None:
    """The map of these places, of which later ones lie on top; None where none has coordinates.

    `more`: where a dot leads that stands for more tickets than can be told apart.
    """
    there = [place for place in places if math.isfinite(place.x) and math.isfinite(place.y)]
    if not there:
        return None
    view = _View(there, units_of(projection))
    bar = round_down(BAR / view.scale)
    tickets = [place for place in there if place.kind not in ("point", "incident")]
    marks = _spread(tickets, view, more)
    return Drawn(
        marks=marks,
        meridians=view.grid(east=True),
        parallels=view.grid(east=False),
        bar=distance(bar),
        bar_length=_text(bar * view.scale),
        about=_about(tickets, view),
        counts=_counts(there),
        tab=len(marks) <= REACHED_BY_TAB,
        rings=[_mark(place, *view.at(place.x, place.y)) for place in there if place.kind == "incident"],
        points=[_mark(place, *view.at(place.x, place.y)) for place in there if place.kind == "point"],
    )


def _spread(places: Sequence[Place], view: _View, more: str) -> list[Mark]:
    """Dots of which none hides another: those of one place stand around it."""
    groups: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        x, y = view.at(place.x, place.y)
        groups.setdefault((round(x / APART), round(y / APART)), []).append(place)
    return [mark for group in groups.values() for mark in _group(group, view, more)]


def _group(group: list[Place], view: _View, more: str) -> list[Mark]:
    x, y = view.at(group[0].x, group[0].y)
    if len(group) > TOGETHER:
        kinds = {place.kind for place in group}
        kind = kinds.pop() if len(kinds) == 1 else "mixed"
        return [Mark(_text(x), _text(y), kind, f"{len(group)} tickets at this place", more, len(group))]
    if len(group) == 1:
        return [_mark(group[0], x, y)]
    return [
        _mark(
            place,
            x + APART * math.sqrt(at) * math.cos(at * _TURN),
            y + APART * math.sqrt(at) * math.sin(at * _TURN),
        )
        for at, place in enumerate(group)
    ]


def _mark(place: Place, x: float, y: float) -> Mark:
    return Mark(_text(x), _text(y), place.kind, place.title, place.link)


def _text(number: float) -> str:
    return f"{number:.1f}"


def _counts(places: Sequence[Place]) -> list[tuple[str, str, int]]:
    """Kind, what it is called, how many: the legend."""
    found = [(kind, name, sum(place.kind == kind for place in places)) for kind, name in _NAMES.items()]
    return [one for one in found if one[2]]


def _about(tickets: Sequence[Place], view: _View) -> str:
    """The map in words."""
    east, north = view.middle
    where = ", ".join(
        (view.units.label(north, 0.0001, east=False), view.units.label(east, 0.0001, east=True))
        if view.units.degrees
        else (f"x {east:.0f}", f"y {north:.0f}")
    )
    wide, high = (distance(float(f"{max(span, 1.0):.2g}")) for span in view.across)
    spread = f" They lie within {wide} by {high}." if max(view.across) >= 1 else ""
    number = f"{len(tickets)} ticket{'' if len(tickets) == 1 else 's'}"
    return f"{number} around {where}.{spread} North is up."
