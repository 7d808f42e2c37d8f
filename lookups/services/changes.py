"""Taking one change back."""

from typing import Any

from django.db import transaction

from lookups.models import Lookup, Row
from lookups.periods import day_text
from lookups.services.rows import DAYS, Person, row_save


class ChangeRefused(Exception):
    """This change cannot be taken back; the text says why and what to do instead."""


def change_revert(*, change: Any, person: Person = None) -> Row:
    """Put back what one change in a row's history altered, and leave later changes of other cells as they are.

    A deleted row comes back; an addition is refused. ChangeRefused, RowRefused or ValidationError if it cannot be.
    """
    if problem := revert_problem(change):
        raise ChangeRefused(problem)
    with transaction.atomic():
        row = _restored(change) if change.history_type == "-" else _put_back(change)
        return row_save(row=row, person=person, reason=f"Reverted change {change.pk}")


def revert_problem(change: Any) -> str:
    """Why a change cannot be reverted; "" if it can, as far as can be seen before it is tried."""
    if change.history_type == "+" or change.before is None:
        name = change.cells[0] if change.cells else "The row"
        return f"{name} was added by this change: delete the row to take it back."
    there = Row.objects.filter(pk=change.id).exists()
    if change.history_type == "~":
        return "" if there else "The row has been deleted since: revert its deletion first."
    if there:
        return "The row is there again already."
    return "" if Lookup.objects.filter(pk=change.lookup_id).exists() else "Its lookup is not there any more."


def _restored(change: Any) -> Row:
    return Row(pk=change.id, lookup_id=change.lookup_id, position=change.position, **change.before)


def _put_back(change: Any) -> Row:
    row = Row.objects.select_related("lookup").select_for_update(of=("self",)).get(pk=change.id)
    row.normalise()
    before, after = change.before, changed_state(change)
    for at, (old, new) in enumerate(zip(before["cells"], after["cells"], strict=False)):
        if old != new and at < len(row.cells):
            row.cells[at] = old
    for name in Row.TRACKED[1:]:  # history from before there were days has none
        if before.get(name, "") != after[name]:
            setattr(row, name, before.get(name))
    return row


def changed_state(change: Any) -> dict[str, Any]:
    """The row's state after a change."""
    state = {name: getattr(change, name) for name in Row.TRACKED}
    return state | {name: day_text(state[name]) for name in DAYS}
