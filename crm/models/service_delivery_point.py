"""Service delivery points: where a customer is connected (seed 004 calls them SDP, CIM UsagePoint)."""

from django.core.validators import MaxValueValidator
from django.db import models

HIGHEST_PRIORITY = 6  # seed 004 table 10.16: 6 is the highest, 0 is none


class ServiceDeliveryPoint(models.Model):
    """One service delivery point, by the id that customers' systems know it by."""

    mrid = models.CharField("id", max_length=255, primary_key=True)
    customer_priority = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(HIGHEST_PRIORITY)],
        help_text="6 is the highest, 0 is none; the order in which its callbacks are made.",
    )
    transformer_id = models.CharField(
        max_length=60,
        blank=True,
        db_index=True,
        help_text="What feeds it; tickets of one transformer join one incident.",
    )
    address = models.CharField(max_length=255, blank=True)
    x = models.FloatField(null=True, blank=True, help_text="East, in the outage model's projection.")
    y = models.FloatField(null=True, blank=True, help_text="North, in the outage model's projection.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """By id."""

        ordering = ["mrid"]

    def __str__(self) -> str:
        return self.mrid
