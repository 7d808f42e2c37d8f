"""Translating a value from one column of a lookup to another."""

from lookups.cache import Table, lookups
from lookups.errors import LookupFault


def lookup_value(
    lookup: str, source_column: str, value: str, target_column: str, default: str | None = None
) -> str:
    """The target column's value in the first row whose source column has `value`.

    Names go without case and separators, and by alias; values match exactly first, then without case, then a row
    `*`. A blank target counts as not found. If nothing is found: `default`, or LookupFault naming all four.
    """
    table = lookups.table(lookup)
    found = table.find(source_column, value, target_column)
    if found is None:
        found = default
    if found is None:
        raise not_found(table, source_column, value, target_column)
    return found


def not_found(table: Table, source_column: str, value: str, target_column: str) -> LookupFault:
    """The fault of a value that no row of a table answers."""
    return LookupFault(
        f"Lookup {table.name} has no {target_column} for {source_column} {value!r}",
        lookup=table.name,
        column=source_column,
        value=value,
        target=target_column,
        hint=f"Add a row with {source_column} {value!r} to {table.name}, or fill its {target_column}.",
    )
