"""A whole lookup at once, as a program sends it: made, or its rows replaced."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.engine.faults import Conflict, InvalidMessage
from integrations.services.audit import audit
from lookups.escape import escape_cell
from lookups.formats import SheetInvalid
from lookups.models import Lookup
from lookups.services import LookupRefused, lookup_make, rows_import, sheet_read
from lookups.stamps import touch_once

MOST_TOLD = 20  # rows whose trouble is told


@dataclass(frozen=True, slots=True)
class Who:
    """Who does it: the audit's name, the person in the rows' history, the address."""

    actor: str
    person: AbstractBaseUser | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup's content as CSV: a heading and rows."""

    content: bytes
    columns: list[str] = field(default_factory=list)


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Cells as a CSV file would have them, formulas escaped."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([escape_cell(cell) for cell in row] for row in (columns, *rows))
    return Table(out.getvalue().encode(), list(columns))


def lookup_create(
    *, name: str, columns: list[str], description: str, package: str, table: Table, who: Who
) -> Lookup:
    """A new table with its rows, all or nothing. Conflict where the name is taken, InvalidMessage otherwise."""
    with transaction.atomic():
        try:
            made = lookup_make(
                name=name,
                sheet=sheet_read(table.content, form="csv"),
                columns=columns,
                description=description,
                package=package,
                person=who.person,
            )
        except LookupRefused as refused:
            raise (Conflict if refused.taken else InvalidMessage)(str(refused)) from None
        except SheetInvalid as error:
            raise InvalidMessage(str(error)) from None
        _refuse_wrong(made.lookup, made.result)
        _audit("lookup_create", made.lookup, who)
    return made.lookup


def lookup_replace(
    *,
    lookup: Lookup,
    table: Table | None,
    who: Who,
    columns: list[str] | None = None,
    description: str | None = None,
) -> Lookup:
    """The lookup with these columns, this description and exactly these rows; what is None stays as it is."""
    with touch_once():
        if columns is not None and columns != lookup.columns:
            lookup.columns = columns
            _save(lookup, who)
        if description is not None and description != lookup.description:
            lookup.description = description
            _save(lookup, who)
        if table is not None:
            _import(lookup, table, who)
        _audit("lookup_replace", lookup, who)
    return lookup


def _save(lookup: Lookup, who: Who) -> None:
    lookup._history_user = who.person  # type: ignore[attr-defined]  # simple-history reads it
    try:
        lookup.save()
    except ValidationError as error:
        raise InvalidMessage("; ".join(error.messages)) from None


def _import(lookup: Lookup, table: Table, who: Who) -> None:
    try:
        result = rows_import(
            lookup=lookup, content=table.content, form="csv", replace=True, person=who.person
        )
    except SheetInvalid as error:
        raise InvalidMessage(str(error)) from None
    _refuse_wrong(lookup, result)


def _refuse_wrong(lookup: Lookup, result: Any) -> None:
    """InvalidMessage, row by row, where something was wrong, so that nothing was written."""
    troubles = [f"{error.error}" for error in result.base_errors]
    details = [
        {"o:errorPath": f"/rows/{row.number - 1}", "title": _told(row.error)} for row in result.invalid_rows
    ]
    details += [
        {"o:errorPath": f"/rows/{number - 1}", "title": f"{error.error}"}
        for number, errors in result.row_errors()
        for error in errors
    ]
    if troubles or details:
        told = [*troubles, *(f"row {int(one['o:errorPath'][6:]) + 1}: {one['title']}" for one in details)]
        raise InvalidMessage(
            f"{lookup.name} stays as it is: {'; '.join(told[:MOST_TOLD])}", details=details[:MOST_TOLD]
        )


def _told(error: Any) -> str:
    return " ".join(getattr(error, "messages", [str(error)]))


def _audit(action: str, lookup: Lookup, who: Who) -> None:
    audit(
        actor=who.actor,
        action=action,
        subject=f"lookup:{lookup.pk}",
        detail={"name": lookup.name, "rows": lookup.rows.count()},
        address=who.address,
    )
