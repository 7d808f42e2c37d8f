"""How things stand: the queue's pace and the open error families. Counted by the beat, where there are many."""

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from integrations.engine.clock import db_now
from integrations.models import ErrorInstance, Instance, Tally

NAME = "standing"
PACE = timedelta(minutes=5)  # the span the queue's pace is taken from
HOUR = timedelta(hours=1)
HOURS = 24
SHOWN = 8
SHARE = 20  # counting takes at most one part in so many of a beat's time


def standing_count() -> bool:
    """Count and keep the figures; False where the last time took so long that it is too soon."""
    now, started = db_now(), time.monotonic()
    last = Tally.objects.filter(name=NAME).first()
    if last and (now - last.counted_at).total_seconds() < last.took_seconds * SHARE:
        return False
    came, done = paces(now)
    content = {
        "backlog": backlog(now).count(),
        "came": came.count(),
        "done": done.count(),
        "families": open_families(now),
    }
    Tally.objects.update_or_create(
        name=NAME,
        defaults={"content": content, "counted_at": now, "took_seconds": time.monotonic() - started},
    )
    return True


def backlog(at: datetime) -> "QuerySet[Instance]":
    """What is due and not yet claimed."""
    return Instance.objects.filter(status__in=["ready", "waiting"], due_at__lte=at).order_by()


def paces(at: datetime) -> "tuple[QuerySet[Instance], QuerySet[Instance]]":
    """What came, and what ended, in the last five minutes; each by an index alone."""
    came = Instance.objects.filter(created_at__gte=at - PACE, created_at__lte=at)
    done = Instance.objects.filter(purged_at__isnull=True, ended_at__gte=at - PACE)
    return came.order_by(), done.order_by()


def open_errors() -> "QuerySet[ErrorInstance]":
    """What waits for a person."""
    return ErrorInstance.objects.filter(state=ErrorInstance.State.OPEN).order_by()


def recent_errors(at: datetime) -> "QuerySet[ErrorInstance]":
    """What has failed last within the last 24 hours, whatever became of it."""
    states = ErrorInstance.State.values  # all of them: the index is by state, then time
    return ErrorInstance.objects.filter(state__in=states, last_failed_at__gt=at - HOUR * HOURS).order_by()


def open_families(at: datetime) -> dict[str, Any]:
    """{"open": errors, "families": how many, "top": [{"family", "open", "hours": [24, oldest first]}]}.

    The families of which most failed in the last hour come first, then those with most open.
    """
    still_open: Counter[int] = Counter(
        dict(open_errors().values_list("family_id").annotate(number=Count("*")))
    )
    by_hour: dict[int, list[int]] = {}
    for family, moment in recent_errors(at).values_list("family_id", "last_failed_at").iterator():
        back = int((at - moment) / HOUR)
        if family in still_open and 0 <= back < HOURS:
            by_hour.setdefault(family, [0] * HOURS)[HOURS - 1 - back] += 1
    nothing = [0] * HOURS
    first = sorted(
        still_open, key=lambda key: (by_hour.get(key, nothing)[-1], still_open[key], key), reverse=True
    )
    return {
        "open": still_open.total(),
        "families": len(still_open),
        "top": [
            {"family": key, "open": still_open[key], "hours": by_hour.get(key, nothing)}
            for key in first[:SHOWN]
        ],
    }


def standing_known() -> Tally | None:
    """What was counted last; None before the beat has counted."""
    return Tally.objects.filter(name=NAME).first()
