"""Fields of payloads that the console shows as dots, but to those who may see them."""

from django.db import models
from simple_history.models import HistoricalRecords

from integrations.models.flow import Flow


class MaskedField(models.Model):
    """A field's name, wherever in a payload it stands: of one flow, or of all."""

    name = models.CharField(max_length=100, help_text="The field's name, in any case; * stands for any text.")
    flow = models.ForeignKey(
        Flow,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty: every flow.",
    )
    reason = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=True)
    history = HistoricalRecords()

    class Meta:
        """By name; who may look behind a mask is a right of its own."""

        ordering = ["name", "id"]
        permissions = [("read_masked", "Can read masked fields")]

    def __str__(self) -> str:
        return self.name
