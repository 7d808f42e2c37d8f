"""Taking one change back."""

from typing import Any

from django.db import transaction

from lookups.models import Lookup, Row
from lookups.services.rows import Person, row_save


class ChangeRefused(Exception):
    """This change cannot be taken back; the text says why and what to do instead."""


def change_revert(*, change: Any, person: Person = None) -> Row:
    """Put back what one change in a row's history altered, and leave later changes of other cells as they are.

    A deleted row comes back; an addition is refused. ChangeRefused, RowRefused or ValidationError if it cannot be.
    """
    if change.history_type == "+" or change.before is None:
        raise ChangeRefused(f"{change} was added by this change: delete the row to take it back.")
    with transaction.atomic():
        row = _restored(change) if change.history_type == "-" else _put_back(change)
        return row_save(row=row, person=person, reason=f"Reverted change {change.pk}")


def _restored(change: Any) -> Row:
    if Row.objects.filter(pk=change.id).exists():
        raise ChangeRefused("The row is there again already.")
    if not Lookup.objects.filter(pk=change.lookup_id).exists():
        raise ChangeRefused("Its lookup is not there any more.")
    return Row(pk=change.id, lookup_id=change.lookup_id, position=change.position, **change.before)


def _put_back(change: Any) -> Row:
    row = Row.objects.select_related("lookup").select_for_update(of=("self",)).filter(pk=change.id).first()
    if row is None:
        raise ChangeRefused("The row has been deleted since: revert its deletion first.")
    row.normalise()
    before, after = change.before, changed_state(change)
    for at, (old, new) in enumerate(zip(before["cells"], after["cells"], strict=False)):
        if old != new and at < len(row.cells):
            row.cells[at] = old
    for name in Row.TRACKED[1:]:
        if before[name] != after[name]:
            setattr(row, name, before[name])
    return row


def changed_state(change: Any) -> dict[str, Any]:
    """The row's state after a change."""
    return {name: getattr(change, name) for name in Row.TRACKED}
