"""The outbox of e-mails: rows with a stable id, sent with back-off, lost with no mail server."""

from django.db import models
from django.utils import timezone

from integrations.models.instance import Instance


class Notification(models.Model):
    """One e-mail to send: an error, a process complete, a no-file-found."""

    class Kind(models.TextChoices):
        """As in the mail's X-Busbar-Kind header (contract.md)."""

        ERROR = "error", "Error"
        PROCESS_COMPLETE = "process-complete", "Process complete"
        NO_FILE = "no-file", "No file found"
        ALERT = "alert", "Alert"

    class State(models.TextChoices):
        """SENDING found after its lease is UNKNOWN: the server may have taken it; it is sent again, same id."""

        PENDING = "pending", "Pending"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        GIVEN_UP = "given up", "Given up"

    instance = models.ForeignKey(Instance, null=True, on_delete=models.SET_NULL, related_name="notifications")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    dedupe = models.CharField(
        max_length=200, unique=True, help_text="Instance, kind and round: one mail each."
    )
    message_id = models.CharField(max_length=200, unique=True)
    sender = models.CharField(max_length=254)
    recipients = models.JSONField(default=list)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    headers = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    maybe_twice = models.BooleanField(
        default=False, help_text="A crash fell between the server's yes and the record."
    )
    next_try_at = models.DateTimeField(default=timezone.now)
    trouble = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    resent_at = models.DateTimeField(
        null=True, editable=False, help_text="When a person last had it sent again; its days count from then."
    )
    sent_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; the outbox looks for what is due."""

        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="notification_due",
                condition=models.Q(state__in=["pending", "sending"]),
            ),
            models.Index(fields=["-created_at", "-id"], name="notification_newest"),
            models.Index(fields=["state", "-created_at"], name="notification_by_state"),
        ]

    def __str__(self) -> str:
        return self.subject
