"""Which of a lookup's columns each of a package's columns is, whatever the site calls it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError

from lookups.lines import Source
from lookups.models import Lookup
from lookups.names import fold_name

COLUMNS = "columns"  # in `Lookup.brought`: source → the package's columns, each with its place here
Places: TypeAlias = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Fit:
    """The package's columns: folded name → place in the lookup; `fresh`: the names that are new there."""

    places: dict[str, int]
    fresh: list[str]
    width: int

    def ordered(self, cells: Mapping[str, Any]) -> list[Any]:
        """Cells by folded name in the order of the lookup's columns; blank where the package has no column."""
        found: list[Any] = [""] * self.width
        for name, place in self.places.items():
            found[place] = cells.get(name, "")
        return found

    def remembered(self, lookup: Lookup, source: Source) -> dict[str, Any]:
        """As `Lookup.brought` keeps it, beside what other sources have."""
        return {**lookup.brought.get(COLUMNS, {}), source: [[*pair] for pair in self.places.items()]}


def columns_fit(lookup: Lookup, columns: Sequence[str], source: Source) -> Fit:
    """Pair the columns; those the lookup has not are added to it, those the package renamed are renamed (unsaved)."""
    names = [fold_name(column) for column in columns]
    if len(set(names)) < len(names):
        raise ValidationError({"columns": "Each column needs a name of its own"})
    stored = _stored(lookup, source)
    found = _pairs(lookup, names, source)
    fresh = []
    renamed = {place: name for name, place in stored if name not in names}
    for name, column in zip(names, columns, strict=True):
        if name not in found:
            found[name] = len(lookup.columns)
            fresh.append(_free(lookup, column))
            lookup.columns = [*lookup.columns, fresh[-1]]
        elif _is_old(lookup, found[name], renamed):
            fresh.append(_free(lookup, column))
            lookup.columns = [*lookup.columns[: found[name]], fresh[-1], *lookup.columns[found[name] + 1 :]]
    return Fit({name: found[name] for name in names}, fresh, len(lookup.columns))


def _pairs(lookup: Lookup, names: Sequence[str], source: Source) -> dict[str, int]:
    """By position where the names agree, and in property lists; else as remembered, by name, by position."""
    here = [fold_name(column) for column in lookup.columns]
    found: dict[str, int] = {}
    for candidates in _candidates(lookup, names, here, source):
        for name, place in candidates:
            free = place < len(here) and place not in found.values()
            if free and name in names and name not in found:
                found[name] = place
    return found


def _candidates(
    lookup: Lookup, names: Sequence[str], here: Sequence[str], source: Source
) -> Iterable[Iterable[tuple[str, int]]]:
    in_order = [(name, at) for at, name in enumerate(names)]
    if lookup.is_properties or here[: len(names)] == names:
        return [in_order]
    by_name = [(name, at) for at, name in enumerate(here)]
    if stored := _stored(lookup, source):
        gone = [(new, place) for new, (old, place) in zip(names, stored, strict=False) if old not in names]
        return [stored, by_name, gone]
    if source == Source.IMPORTED:
        return [by_name, _stored(lookup, Source.SHIPPED)]
    width = _old_width(lookup)  # brought before columns were remembered: then it was by position
    return [in_order] if width == len(names) else [by_name, in_order[:width]]


def _stored(lookup: Lookup, source: Source) -> Places:
    return [(name, place) for name, place in lookup.brought.get(COLUMNS, {}).get(source, [])]


def _old_width(lookup: Lookup) -> int:
    """How many columns the package had; 0 if it never brought a row."""
    if lookup._state.adding:
        return 0
    line: Any = lookup.rows.filter(shipped__isnull=False).values_list("shipped", flat=True).first()
    return len(line["cells"] if isinstance(line, dict) else line or ())


def _is_old(lookup: Lookup, place: int, renamed: Mapping[int, str]) -> bool:
    """Whether a column still has the name that the package has given up; properties' names are nobody's keys."""
    return not lookup.is_properties and renamed.get(place) == fold_name(lookup.columns[place])


def _free(lookup: Lookup, column: str) -> str:
    """A name no column has: a site may have given a package's new name to another one."""
    taken = {fold_name(one) for one in lookup.columns}
    tries = (column, *(f"{column} {number}" for number in range(2, len(taken) + 3)))
    return next(name for name in tries if fold_name(name) not in taken)
