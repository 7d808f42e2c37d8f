"""What the beat has counted, so that no page counts a million rows while a person waits."""

from django.db import models
from django.utils import timezone


class HourCount(models.Model):
    """How the instances made in one hour have ended: `counts` is flow's id → status → number.

    What has not ended is not in it. An hour without a row has not been counted.
    """

    hour = models.DateTimeField(primary_key=True, help_text="Its beginning, in UTC.")
    counts = models.JSONField(default=dict)
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Newest first; shown where instances may be seen."""

        ordering = ["-hour"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.hour.isoformat()


class Tally(models.Model):
    """Figures counted together: what they are, when they were counted and how long that took."""

    name = models.CharField(max_length=50, primary_key=True)
    content = models.JSONField(default=dict)
    counted_at = models.DateTimeField(default=timezone.now)
    took_seconds = models.FloatField(default=0)

    class Meta:
        """Shown where what they count may be seen."""

        verbose_name_plural = "tallies"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
