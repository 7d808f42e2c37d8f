"""Ticking schedules: each due time once, whoever ticks; a bad row stops only itself (reliability rule 13)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from cronsim import CronSim, CronSimError
from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Fault
from integrations.models import DueRun, Instance, Schedule

log = structlog.get_logger(__name__)
Start = Callable[[Schedule], Instance]


class BadSchedule(Exception):
    """A cron, zone or interval that cannot be used, or that never comes; says which."""


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """The first due time after `after` (aware, UTC). BadSchedule where there is none."""
    if schedule.interval_seconds:
        anchor = schedule.last_due_at or after
        steps = max((after - anchor).total_seconds() // schedule.interval_seconds + 1, 1)
        return anchor + timedelta(seconds=schedule.interval_seconds * steps)
    return _next_cron(schedule.cron, schedule.time_zone, after)


def _next_cron(cron: str, zone: str, after: datetime) -> datetime:
    try:
        local = after.astimezone(ZoneInfo(zone))
        return next(CronSim(cron, local)).astimezone(ZoneInfo("UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSchedule(f"There is no time zone {zone!r}") from error
    except CronSimError as error:
        raise BadSchedule(f"{cron!r} is no cron expression: {error}") from error
    except StopIteration:
        raise BadSchedule(f"{cron!r} never comes") from None


def coming_times(schedule: Schedule, count: int = 5) -> list[datetime]:
    """The next due times, for the console."""
    found: list[datetime] = []
    moment = db_now()
    for _ in range(count):
        moment = next_due(schedule, moment)
        if schedule.interval_seconds and found:
            moment = found[-1] + timedelta(seconds=schedule.interval_seconds)
        found.append(moment)
    return found


def tick(start: Start) -> int:
    """Start what is due; `start` makes the instance of one schedule. How many were started."""
    now = db_now()
    started = 0
    for schedule in Schedule.objects.filter(enabled=True, flow__active=True).select_related("flow"):
        try:
            started += _tick_one(schedule, now, start)
        except Exception as error:  # noqa: BLE001  (one row's trouble, whatever it is, must not stop the others)
            Schedule.objects.filter(pk=schedule.pk).update(trouble=str(error) or type(error).__name__)
            log.warning("schedule_not_ticked", schedule=schedule.pk, error=str(error))
    return started


def _tick_one(schedule: Schedule, now: datetime, start: Start) -> int:
    due = schedule.next_due_at
    if due is None:
        _set_next(schedule, now, None)
        return 0
    if due > now:
        return 0
    with transaction.atomic():
        run, made = DueRun.objects.get_or_create(schedule=schedule, due_at=due)
        if made:
            _begin(schedule, run, start)
        _set_next(schedule, max(now, due), due)
    return int(made)


def _begin(schedule: Schedule, run: DueRun, start: Start) -> None:
    """Make the instance; a run of the same parameters that is still going is said, not doubled."""
    try:
        with transaction.atomic():
            run.instance = start(schedule)
        run.outcome = "started"
    except Fault as fault:  # said once for this due time; the next one comes all the same
        run.outcome = fault.text[:200]
    run.save()


def _set_next(schedule: Schedule, after: datetime, taken: datetime | None) -> None:
    """Missed times are not caught up one by one: the next is after now."""
    if taken is not None:
        schedule.last_due_at = taken
    coming = next_due(schedule, after)
    Schedule.objects.filter(pk=schedule.pk).update(
        next_due_at=coming, last_due_at=schedule.last_due_at, trouble=""
    )
