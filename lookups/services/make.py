"""A new lookup of a file: made with all its rows, or (a preview, or rows that are wrong) not at all."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db import transaction
from import_export.results import Result

from lookups.models import Lookup
from lookups.names import fold_name
from lookups.periods import FROM, UNTIL
from lookups.resource import RowResource
from lookups.services.rows import Person

LONGEST_NAME = 100


class LookupRefused(Exception):
    """No lookup can be made of this; the text says why. `taken`: there is one of that name."""

    def __init__(self, text: str, *, taken: bool = False) -> None:
        """`text`: one sentence."""
        super().__init__(text)
        self.taken = taken


@dataclass(frozen=True, slots=True)
class Made:
    """The lookup, and what was (in a preview: would be) done row by row; `saved`: whether it is there now."""

    lookup: Lookup
    result: Result
    saved: bool


def sheet_name(sheet: tablib.Dataset, file_name: str = "") -> str:
    """What a file's first line calls the lookup, else what the file is called; "" where neither can be a name."""
    name = str(getattr(sheet, "title", "") or PurePath(file_name).stem).strip()
    return name if fold_name(name) and len(name) <= LONGEST_NAME else ""


def lookup_make(
    *,
    name: str,
    sheet: tablib.Dataset,
    columns: list[str] | None = None,
    description: str = "",
    package: str = "",
    person: Person = None,
    preview: bool = False,
    leave_out: bool = False,
) -> Made:
    """A table lookup with a file's rows and history; its columns are the file's headings unless others are given.

    LookupRefused where the name is taken or the columns cannot be. `leave_out`: rows that are wrong are left out,
    else nothing is made where one is; the result says which.
    """
    if not name:
        raise LookupRefused("The file does not say which lookup it is: its first line is DVM,name")
    if taken := Lookup.objects.filter(folded=fold_name(name)).first():
        raise LookupRefused(f"There is a lookup {taken} already", taken=True)
    headings = [str(heading) for heading in sheet.headers or []]
    columns = columns or [heading for heading in headings if heading not in (FROM, UNTIL)]
    lookup = Lookup(name=name, columns=columns, description=description, package=package)
    with transaction.atomic():
        _save(lookup, person)
        resource = RowResource(lookup=lookup, replace=True, leave_out=leave_out, person=person)
        result = resource.import_data(sheet, dry_run=preview)
        wrong = result.has_errors() or (result.has_validation_errors() and not leave_out)
        if preview or wrong:
            transaction.set_rollback(True)
    return Made(lookup, result, saved=not (preview or wrong))


def _save(lookup: Lookup, person: Any) -> None:
    if getattr(person, "is_authenticated", False):
        lookup._history_user = person  # type: ignore[attr-defined]  # simple-history reads it
    try:
        lookup.save()
    except ValidationError as error:
        raise LookupRefused("; ".join(error.messages)) from None
