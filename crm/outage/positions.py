"""Coordinates: from a sender's projection to the outage model's (seed 004 table 5.1, valid coordinates)."""

import math
from functools import lru_cache

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from lookups.errors import LookupFault

Point = tuple[float, float]
_LONGEST = 40  # characters of a coordinate


class BadPosition(ValueError):
    """A coordinate that is none; `axes`: X, Y or both."""

    def __init__(self, *axes: str) -> None:
        """Which."""
        super().__init__(", ".join(axes))
        self.axes = axes


class Projector:
    """From one projection to another; x is east (longitude), y is north (latitude)."""

    def __init__(self, source: str, target: str) -> None:
        """EPSG codes, or whatever else PROJ takes. LookupFault names one that is no projection."""
        self._source, self._target = source, target
        self._bounds = _bounds(target)
        self._transformer = None if source == target else _transformer(source, target)

    def convert(self, x: str, y: str) -> Point:
        """The point in the target projection. BadPosition where a coordinate is no number or lies outside."""
        given = [_number(x), _number(y)]
        bad = [axis for axis, value in zip("XY", given, strict=True) if value is None]
        if bad:
            raise BadPosition(*bad)
        found = self._project(*(value for value in given if value is not None))
        west, south, east, north = self._bounds
        axes = [
            axis
            for axis, value, low, high in (("X", found[0], west, east), ("Y", found[1], south, north))
            if not (math.isfinite(value) and low <= value <= high)
        ]
        if axes:
            raise BadPosition(*axes)
        return found

    def _project(self, x: float, y: float) -> Point:
        if self._transformer is None:
            return x, y
        try:
            east, north = self._transformer.transform(x, y)
        except ProjError:
            raise BadPosition("X", "Y") from None
        return float(east), float(north)


def _number(text: str) -> float | None:
    # Python's own float reads 1_000 and digits of other scripts as well.
    if not text.isascii() or "_" in text or len(text) > _LONGEST:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@lru_cache(maxsize=32)
def _transformer(source: str, target: str) -> Transformer:
    _bounds(source)
    return Transformer.from_crs(source, target, always_xy=True)


@lru_cache(maxsize=32)
def _bounds(projection: str) -> tuple[float, float, float, float]:
    """West, south, east, north of where the projection may be used; wide open where PROJ does not say."""
    try:
        crs = CRS.from_user_input(projection)
    except CRSError:
        raise LookupFault(
            f"{projection!r} is no projection that PROJ knows",
            lookup="GRIDOPS-CRM_Projections",
            column="Projection",
            value=projection,
            hint="Write it like EPSG:4326.",
        ) from None
    if crs.is_geographic:
        return -180.0, -90.0, 180.0, 90.0
    return -1e8, -1e8, 1e8, 1e8
