"""Rows in and out as CSV and XLSX."""

from typing import Any

import tablib
from import_export.results import Result

from lookups.formats import FORMATS, SheetInvalid
from lookups.models import Lookup
from lookups.resource import RowResource
from lookups.services.rows import Person


def sheet_read(content: bytes, *, form: str) -> tablib.Dataset:
    """A file's rows; `form` is csv or xlsx. SheetInvalid says what is wrong with the file."""
    return _format(form).create_dataset(content)


def rows_import(
    *,
    lookup: Lookup,
    content: bytes,
    form: str,
    replace: bool = False,
    person: Person = None,
    preview: bool = False,
) -> Result:
    """Add and update rows from a file, all or none; with `replace`, delete those it leaves out.

    The result says, row by row, what was (in a preview: would be) done, and what is wrong where nothing was.
    """
    resource = RowResource(lookup=lookup, replace=replace, person=person)
    return resource.import_data(sheet_read(content, form=form), dry_run=preview)


def rows_export(*, lookup: Lookup, form: str) -> bytes:
    """All rows under the column names, formulas escaped; CSV is UTF-8 without a byte order mark."""
    dataset = RowResource(lookup=lookup).export(lookup.rows.all())
    exported = _format(form).export_data(dataset)
    return exported.encode() if isinstance(exported, str) else bytes(exported)


def _format(form: str) -> Any:
    if form not in FORMATS:
        raise SheetInvalid(f"{form!r} is no format; there are {', '.join(FORMATS)}")
    return FORMATS[form]()
