"""What is late or was missed: schedules that did not start their flow, files that have not come."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from integrations.models import DueRun, ExpectedFile, Schedule

GRACE = timedelta(minutes=2)  # the tick comes every second; a busy database may hold it up a little


def with_refusal(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Each with `refused`: why its last due time started nothing, or None."""
    runs = DueRun.objects.filter(schedule=OuterRef("pk"), due_at=OuterRef("last_due_at"), instance=None)
    return schedules.annotate(refused=Subquery(runs.exclude(outcome="started").values("outcome")[:1]))


def late_schedules(at: datetime) -> QuerySet[Schedule]:
    """Switched on, of an active flow, and: past their time, in trouble, or refused at their last due time."""
    late = Q(next_due_at__lt=at - GRACE) | ~Q(trouble="") | Q(refused__isnull=False)
    rows = with_refusal(Schedule.objects.all()).filter(late, enabled=True, flow__active=True)
    return rows.order_by(F("next_due_at").asc(nulls_first=True), "pk")


def why_late(schedule: Any, at: datetime) -> str:
    """What is the matter with a schedule of `with_refusal`, as a sentence; "" where it is in time."""
    if not (schedule.enabled and schedule.flow.active):
        return ""
    if schedule.trouble:
        return f"It cannot be used: {schedule.trouble}"
    if schedule.next_due_at and schedule.next_due_at < at - GRACE:
        return "It was due and has not been started: no beat is ticking"
    return f"Its last run was not started: {schedule.refused}" if schedule.refused else ""


def was_due(schedule: Schedule, at: datetime) -> datetime | None:
    """The due time that a late schedule is late for: its next one if that is over, else its last."""
    coming = schedule.next_due_at
    return coming if coming is not None and coming < at else schedule.last_due_at


def late_files() -> QuerySet[ExpectedFile]:
    """Files that should have come and have not, the longest late first."""
    return ExpectedFile.objects.filter(enabled=True, late_since__isnull=False).order_by("late_since", "pk")
