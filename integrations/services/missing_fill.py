"""Adding what a lookup did not have: a row for the value, or the blank cell of the row it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from integrations.engine.faults import InvalidMessage
from integrations.models import MissingValue
from integrations.services.audit import audit
from integrations.services.missing_check import missing_settle, value_is_there
from lookups.cache import Table, lookups
from lookups.errors import LookupFault
from lookups.kinds import Kind, cell_of
from lookups.models import NAME, VALUE, Alias, Lookup, Row
from lookups.names import fold_name, fold_property
from lookups.services import RowRefused, row_save

ADD, FILL = "add", "fill"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the form: `fixed` cannot be changed, `needed` cannot be left blank."""

    at: int
    column: str
    value: str
    fixed: bool = False
    needed: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """How the value can be brought: ADD a row, or FILL the row that is there; `trouble` says why it cannot be."""

    how: str = ADD
    lookup: Lookup | None = None
    row: Row | None = None
    cells: tuple[Cell, ...] = ()
    trouble: str = ""

    @property
    def permission(self) -> str:
        """What the person who fills it in needs, beside the right to edit names where it adds a property."""
        return "lookups.change_row" if self.how == FILL else "lookups.add_row"

    @property
    def needs_keys(self) -> bool:
        """Whether it makes a property, which takes `lookups.edit_keys` too."""
        return self.how == ADD and self.lookup is not None and self.lookup.is_properties


def missing_form(missing: MissingValue) -> Form:
    """The form that brings this value."""
    try:
        table = lookups.table(missing.lookup)
        lookup = Lookup.objects.get(folded=fold_name(table.name))
        if table.is_properties and (not missing.value or table.place(missing.column) == NAME):
            return _property_form(lookup, missing.value or missing.column)
        return _table_form(lookup, table, missing)
    except LookupFault as gone:
        return Form(trouble=f"{gone}.")


def missing_fill(*, missing: MissingValue, cells: Mapping[int, str], person: Any, actor: str) -> Row:
    """Save the row with its history; what is there then is settled. InvalidMessage says what is wrong.

    `cells`: place → text, of the form's cells that are not fixed. The caller has checked the form's permission.
    """
    form = missing_form(missing)
    if form.trouble or form.lookup is None:
        raise InvalidMessage(form.trouble or "The lookup is not there any more")
    if value_is_there(missing):
        missing_settle(lookup=missing.lookup)
        raise InvalidMessage("Somebody added it meanwhile: it is there now")
    row = form.row or Row(lookup=form.lookup, cells=[""] * len(form.lookup.columns))
    row.lookup = form.lookup
    for cell in form.cells:
        if not cell.fixed or form.how == ADD:
            row.cells[cell.at] = cell.value if cell.fixed else cell_of(cells.get(cell.at, ""))
        if cell.needed and not row.cells[cell.at]:
            raise InvalidMessage(f"{cell.column} is blank", hint="Say what it is to be translated to.")
    _save(row, person)
    audit(
        actor=actor,
        action="fill_missing",
        subject=f"missingvalue:{missing.pk}",
        detail={"lookup": form.lookup.name, "row": row.pk, "how": form.how},
    )
    missing_settle(lookup=missing.lookup, actor=actor)
    return row


def _save(row: Row, person: Any) -> None:
    try:
        row_save(row=row, person=person, reason="A value that was missing")
    except ValidationError as error:
        raise InvalidMessage(" ".join(error.messages)) from None
    except RowRefused as refused:
        raise InvalidMessage(f"{refused}.") from None


def _table_form(lookup: Lookup, table: Table, missing: MissingValue) -> Form:
    source, target = table.place(missing.column), table.place(missing.target)
    if cell_of(missing.value) != missing.value:
        said = "has blanks at its ends, which no cell keeps: mend it where it comes from, or trim it in the mapping."
        return Form(lookup=lookup, trouble=f"The value {missing.value!r} {said}")
    row = _row_with(lookup, source, missing.value, target)
    cells = tuple(
        Cell(
            at=at,
            column=column,
            value=_shown(row, at) or (missing.value if at == source else ""),
            fixed=at == source or (row is not None and at != target),
            needed=at == target,
        )
        for at, column in enumerate(lookup.columns)
    )
    return Form(FILL if row else ADD, lookup, row, cells)


def _row_with(lookup: Lookup, source: int, value: str, target: int) -> Row | None:
    """A row that has this value, but no target; the same case goes before any case."""
    rows = Row.objects.select_related("lookup").filter(lookup=lookup, text__icontains=value)[:1000]
    blank = [row for row in rows if not _shown(row, target)]
    exact = [row for row in blank if _shown(row, source) == value]
    alike = [row for row in blank if _shown(row, source).casefold() == value.casefold()]
    return next(iter([*exact, *alike]), None)


def _shown(row: Row | None, at: int) -> str:
    return str(row.cells[at]) if row is not None and at < len(row.cells) else ""


def _property_form(lookup: Lookup, name: str) -> Form:
    folded = fold_property(name)
    spelled = Alias.objects.filter(of=Alias.Of.PROPERTY, folded=folded).first()
    names = [folded, *([fold_property(spelled.meaning)] if spelled else [])]
    row = Row.objects.select_related("lookup").filter(lookup=lookup, folded__in=names).first()
    cells = tuple(
        Cell(
            at=at,
            column=column,
            value=_shown(row, at) or (name if at == NAME else ""),
            fixed=at == NAME or (row is not None and at != VALUE),
            needed=at == VALUE,
            choices=_choices(row) if at == VALUE else (),
        )
        for at, column in enumerate(lookup.columns)
    )
    return Form(FILL if row else ADD, lookup, row, cells)


def _choices(row: Row | None) -> tuple[str, ...]:
    if row is None:
        return ()
    return ("true", "false") if row.kind == Kind.BOOLEAN else tuple(row.choices)
