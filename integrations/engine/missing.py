"""Values that lookups did not have, counted where an error is recorded, with the errors they stopped."""

import hashlib
from datetime import datetime

from django.db.models import F

from integrations.engine.faults import Fault
from integrations.models import ErrorInstance, MissingValue
from lookups.errors import LookupFault
from lookups.names import fold_name, fold_property

CAUSES = 5  # faults that one may have been raised from
LONGEST = {"lookup": 100, "column": 200, "value": 500, "target": 200}


def note_missing(error: ErrorInstance, fault: Fault, now: datetime) -> None:
    """Link the error to the value it lacks now, and to no other; a value found missing again is not settled."""
    found = missing_of(fault)
    if found is None or not _storable(found):
        if error.failures > 1:
            error.missing_values.clear()
        return
    value = _counted(found, now)
    if error.failures > 1:
        error.missing_values.set([value])
    else:
        error.missing_values.add(value)


def _counted(found: LookupFault, now: datetime) -> MissingValue:
    """The value, counted once more; made anew where it is not known, or is forgotten at this very moment."""
    given: dict[str, str | int | datetime] = {name: getattr(found, name) for name in LONGEST}
    given |= {"count": 1, "first_seen": now, "last_seen": now}
    signature = signature_of(found)
    value, made = MissingValue.objects.get_or_create(signature=signature, defaults=given)
    again = {"count": F("count") + 1, "last_seen": now, "settled_at": None, "settled_by": ""}
    if made or MissingValue.objects.filter(pk=value.pk).update(**again):
        return value
    return MissingValue.objects.get_or_create(signature=signature, defaults=given)[0]


def missing_of(fault: Fault) -> LookupFault | None:
    """The lookup's fault behind this one, where a value is missing that a row could bring; None otherwise."""
    error: BaseException | None = fault
    for _ in range(CAUSES):
        if isinstance(error, Fault) and error.missing is not None:
            return error.missing
        error = error.__cause__ if error is not None else None
    return None


def signature_of(found: LookupFault) -> str:
    """The same for the same value, however the names are spelled."""
    column = fold_property(found.column) if not found.value else fold_name(found.column)
    parts = (fold_name(found.lookup), column, found.value, fold_name(found.target))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _storable(found: LookupFault) -> bool:
    """Whether a row could hold it at all: PostgreSQL keeps no NUL, and a cell has an end."""
    kept = all(len(getattr(found, name)) <= most for name, most in LONGEST.items())
    return kept and "\x00" not in f"{found.lookup}{found.column}{found.value}{found.target}"
