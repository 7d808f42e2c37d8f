"""Writing rows, with history: one by one, or many at once."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone

from lookups.models import DESCRIPTION, NAME, Lookup, Row
from lookups.stamps import touch, touch_once

Person: TypeAlias = AbstractBaseUser | AnonymousUser | None

BATCH = 500
FIELDS = [*Row.TRACKED, "text", "folded", "position", "shipped", "imported", "updated_at"]
DAYS = ("valid_from", "valid_until")


class RowRefused(Exception):
    """This person may not change that part of a property list; the text says which."""


def may_edit_keys(person: Person) -> bool:
    """Whether someone may edit names and descriptions of property lists; nobody in particular (a program) may."""
    return person is None or bool(getattr(person, "has_perm", lambda _: False)("lookups.edit_keys"))


def keys_problem(row: Row) -> str:
    """What of a property, other than its value and days, a changed row changes; "" if nothing, or for a table."""
    if not row.lookup.is_properties:
        return ""
    if row.before is None:
        return f"{row} is a new property"
    columns, now = row.lookup.columns, row.state()
    for at in (NAME, DESCRIPTION):
        if row.before["cells"][at : at + 1] != now["cells"][at : at + 1]:
            return f"The {columns[at]} of {row.before['cells'][NAME]} cannot be changed"
    fixed = [name for name in Row.TRACKED[1:] if name not in DAYS and row.before[name] != now[name]]
    return f"The {fixed[0]} of {row} cannot be changed" if fixed else ""


def row_save(*, row: Row, person: Person = None, reason: str = "") -> Row:
    """Save a row with its history. ValidationError if it cannot be; RowRefused where only values may be changed."""
    row.normalise()
    if not may_edit_keys(person) and (said := keys_problem(row)):
        raise RowRefused(f"{said}: that needs the permission to edit keys")
    _sign(row, person, reason)
    row.save()
    return row


def rows_write(
    *,
    new: Sequence[Row] = (),
    changed: Sequence[Row] = (),
    removed: Sequence[Row] = (),
    person: Person = None,
    reason: str = "",
) -> None:
    """Many rows in one transaction, with history; they have been normalised and checked."""
    now = timezone.now()
    for row in changed:
        row.updated_at = now
    history = _history(removed, "-", person, reason) + _history(changed, "~", person, reason)
    with touch_once():
        _delete(removed)
        made = Row.objects.bulk_create(new, batch_size=BATCH)
        # An upsert by primary key: ten thousand rows in a second, where bulk_update takes half a minute.
        Row.objects.bulk_create(
            changed, batch_size=BATCH, update_conflicts=True, unique_fields=["id"], update_fields=FIELDS
        )
        history += _history(made, "+", person, reason)
        Row.history.model.objects.bulk_create(history, batch_size=BATCH)


def lookup_delete(*, lookup: Lookup, person: Person = None) -> None:
    """Delete a lookup and its rows; the history of both stays."""
    with touch_once():
        rows_write(removed=list(lookup.rows.select_related("lookup")), person=person, reason="Lookup deleted")
        lookup.delete()


def _delete(rows: Sequence[Row]) -> None:
    """Without the signals that would write history row by row; nothing else refers to rows."""
    touch({str(row.lookup_id) for row in rows})
    for start in range(0, len(rows), BATCH):
        chosen = Row.objects.filter(pk__in=[row.pk for row in rows[start : start + BATCH]])
        chosen._raw_delete(chosen.db)


def _sign(row: Row, person: Person, reason: str) -> None:
    if person is not None and getattr(person, "is_authenticated", False):
        row._history_user = person  # type: ignore[attr-defined]  # simple-history reads it
    row._change_reason = reason[:100]  # type: ignore[attr-defined]  # as above


def _history(rows: Sequence[Row], kind: str, person: Person, reason: str) -> list[Any]:
    model = Row.history.model
    names = [field.attname for field in model.tracked_fields]
    said = {
        "history_type": kind,
        "history_date": timezone.now(),
        "history_user": person if getattr(person, "is_authenticated", False) else None,
        "history_change_reason": reason[:100],
    }
    return [model(**{name: getattr(row, name) for name in names}, before=row.before, **said) for row in rows]
