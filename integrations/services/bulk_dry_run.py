"""What can be told beforehand of a bulk resubmission without any effect outside.

Told for all: whether what a lookup lacked is there now. Rehearsed for the first of them: the flow's own body over the
stored message, with the lookups and mappings of this moment, as far as its first call. What a target would answer is
not asked, so a fault of the target's stays unknown.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from integrations.engine.rehearsal import FURTHER, STOPS, rehearse
from integrations.models import ErrorInstance, MissingValue
from integrations.services.audit import audit
from integrations.services.bulk_choice import refuse_too_many, resubmittable
from integrations.services.missing_check import value_is_there

REHEARSED, SECONDS, VALUES, SHOWN = 200, 5.0, 1_000, 8
# Faults that a rehearsal can come past: they arise between the message and the first call.
BEFORE_CALLS = ("HUB-LOOKUP", "HUB-MAPPING", "HUB-INVALID", "HUB-BUG")


@dataclass
class DryRun:
    """`lacking` and `there`: errors that lack a value still, or not any more, of all; the rest of `rehearsed`."""

    count: int = 0
    there: int = 0
    lacking: int = 0
    rehearsed: int = 0
    past: int = 0
    stopped: int = 0
    unknown: int = 0
    faults: list[tuple[str, int]] = field(default_factory=list)
    ends: list[tuple[str, int]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Those that were not rehearsed."""
        return self.count - self.rehearsed


def bulk_dry_run(*, errors: QuerySet[ErrorInstance], actor: str, discarded: bool = False) -> DryRun:
    """Rehearse up to 200 in the order of arrival, for five seconds at most; changes nothing but the audit trail.

    Conflict where more than 100,000 errors are chosen.
    """
    refuse_too_many(errors)
    able = resubmittable(errors, discarded=discarded)
    told = DryRun(count=able.count())
    _values(able, told)
    _rehearse(able, told)
    audit(
        actor=actor,
        action="dry_run",
        subject="errorinstance:list",
        detail={"of": told.count, "rehearsed": told.rehearsed, "past": told.past},
    )
    return told


def _values(able: QuerySet[Any], told: DryRun) -> None:
    values = MissingValue.objects.filter(errors__in=able.order_by()).distinct()[:VALUES]
    there = [value.pk for value in values if value_is_there(value)]
    linked = able.order_by().filter(missing_values__isnull=False).distinct()
    lacking = linked.exclude(missing_values__in=there) if there else linked
    told.lacking = lacking.count()
    told.there = linked.count() - told.lacking


def _rehearse(able: QuerySet[Any], told: DryRun) -> None:
    deadline = time.monotonic() + SECONDS
    faults: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for error in able.select_related("instance__flow", "instance__message_payload")[:REHEARSED]:
        if time.monotonic() > deadline:
            break
        seen = rehearse(error.instance)
        told.rehearsed += 1
        if seen.outcome == STOPS:
            told.stopped += 1
            faults[seen.text] += 1
        elif seen.outcome == FURTHER and error.fault_code in BEFORE_CALLS:
            told.past += 1
            ends[seen.text] += 1
        else:
            told.unknown += 1
    told.faults, told.ends = faults.most_common(SHOWN), ends.most_common(SHOWN)
