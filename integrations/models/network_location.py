"""Where a service point hangs in the network, as the grid-edge system last said (seed 002, SP Network Location)."""

from django.db import models


class NetworkLocation(models.Model):
    """One service point's transformer, feeder and substation; any of them may be unknown."""

    service_point_id = models.CharField(max_length=60, unique=True)
    division = models.CharField(max_length=60, blank=True)
    transformer_id = models.CharField(max_length=60, blank=True, db_index=True)
    feeder_id = models.CharField(max_length=60, blank=True, db_index=True)
    substation_id = models.CharField(max_length=60, blank=True)
    effective_at = models.DateTimeField(null=True, help_text="From when it holds, as the file says.")
    file_transfer = models.ForeignKey(
        "integrations.FileTransfer", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    noted_at = models.DateTimeField(auto_now=True)

    class Meta:
        """By service point."""

        ordering = ["service_point_id"]

    def __str__(self) -> str:
        return self.service_point_id
