"""Whether a value that was missing is there now, and which errors wait for nothing else."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from integrations.engine.clock import db_now
from integrations.models import ErrorInstance, MissingValue
from lookups.cache import lookups
from lookups.errors import LookupFault
from lookups.models import VALUE
from lookups.properties import Properties

AT_ONCE = 2_000  # values that one round of the chore looks at


def value_is_there(missing: MissingValue) -> bool:
    """Whether the lookup would answer now; False where the lookup itself, or its column, is gone."""
    try:
        table = lookups.table(missing.lookup)
        if table.is_properties and not missing.value:
            return bool(Properties(missing.lookup).text(missing.column, ""))
        return table.find(missing.column, missing.value, missing.target or table.columns[VALUE]) is not None
    except LookupFault:
        return False


def missing_settle(*, lookup: str = "", actor: str = "") -> int:
    """Note which of the missing values (of one lookup, or of all) are there now; how many.

    The beat does this every minute, for the rows that somebody added by the lookup's own page.
    """
    waiting = MissingValue.objects.filter(settled_at=None)
    if lookup:
        waiting = waiting.filter(lookup=lookup)
    there = [value.pk for value in waiting.order_by("-last_seen", "-pk")[:AT_ONCE] if value_is_there(value)]
    settled = MissingValue.objects.filter(pk__in=there, settled_at=None)
    return settled.update(settled_at=db_now(), settled_by=actor)


def released_by(values: Iterable[MissingValue]) -> QuerySet[ErrorInstance]:
    """The open errors that these values stopped, and that lack no other: what adding them releases."""
    there = [value.pk for value in values if value_is_there(value)]
    stopped: Any = ErrorInstance.objects.filter(state=ErrorInstance.State.OPEN, missing_values__in=there)
    others = MissingValue.objects.filter(settled_at=None, errors__in=stopped).exclude(pk__in=there).distinct()
    lacking = [value.pk for value in others[:AT_ONCE] if not value_is_there(value)]
    released: QuerySet[ErrorInstance] = stopped.exclude(missing_values__in=lacking) if lacking else stopped
    return released.distinct()
