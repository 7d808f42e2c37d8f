"""What came in over SOAP and REST: headers, outcome, and the reply that a repeated MessageID gets."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.models.ids import time_ordered_id


class ReceivedMessage(models.Model):
    """One message and its answer. Flags that ask for an asynchronous reply are recorded, not acted on (contract)."""

    id = models.UUIDField(primary_key=True, default=time_ordered_id, editable=False)
    operation = models.CharField(max_length=60)
    client = models.ForeignKey(
        "integrations.Client", null=True, on_delete=models.SET_NULL, related_name="crm_messages"
    )
    transport = models.CharField(max_length=10)
    message_id = models.CharField(max_length=255, blank=True)
    correlation_id = models.CharField(max_length=255, blank=True)
    source = models.CharField(max_length=255, blank=True)
    user_id = models.CharField("user", max_length=255, blank=True)
    organization = models.CharField(max_length=255, blank=True)
    async_reply = models.BooleanField(default=False)
    reply_address = models.CharField(max_length=255, blank=True)
    ack_required = models.BooleanField(default=False)
    header = models.JSONField(default=dict)
    content_digest = models.CharField(max_length=64, blank=True)
    repeatable = models.BooleanField(default=True, help_text="A repeat of its MessageID gets this reply.")
    result = models.CharField(max_length=10, blank=True)
    reasons = models.JSONField(default=list)
    items = models.PositiveIntegerField(default=0)
    repeats = models.PositiveIntegerField(default=0)
    reply = models.BinaryField(null=True)
    milliseconds = models.FloatField(null=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Newest first; a MessageID once a client and operation, where it is kept to be answered again."""

        ordering = ["-received_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "operation", "message_id"],
                condition=Q(repeatable=True) & ~Q(message_id=""),
                name="crm_message_once",
            )
        ]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="crm_message_newest"),
            models.Index(fields=["message_id"], name="crm_message_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.message_id or self.id}"


class Nonce(models.Model):
    """A nonce that a client has used: not again within a day."""

    client = models.ForeignKey("integrations.Client", on_delete=models.CASCADE, related_name="+")
    value = models.CharField(max_length=255)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        """Once a client."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["client", "value"], name="crm_nonce_once")]

    def __str__(self) -> str:
        return self.value
