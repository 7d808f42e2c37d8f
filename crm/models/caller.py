"""Which clients may call the CRM operations."""

from django.db import models
from simple_history.models import HistoricalRecords


class CrmCaller(models.Model):
    """That a client may call the CRM interface, and which of its operations."""

    client = models.OneToOneField("integrations.Client", on_delete=models.CASCADE, related_name="crm_caller")
    operations = models.JSONField(
        default=list, blank=True, help_text="Names of the operations it may call; empty: all of them."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        """By client."""

        ordering = ["client"]
        verbose_name = "CRM caller"

    def __str__(self) -> str:
        return str(self.client)
