"""Switching all schedules of a flow on and off at once."""

from django.db import transaction

from integrations.engine.faults import Conflict
from integrations.models import Flow, Schedule
from integrations.services.schedule_save import ScheduleProblems, schedule_save


def schedule_switch(*, flow: Flow, on: bool, actor: str, address: str | None = None) -> list[Schedule]:
    """All or none of them; each is checked and audited. Conflict where there are none, or one would not fire."""
    schedules = list(flow.schedules.select_related("flow").order_by("name"))
    if not schedules:
        raise Conflict(f"{flow.identifier} has no schedule", hint="Define one in the console.")
    try:
        with transaction.atomic():
            for schedule in schedules:
                if schedule.enabled != on:
                    schedule.enabled = on
                    schedule_save(schedule=schedule, actor=actor, address=address)
    except ScheduleProblems as problems:
        raise Conflict(f"A schedule of {flow.identifier} would not fire: {problems}") from None
    return schedules
