"""Files that should have come by a time of day: what is missing is seen without anyone looking for it."""

from django.db import models
from simple_history.models import HistoricalRecords

from integrations.models.flow import Flow


class ExpectedFile(models.Model):
    """A file a flow should have moved by each of these times; late where it has not."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="expected_files")
    name = models.CharField(max_length=100)
    pattern = models.CharField(
        max_length=200, default="*", help_text="The file's name; * stands for any text."
    )
    cron = models.CharField(max_length=100, help_text="By when, as five fields, e.g. 0 6 * * 1-5")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Zone the times are read in.")
    within_hours = models.PositiveIntegerField(
        default=24, help_text="It may have come this many hours before the time."
    )
    enabled = models.BooleanField(default=True)
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_transfer = models.UUIDField(
        null=True, editable=False, help_text="The newest file that has counted; only later ones count again."
    )
    late_since = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    trouble = models.TextField(
        blank=True, editable=False, help_text="Why the last check could not use this row."
    )
    history = HistoricalRecords(
        excluded_fields=["next_check_at", "last_seen_at", "last_transfer", "late_since", "trouble"]
    )

    class Meta:
        """One name a flow."""

        ordering = ["flow", "name"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "name"], name="expected_file_name_once_a_flow")
        ]

    def __str__(self) -> str:
        return f"{self.flow.identifier}: {self.name}"
