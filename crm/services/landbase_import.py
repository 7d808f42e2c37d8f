"""Landbase objects from rows of a table: poles, intersections, addresses (seed 004 table 10.3)."""

from collections.abc import Iterable, Mapping

from crm.config import Config
from crm.models import LandbaseObject
from crm.outage.landbase import search_key
from crm.services.import_rows import Imported, Row, RowImport, import_on_record
from crm.services.texts import expect_text
from integrations.engine.faults import InvalidMessage

_OWN = ("searchtype", "x", "y")
_LONGEST = 255
Key = tuple[str, str]


def landbase_import(*, rows: Iterable[Row], actor: str, projection: str = "") -> Imported:
    """Add and move landbase objects.

    `rows`: columns searchType, x, y, and a column for each search parameter, blank where the object has none of the
    kind. The type has to be configured (GRIDOPS-CRM_LandbaseSearches) with exactly the row's parameters, in any case;
    x and y are in `projection`, the model's by default. A row that is not good is told in the problems and left out.
    LookupMissing: there is no such projection.
    """
    done = _Landbase(projection).run(rows)
    return import_on_record(done, actor=actor, action="landbase_import", subject="landbaseobject:list")


class _Landbase(RowImport[Key, LandbaseObject]):
    """By search type and what a search looks for."""

    def column_problem(self, name: str) -> str:
        known = {one for _, parameters in self.settings.searches.values() for one in parameters}
        return "" if name in known or name in _OWN else "it is no parameter of any landbase search"

    def read(self, cells: dict[str, str], names: dict[str, str]) -> tuple[Key, LandbaseObject]:
        given = {names[name]: text for name, text in cells.items() if name not in _OWN and text}
        kind = _search_type(cells.get("searchtype", ""), given, self.settings)
        for name, text in given.items():
            expect_text(name, text, _LONGEST)
        point = self.point(cells)
        if point is None:
            raise InvalidMessage("it has neither x nor y")
        key = search_key(given)
        return (kind, key), LandbaseObject(
            search_type=kind, key=key, parameters=given, x=point[0], y=point[1]
        )

    def called(self, key: Key) -> str:
        return f"{key[0]} {key[1]}"

    def write(self, batch: dict[Key, LandbaseObject]) -> tuple[int, int]:
        there = LandbaseObject.objects.filter(key__in={key for _, key in batch})
        known = {(row.search_type, row.key): row for row in there}
        rows = [batch[key] for key in sorted(batch) if not _same(known.get(key), batch[key])]
        LandbaseObject.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["search_type", "key"],
            update_fields=["parameters", "x", "y"],
        )
        added = sum(key not in known for key in batch)
        return added, len(rows) - added


def _search_type(text: str, given: Mapping[str, str], settings: Config) -> str:
    """The type as it is configured. InvalidMessage where it is not, or has other parameters."""
    if not text:
        raise InvalidMessage("it has no searchType")
    found = settings.searches.get(text.casefold())
    if found is None:
        known = ", ".join(name for name, _ in settings.searches.values())
        raise InvalidMessage(f"searchType {text[:60]!r} is none of {known}")
    name, wanted = found
    if {one.casefold() for one in given} != wanted:
        has = ", ".join(sorted(given)) or "none"
        raise InvalidMessage(f"{name} has the parameters {', '.join(sorted(wanted))}; given are {has}")
    return name


def _same(known: LandbaseObject | None, row: LandbaseObject) -> bool:
    return known is not None and (known.x, known.y, known.parameters) == (row.x, row.y, row.parameters)
