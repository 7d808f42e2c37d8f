"""How large things on a map are: metres of a projection's units, round distances, grid lines, names of places."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pyproj import CRS
from pyproj.exceptions import CRSError

METRES_A_DEGREE = 111_320.0
_STEEPEST = 0.05  # cosine of a latitude close to a pole, where a degree of longitude is next to nothing


@dataclass(frozen=True, slots=True)
class Units:
    """What the model's coordinates are: degrees, or a length of so many metres."""

    degrees: bool
    metres: float = 1.0

    def metres_at(self, y: float) -> tuple[float, float]:
        """Metres that a unit of x and one of y are at this height."""
        if not self.degrees:
            return self.metres, self.metres
        narrow = max(math.cos(math.radians(max(-90.0, min(90.0, y)))), _STEEPEST)
        return METRES_A_DEGREE * narrow, METRES_A_DEGREE

    def label(self, value: float, step: float, *, east: bool) -> str:
        """A coordinate as a grid line is named, with no more places than its distance to the next needs."""
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        if not self.degrees:
            return f"{value:.{places}f}"
        letter = ("EW" if east else "NS")[value < 0] if abs(value) > step / 2 else ""
        return f"{abs(value):.{places}f}° {letter}".strip()


@lru_cache(maxsize=32)
def units_of(projection: str) -> Units:
    """The units of a projection; metres for one that PROJ does not know, as its settings are wrong, not the map."""
    try:
        crs = CRS.from_user_input(projection)
    except CRSError:
        return Units(degrees=False)
    if crs.is_geographic:
        return Units(degrees=True)
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return Units(degrees=False, metres=factor or 1.0)


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 5, 10) if size * step >= value * (1 - 1e-9))


def round_down(value: float) -> float:
    """The last of 1, 2, 5, 10, 20, 50 … that is not more."""
    size = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return next(size * step for step in (5, 2, 1) if size * step <= value * (1 + 1e-9))


def distance(metres: float) -> str:
    """`50 m`, `2 km`."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:.3g} m"  # noqa: PLR2004  (a kilometre)


def lines(low: float, high: float, step: float) -> Iterable[float]:
    """Multiples of the step from low to high."""
    return (number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1))
