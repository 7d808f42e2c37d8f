"""Sending many instances again: what was chosen, how fast it goes, and what became of each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.models.instance import Instance


class BulkResubmission(models.Model):
    """An order to resubmit a family, a search or a selection, in the order the messages arrived."""

    class State(models.TextChoices):
        """AWAITING waits for a second person; RUNNING is worked on by the beat, at the order's rate."""

        AWAITING = "awaiting", "Waits for a second person"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        CANCELLED = "cancelled", "Cancelled"
        FINISHED = "finished", "Finished"

    selection = models.JSONField(default=dict, help_text="What was chosen, as it can be read again.")
    title = models.CharField(max_length=300, help_text="What was chosen, in words.")
    reason = models.TextField(blank=True)
    from_start = models.BooleanField(default=False)
    rate = models.PositiveIntegerField(default=60, help_text="Instances a minute.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    actor = models.CharField(max_length=150)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_by = models.CharField(max_length=150, blank=True)
    total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True, help_text="When the next one is due.")

    class Meta:
        """Newest first; the beat looks for what is due."""

        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["next_at"], name="bulk_due", condition=Q(state="running"))]
        permissions = [("approve_bulkresubmission", "Can approve another person's bulk resubmission")]

    def __str__(self) -> str:
        return self.title


class BulkItem(models.Model):
    """One instance of the order; the position is its place in the order of arrival."""

    class Outcome(models.TextChoices):
        """REFUSED says why in `text`; DROPPED was never reached, as the order was cancelled."""

        WAITING = "waiting", "Waiting"
        RESUBMITTED = "resubmitted", "Resubmitted"
        REFUSED = "refused", "Refused"
        DROPPED = "dropped", "Dropped"

    order = models.ForeignKey(BulkResubmission, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.WAITING)
    text = models.TextField(blank=True)
    at = models.DateTimeField(null=True)

    class Meta:
        """A place once an order, an instance once an order."""

        ordering = ["order", "position"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["order", "instance"], name="bulk_instance_once"),
            models.UniqueConstraint(fields=["order", "position"], name="bulk_position_once"),
        ]
        indexes = [models.Index(fields=["order", "outcome", "position"], name="bulk_item_next")]

    def __str__(self) -> str:
        return f"{self.position} of {self.order_id}"
