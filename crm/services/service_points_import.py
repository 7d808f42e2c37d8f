"""Service delivery points from rows of a table (seed 004 table 5.1: what a customer's ticket is placed by)."""

from collections.abc import Iterable, Mapping
from typing import Any

from crm.models import ServiceDeliveryPoint
from crm.models.service_delivery_point import HIGHEST_PRIORITY
from crm.services.import_rows import Imported, Row, RowImport, import_on_record
from crm.services.texts import expect_text
from integrations.engine.faults import InvalidMessage

COLUMNS = ("servicePointId", "customerPriority", "transformerId", "x", "y", "address")
FIELDS = ("customer_priority", "transformer_id", "address", "x", "y")
_KNOWN = {name.casefold() for name in COLUMNS}
_LONGEST = 255
_DIGITS = 3
Plain = dict[str, Any]


def service_points_import(*, rows: Iterable[Row], actor: str, projection: str = "") -> Imported:
    """Add and change service delivery points; a blank cell empties its field, a column that lacks leaves it alone.

    `rows`: by column (COLUMNS, in any case); x and y in `projection`, the model's by default. A row that is not good
    is told in the problems and left out; so is a column that is not known. LookupMissing: there is no such projection.
    """
    done = _ServicePoints(projection).run(rows)
    return import_on_record(
        done, actor=actor, action="service_points_import", subject="servicedeliverypoint:list"
    )


class _ServicePoints(RowImport[str, Plain]):
    """By servicePointId, the fields that a row sets."""

    def column_problem(self, name: str) -> str:
        return "" if name in _KNOWN else f"known are {', '.join(COLUMNS)}"

    def read(self, cells: dict[str, str], names: dict[str, str]) -> tuple[str, Plain]:
        key = expect_text("servicePointId", cells.get("servicepointid", ""), _LONGEST)
        if not key:
            raise InvalidMessage("it has no servicePointId")
        values: Plain = {}
        if "customerpriority" in cells:
            values["customer_priority"] = _priority(cells["customerpriority"])
        if "transformerid" in cells:
            values["transformer_id"] = expect_text("transformerId", cells["transformerid"], 60)
        if "address" in cells:
            values["address"] = expect_text("address", cells["address"], _LONGEST)
        if "x" in cells or "y" in cells:
            values["x"], values["y"] = self.point(cells) or (None, None)
        return key, values

    def called(self, key: str) -> str:
        return f"servicePointId {key}"

    def write(self, batch: dict[str, Plain]) -> tuple[int, int]:
        held = ServiceDeliveryPoint.objects.select_for_update(no_key=True).order_by("mrid")
        known = {row.pk: row for row in held.filter(pk__in=batch)}
        rows = [row for key in sorted(batch) if (row := _differing(key, known.get(key), batch[key]))]
        put_points(rows, FIELDS)
        added = len(batch) - len(known)
        return added, len(rows) - added


def put_points(rows: list[ServiceDeliveryPoint], fields: Iterable[str]) -> None:
    """Upsert rows, of those that are there these fields."""
    ServiceDeliveryPoint.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["mrid"], update_fields=[*fields, "updated_at"]
    )


def _priority(text: str) -> int:
    """A customer priority; a blank one is none."""
    if not text:
        return 0
    good = text.isascii() and text.isdigit() and len(text) < _DIGITS
    if not good or int(text) > HIGHEST_PRIORITY:
        raise InvalidMessage(f"customerPriority {text[:20]!r} is none of 0 to {HIGHEST_PRIORITY}")
    return int(text)


def _differing(
    key: str, known: ServiceDeliveryPoint | None, values: Mapping[str, Any]
) -> ServiceDeliveryPoint | None:
    """The row as it is to be; None where it is so already."""
    if known is None:
        return ServiceDeliveryPoint(mrid=key, **values)
    if all(getattr(known, name) == value for name, value in values.items()):
        return None
    for name, value in values.items():
        setattr(known, name, value)
    return known
