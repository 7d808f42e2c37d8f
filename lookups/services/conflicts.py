"""Merge conflicts: noted by a merge, decided by a person."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from lookups.lines import Line, Source
from lookups.merge import Step
from lookups.models import Lookup, Row, RowConflict
from lookups.services.rows import Person, RowRefused, may_edit_keys, row_save, rows_write


class ConflictRefused(Exception):
    """This conflict cannot be decided so; the text says why and what to do instead."""


def conflicts_note(*, lookup: Lookup, steps: Iterable[Step], source: Source) -> None:
    """Keep conflicts for a person; an open one about the same row gets the source's newest version."""
    waiting = list(lookup.conflicts.filter(state=RowConflict.State.OPEN, source=source).order_by("pk"))
    for step in steps:
        known = _known(waiting, step)
        if known is None:
            _note(lookup, step, source)
            continue
        waiting.remove(known)
        known.theirs, known.kind, known.package = _theirs(step), step.do, lookup.package
        known.save(update_fields=["theirs", "kind", "package"])


def _note(lookup: Lookup, step: Step, source: Source) -> None:
    RowConflict.objects.create(
        lookup=lookup,
        row=step.row,
        label=step.label[:200],
        kind=step.do,
        source=source,
        base=step.base.plain() if step.base else None,
        ours=Line.of_row(step.row).plain() if step.row is not None else None,
        theirs=_theirs(step),
        package=lookup.package,
    )


def _theirs(step: Step) -> Any:
    return step.item.line.plain() if step.item else None


def _known(waiting: Iterable[RowConflict], step: Step) -> RowConflict | None:
    """The open conflict about the step's row; a deleted row is known by what was brought for it last."""
    if step.row is not None:
        return next((one for one in waiting if one.row_id == step.row.pk), None)
    base = step.base.plain() if step.base else None
    alike = [one for one in waiting if one.row_id is None and one.label == step.label[:200]]
    return next(
        (one for brought in ("theirs", "base") for one in alike if getattr(one, brought) == base), None
    )


def conflicts_settle(*, rows: Iterable[Row]) -> int:
    """Close the open conflicts of rows that have become what the package brings; how many there were."""
    found = RowConflict.objects.filter(row_id__in=[row.pk for row in rows], state=RowConflict.State.OPEN)
    return found.update(state=RowConflict.State.TAKEN, decided_at=timezone.now())


def row_of(conflict: RowConflict) -> Row | None:
    """The row as it is now; None if it is not there (any more)."""
    if conflict.row_id is None:
        return None
    return Row.objects.select_related("lookup").filter(pk=conflict.row_id).first()


def ours_now(conflict: RowConflict) -> Line | None:
    """Our side as it is now: a person may have edited the row since the conflict was found."""
    row = row_of(conflict)
    if row is None:
        return None
    row.normalise()
    return Line.of_row(row)


def line_in(conflict: RowConflict, side: str) -> Line | None:
    """The line of `base`, `ours` or `theirs`, as wide as the lookup is now."""
    stored = getattr(conflict, side)
    return None if stored is None else Line.of(stored, len(conflict.lookup.columns))


def conflict_decide(
    *, conflict: RowConflict, decided: Line | None, seen: Line | None, person: Person = None
) -> RowConflict:
    """Give the row what a person decided, with history, and close the conflict.

    `decided`: the line to stand (None: no row); `seen`: our side as the person saw it. ConflictRefused if somebody
    decided or edited the row meanwhile; RowRefused or ValidationError if the line cannot be.
    """
    with transaction.atomic():
        locked = (
            RowConflict.objects.select_for_update(of=("self",)).select_related("lookup").get(pk=conflict.pk)
        )
        if not locked.is_open:
            raise ConflictRefused(f"{locked} was decided already: {locked.get_state_display().lower()}.")
        now = ours_now(locked)
        if now != seen:
            raise ConflictRefused(f"{locked} was edited since you opened this page: look at it again.")
        if decided != now:
            _apply(locked, decided, person)
        _close(locked, now, decided, person)
    return locked


def _apply(conflict: RowConflict, decided: Line | None, person: Person) -> None:
    reason = f"Merge with package {conflict.package}"
    row = row_of(conflict)
    if decided is None:
        if row is not None and row.lookup.is_properties and not may_edit_keys(person):
            raise RowRefused(f"{row} cannot be deleted: that needs the permission to edit keys")
        if row is not None:
            rows_write(removed=[row], person=person, reason=reason)
        return
    if row is None:
        row = Row(lookup=conflict.lookup, cells=[], **_brought(conflict))
    decided.onto(row)
    row_save(row=row, person=person, reason=reason)
    conflict.row = row


def _brought(conflict: RowConflict) -> dict[str, Any]:
    """What its source brought, so that the other source does not take the row for its own."""
    return {conflict.source: conflict.theirs} if conflict.theirs is not None else {}


def _close(conflict: RowConflict, now: Line | None, decided: Line | None, person: Person) -> None:
    state = RowConflict.State
    theirs = line_in(conflict, "theirs")
    conflict.state = state.TAKEN if decided == theirs else state.KEPT if decided == now else state.MERGED
    conflict.decided = decided.plain() if decided else None
    conflict.decided_by = person if getattr(person, "is_authenticated", False) else None  # type: ignore[assignment]
    conflict.decided_at = timezone.now()
    conflict.save(update_fields=["row", "state", "decided", "decided_by", "decided_at"])


def open_conflicts(lookups: Sequence[int] | None = None) -> dict[int, int]:
    """Lookup's primary key → how many conflicts wait; of these lookups, or all."""
    waiting = RowConflict.objects.filter(state=RowConflict.State.OPEN).order_by()
    if lookups is not None:
        waiting = waiting.filter(lookup_id__in=lookups)
    return dict(waiting.values_list("lookup_id").annotate(total=Count("pk")))
