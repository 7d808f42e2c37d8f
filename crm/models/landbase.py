"""What is drawn on the map besides the network: poles, intersections, addresses (seed 004 table 10.3)."""

from django.db import models


class LandbaseObject(models.Model):
    """A place that a landbase search finds by its parameters' exact values."""

    search_type = models.CharField(max_length=100)
    key = models.CharField(
        max_length=255, editable=False, help_text="The parameters, folded: what a search looks for."
    )
    parameters = models.JSONField(default=dict, help_text="Search parameter → value, e.g. street1 → MAIN ST.")
    x = models.FloatField(help_text="East, in the outage model's projection.")
    y = models.FloatField(help_text="North, in the outage model's projection.")

    class Meta:
        """By type and parameters."""

        ordering = ["search_type", "key"]
        constraints = [models.UniqueConstraint(fields=["search_type", "key"], name="landbase_object_once")]

    def __str__(self) -> str:
        return f"{self.search_type} {', '.join(map(str, self.parameters.values()))}"
