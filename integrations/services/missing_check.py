"""Whether a value that was missing is there now, and which errors wait for nothing else."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.engine.clock import db_now
from integrations.models import ErrorInstance, MissingValue, Tally
from lookups.cache import lookups
from lookups.errors import LookupFault
from lookups.models import VALUE
from lookups.properties import Properties

AT_ONCE = 2_000  # values that one round of the chore looks at
ROUND = "missing values"  # the tally of how far the rounds have come: {"after": key}
FORGET_EVERY = 3600
UNSETTLED = (ErrorInstance.State.OPEN, ErrorInstance.State.RESUBMITTED)


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

    The beat does this every minute, for the rows that somebody added by the lookup's own page; each round goes on
    where the last one ended. Of one lookup the newest are looked at, the others in the rounds.
    """
    waiting = MissingValue.objects.filter(settled_at=None)
    newest = waiting.filter(lookup=lookup).order_by("-last_seen", "-pk")[:AT_ONCE] if lookup else None
    there = [value.pk for value in (_next(waiting) if newest is None else newest) if value_is_there(value)]
    settled = MissingValue.objects.filter(pk__in=there, settled_at=None)
    return settled.update(settled_at=db_now(), settled_by=actor)


def _next(waiting: "QuerySet[MissingValue]") -> list[MissingValue]:
    """Those after the last one looked at; from the beginning again where there are no more."""
    tally, _ = Tally.objects.get_or_create(name=ROUND)
    after = tally.content.get("after", 0)
    rows = list(waiting.filter(pk__gt=after).order_by("pk")[:AT_ONCE])
    if not rows and after:
        rows = list(waiting.order_by("pk")[:AT_ONCE])
    reached = rows[-1].pk if len(rows) == AT_ONCE else 0
    if reached != after:
        Tally.objects.filter(pk=ROUND).update(content={"after": reached}, counted_at=db_now())
    return rows


def missing_forget() -> int:
    """Delete values settled or last seen before HUB_RETENTION_DAYS that no unsettled error waits for; how many."""
    before = db_now() - timedelta(days=settings.HUB_RETENTION_DAYS)
    links = MissingValue.errors.through.objects.filter(
        missingvalue=OuterRef("pk"), errorinstance__state__in=UNSETTLED
    )
    old = MissingValue.objects.filter(Q(settled_at__lt=before) | Q(last_seen__lt=before)).exclude(
        Exists(links)
    )
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    with transaction.atomic():  # one found missing again meanwhile is not among those that are locked
        locked = old.filter(pk__in=keys).select_for_update(of=("self",))
        _, gone = MissingValue.objects.filter(pk__in=[value.pk for value in locked]).delete()
    return gone.get(MissingValue._meta.label, 0)


def released_by(values: Iterable[MissingValue]) -> QuerySet[ErrorInstance]:
    """The open errors that these values stopped, and that lack no other: what adding them releases."""
    there = [value.pk for value in values if value_is_there(value)]
    stopped: Any = ErrorInstance.objects.filter(state=ErrorInstance.State.OPEN, missing_values__in=there)
    others = MissingValue.objects.filter(settled_at=None, errors__in=stopped).exclude(pk__in=there).distinct()
    lacking = [value.pk for value in others[:AT_ONCE] if not value_is_there(value)]
    released: QuerySet[ErrorInstance] = stopped.exclude(missing_values__in=lacking) if lacking else stopped
    return released.distinct()
