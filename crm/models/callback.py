"""Callbacks: who is to be told what, and who has taken that on (seed 004 chapters 7 to 9)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.models.ids import time_ordered_id


class Callback(models.Model):
    """One call to make. Assigned to a CSR or to the adapter until it is closed or `release_at` has come."""

    class State(models.TextChoices):
        """Queued, with somebody, or done."""

        QUEUED = "queued", "Queued"
        ASSIGNED = "assigned", "Assigned"
        CLOSED = "closed", "Closed"

    id = models.UUIDField("mRID", primary_key=True, default=time_ordered_id, editable=False)
    ticket = models.ForeignKey("crm.TroubleTicket", on_delete=models.CASCADE, related_name="callbacks")
    incident = models.ForeignKey("crm.Incident", on_delete=models.CASCADE, related_name="callbacks")
    reason = models.CharField(max_length=100)
    priority = models.PositiveSmallIntegerField(default=0)
    language_id = models.IntegerField("language")
    automatic = models.BooleanField(default=False, help_text="For the IVR alone; agents do not get it.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    assigned_to = models.CharField(max_length=255, blank=True)
    assigned_at = models.DateTimeField(null=True, blank=True)
    release_at = models.DateTimeField(
        null=True, blank=True, help_text="When it goes back to the queue if it is not closed by then."
    )
    times_assigned = models.PositiveIntegerField(default=0)
    result = models.CharField(max_length=255, blank=True)
    result_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)
    last_update_user = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """As they are handed out: the highest priority first, of one priority the oldest."""

        ordering = ["-priority", "created_at", "id"]
        indexes = [
            models.Index(
                fields=["-priority", "created_at", "id"], name="callback_queue", condition=~Q(state="closed")
            ),
            models.Index(fields=["incident", "state"], name="callback_of_incident"),
        ]

    def __str__(self) -> str:
        return str(self.id)
