"""Schedules that fire: checked before they are saved, with the times they will fire at."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import InvalidMessage, UnknownFlow
from integrations.engine.registry import spec_for
from integrations.engine.schedule import BadSchedule, coming_times, next_due
from integrations.engine.spec import FILE
from integrations.models import Flow, Schedule
from integrations.services.audit import audit
from integrations.services.flow_run import check_parameters

CRON_FIELDS = 5
SHORTEST_INTERVAL = 10  # seconds; the tick looks no more often


class ScheduleProblems(Exception):
    """The schedule would not work; `problems` is field → sentence."""

    def __init__(self, problems: dict[str, str]) -> None:
        """`problems`: never empty."""
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def schedule_problems(schedule: Schedule) -> dict[str, str]:
    """Field → what is wrong with it; {} if the schedule can be saved and will fire."""
    found: dict[str, str] = {}
    if bool(schedule.cron.strip()) == bool(schedule.interval_seconds):
        found["cron"] = "Give a cron or an interval, one of the two"
    if schedule.interval_seconds and schedule.interval_seconds < SHORTEST_INTERVAL:
        found["interval_seconds"] = f"The shortest interval is {SHORTEST_INTERVAL} seconds"
    if schedule.time_zone not in available_timezones():
        found["time_zone"] = f"There is no time zone {schedule.time_zone!r}; an example is Europe/London"
    elif schedule.cron.strip() and (trouble := _cron_trouble(schedule)):
        found.setdefault("cron", trouble)
    if not isinstance(schedule.parameters, dict):
        found["parameters"] = 'Parameters are a JSON object, e.g. {"extractedFileNamePrefix": "C1-DCTEX"}'
    elif schedule.flow_id and (trouble := _parameter_trouble(schedule.flow, schedule.parameters)):
        found["parameters"] = trouble
    return found


def cron_fields_trouble(cron: str) -> str:
    """What is wrong with the number of a cron's fields; "" where nothing is."""
    fields = cron.split()
    if len(fields) != CRON_FIELDS:
        return f"A cron has {CRON_FIELDS} fields (minute hour day month weekday); this has {len(fields)}"
    return ""


def _cron_trouble(schedule: Schedule) -> str:
    if trouble := cron_fields_trouble(schedule.cron):
        return trouble
    try:
        next_due(schedule, db_now())
    except BadSchedule as error:
        return f"{error}. Nothing would ever be started"
    return ""


def _parameter_trouble(flow: Flow, parameters: dict[str, Any]) -> str:
    """What is wrong with the parameters for this flow: missing, blank, not its own; or the flow takes none."""
    try:
        spec = spec_for(flow.identifier)
        if spec.pattern != FILE:
            return f"{flow.identifier} is started by a message, not by a schedule"
        check_parameters(spec, parameters)
    except UnknownFlow:
        return f"The installed code does not have {flow.identifier} any more"
    except InvalidMessage as fault:
        return fault.text
    return ""


def next_times(schedule: Schedule, *, count: int = 5) -> list[datetime]:
    """The next times it fires, in its own zone; [] where it cannot."""
    if schedule_problems(schedule):
        return []
    zone = ZoneInfo(schedule.time_zone)
    return [moment.astimezone(zone) for moment in coming_times(schedule, count)]


def schedule_save(*, schedule: Schedule, actor: str, address: str | None = None) -> Schedule:
    """Check, work out the next due time, save with history, audit; ScheduleProblems where it cannot fire."""
    problems = schedule_problems(schedule)
    if problems:
        raise ScheduleProblems(problems)
    schedule.next_due_at = next_due(schedule, db_now()) if schedule.enabled else None
    schedule.trouble = ""
    made = schedule.pk is None
    with transaction.atomic():
        schedule.save()
        audit(
            actor=actor,
            action="schedule_create" if made else "schedule_change",
            subject=f"schedule:{schedule.pk}",
            detail={
                "schedule": str(schedule),
                "cron": schedule.cron,
                "interval_seconds": schedule.interval_seconds,
                "time_zone": schedule.time_zone,
                "enabled": schedule.enabled,
            },
            address=address,
        )
    return schedule
