"""Schedules of our own: django-q2's stop all when one row is bad (reliability.md section 1)."""

from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from integrations.models.flow import Flow


class Schedule(models.Model):
    """When a flow runs by itself, with which parameters. A flow may have any number."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=100)
    cron = models.CharField(max_length=100, blank=True, help_text="Five fields, e.g. 0 2 * * *")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Zone the cron is read in.")
    interval_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="Instead of a cron.")
    parameters = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    next_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    last_due_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True, help_text="Why the last tick could not use this row.")
    history = HistoricalRecords(excluded_fields=["next_due_at", "last_due_at", "trouble"])

    class Meta:
        """One name a flow."""

        ordering = ["flow", "name"]
        constraints = [models.UniqueConstraint(fields=["flow", "name"], name="schedule_name_once_a_flow")]

    def __str__(self) -> str:
        return f"{self.flow.identifier}: {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A changed time forgets the due time that the old one had set."""
        before = Schedule.objects.filter(pk=self.pk).first() if self.pk else None
        if before is not None and before.times != self.times:
            self.next_due_at = None
        super().save(*args, **kwargs)

    @property
    def times(self) -> tuple[str, str, int | None]:
        """What says when it runs."""
        return (self.cron, self.time_zone, self.interval_seconds)


class DueRun(models.Model):
    """That a schedule's due time was taken, once, whoever ticked (unique schedule and due time)."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="due_runs")
    due_at = models.DateTimeField()
    taken_at = models.DateTimeField(auto_now_add=True)
    instance = models.ForeignKey(
        "integrations.Instance", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        """The constraint is what makes two schedulers start one run."""

        ordering = ["-due_at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "due_at"], name="due_time_taken_once")]

    def __str__(self) -> str:
        return f"{self.schedule} at {self.due_at.isoformat()}"
