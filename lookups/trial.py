"""Trying a value: what a flow would get from a lookup on a day, which row answers, or the fault it would fail with."""

from dataclasses import dataclass
from datetime import date

from lookups.cache import ANY, Cells, Table, table_on
from lookups.errors import LookupFault
from lookups.models import NAME, Lookup, Row
from lookups.names import fold_name
from lookups.properties import Properties
from lookups.resolve import not_found

EXACT, CASELESS, DEFAULT_ROW = "exactly", "in other capitals", "by the default row *"
BY_NAME, OWN_DEFAULT = "by its name", "by the property's own default, as its value is blank"


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer with how it was found and the row it came from, or the sentences of a fault."""

    value: str = ""
    how: str = ""
    row: Row | None = None
    fault: str = ""
    hint: str = ""


def value_try(*, lookup: Lookup, source_column: str, value: str, target_column: str, day: date) -> Trial:
    """As `lookup_value` answers on a day; a property list by its first column as `Properties.text` does."""
    try:
        table = table_on(lookup.name, day)
        by_name = table.is_properties and fold_name(source_column) == fold_name(table.columns[NAME])
        if by_name and fold_name(target_column) == fold_name(table.value_column()):
            return _property(lookup, table, value)
        return _translated(table, source_column, value, target_column)
    except LookupFault as fault:
        return Trial(fault=f"{fault}.", hint=fault.hint)


def _translated(table: Table, source_column: str, value: str, target_column: str) -> Trial:
    found = table.find(source_column, value, target_column)
    if found is None:
        raise not_found(table, source_column, value, target_column)
    row, how = _answering(table, table.place(source_column), value, table.place(target_column))
    return Trial(value=found, how=how, row=_stored(row))


def _answering(table: Table, source: int, value: str, target: int) -> tuple[Cells | None, str]:
    """The row that `Table.find` takes, and how it matched."""
    if table.is_properties and source == NAME:
        return table.property(value), BY_NAME
    filled = [row for row in table.entries() if row.cells[target]]
    for wanted, folded, how in (
        (value, False, EXACT),
        (value.casefold(), True, CASELESS),
        (ANY, False, DEFAULT_ROW),
    ):
        for row in filled:
            cell = row.cells[source]
            if (cell.casefold() if folded else cell) == wanted:
                return row, how
    return None, ""


def _property(lookup: Lookup, table: Table, name: str) -> Trial:
    answer = Properties(lookup.name, table=lambda _: table).text(name)
    row = table.property(name)
    own = row is not None and not row.cells[table.place(table.value_column())]
    return Trial(value=answer, how=OWN_DEFAULT if own else BY_NAME, row=_stored(row))


def _stored(row: Cells | None) -> Row | None:
    return Row.objects.filter(pk=row.pk).first() if row else None
