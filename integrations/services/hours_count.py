"""How the instances of each hour have ended, counted by the beat: only hours in which something has changed."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max
from django.utils import timezone

from integrations.engine.clock import db_now
from integrations.models import HourCount, Instance, Resubmission, Tally
from integrations.models.instance import ENDED

NAME = "hours"
HOUR = timedelta(hours=1)
COUNTED_HOURS = 7 * 24  # how far back an hour is counted at all
KEPT = timedelta(days=90)
BUDGET_SECONDS = 2.0  # after which what is left waits for the next time
SHARE = 20  # counting takes at most one part in so many of a beat's time
SLACK = timedelta(seconds=60)  # a row's own time is a little before its commit
SLACK_ROWS = 200


def hour_of(moment: datetime) -> datetime:
    """The hour a moment is in, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_count(*, at: datetime | None = None, budget: float = BUDGET_SECONDS) -> int:
    """Count the hours in which instances were made, ended, were sent again or discarded since the last time.

    `at`: as of when; `budget`: seconds after which the rest is left for later. How many hours were counted.
    """
    now, started = at or db_now(), time.monotonic()
    tally = Tally.objects.filter(name=NAME).first()
    if tally and at is None and (now - tally.counted_at).total_seconds() < tally.took_seconds * SHARE:
        return 0
    newest = Resubmission.objects.aggregate(newest=Max("pk"))["newest"] or 0
    due = sorted(_due(tally, now), reverse=True)
    counted = _count_within(due, started + budget)
    HourCount.objects.bulk_create(
        counted,
        update_conflicts=True,
        unique_fields=["hour"],
        update_fields=["counts", "counted_at"],
    )
    HourCount.objects.filter(hour__lt=now - KEPT).delete()
    left = [hour.isoformat() for hour in due[len(counted) :]]
    Tally.objects.update_or_create(
        name=NAME,
        defaults={
            "content": {"due": left, "resubmission": newest},
            "counted_at": now,
            "took_seconds": time.monotonic() - started,
        },
    )
    return len(counted)


def _due(tally: Tally | None, now: datetime) -> set[datetime]:
    """The hours to count: never counted, left over, or changed since."""
    last = hour_of(now)
    span = {last - HOUR * back for back in range(COUNTED_HOURS)}
    known = set(HourCount.objects.filter(hour__gte=min(span)).values_list("hour", flat=True))
    due = span - known
    if tally is None:
        return due
    left = {datetime.fromisoformat(text) for text in tally.content.get("due", [])}
    return due | (span & (left | _changed(tally)))


def _changed(tally: Tally) -> set[datetime]:
    """The hours of the instances that have ended, or were sent again, since the last time."""
    since = tally.counted_at - SLACK
    ended = Instance.objects.filter(purged_at__isnull=True, ended_at__gte=since)
    again = Resubmission.objects.filter(pk__gt=tally.content.get("resubmission", 0) - SLACK_ROWS)
    made: set[datetime] = set()
    for rows in (
        ended.order_by().values_list("created_at", flat=True),
        again.order_by().values_list("instance__created_at", flat=True),
    ):
        made |= {hour_of(moment) for moment in rows.iterator()}
    return made


def _count_within(hours: Iterable[datetime], until: float) -> list[HourCount]:
    """Rows for the hours, the first at least, until the time (monotonic seconds) is over."""
    counted: list[HourCount] = []
    for hour in hours:
        if counted and time.monotonic() > until:
            break
        counted.append(HourCount(hour=hour, counts=_counts_of(hour), counted_at=timezone.now()))
    return counted


def _counts_of(hour: datetime) -> dict[str, dict[str, int]]:
    rows = (
        Instance.objects.filter(created_at__gte=hour, created_at__lt=hour + HOUR, status__in=ENDED)
        .order_by()
        .values_list("flow_id", "status")
        .annotate(number=Count("*"))
    )
    found: dict[str, dict[str, int]] = {}
    for flow, status, number in rows:
        found.setdefault(str(flow), {})[status] = number
    return found


@dataclass
class Hours:
    """What is known of a span of hours; `by_hour` is hour → flow's id as text → status → number."""

    by_hour: dict[datetime, dict[str, dict[str, int]]] = field(default_factory=dict)
    counted_at: datetime | None = None
    missing: int = 0


def hours_known(*, since: datetime, until: datetime) -> Hours:
    """What was counted of the hours from `since` to that of `until`; `missing` ones wait to be counted."""
    known = Hours()
    hour = hour_of(since)
    while hour <= until:
        known.by_hour[hour] = {}
        hour += HOUR
    rows = dict(HourCount.objects.filter(hour__in=known.by_hour).values_list("hour", "counts"))
    known.by_hour |= rows
    tally = Tally.objects.filter(name=NAME).first()
    left = {datetime.fromisoformat(text) for text in tally.content.get("due", [])} if tally else set()
    known.counted_at = tally.counted_at if tally else None
    known.missing = sum(hour not in rows or hour in left for hour in known.by_hour)
    return known
