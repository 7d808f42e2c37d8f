"""Alerts: the rules, what they have found, and the signed webhooks on their way."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from integrations.crypto import EncryptedJSONField, EncryptedURLField
from integrations.models.flow import Flow


class AlertRule(models.Model):
    """When to tell whom, so that one outage is one message and not a thousand."""

    class Event(models.TextChoices):
        """What a rule looks for."""

        FAMILY = "family", "A kind of error that comes up: new, or open again"
        THRESHOLD = "threshold", "More errors than so many in so many minutes"
        OVERDUE = "overdue", "An acknowledgement that is overdue"
        LATE = "late", "A schedule or an expected file that is late"
        BREAKER = "breaker", "A connection's breaker has opened"
        EXPIRY = "expiry", "A certificate or secret that expires"
        BACKLOG = "backlog", "A queue that is older than so many minutes"

    name = models.CharField(max_length=100, unique=True)
    event = models.CharField(max_length=12, choices=Event.choices)
    flows = models.ManyToManyField(Flow, blank=True, related_name="+", help_text="None: every flow.")
    threshold = models.PositiveIntegerField(default=1, help_text="Errors, minutes or days, by the event.")
    minutes = models.PositiveIntegerField(default=60, help_text="The span the threshold is counted over.")
    recipients = models.TextField(blank=True, help_text="Addresses, one a line.")
    webhook_url = EncryptedURLField(max_length=500, blank=True, default="")
    webhook_secret = EncryptedJSONField(default=dict, blank=True, editable=False)
    digest_minutes = models.PositiveIntegerField(
        default=15, help_text="What comes within so many minutes of the first goes out together; 0: at once."
    )
    repeat_hours = models.PositiveIntegerField(
        default=24, help_text="Say again what is still so after so many hours; 0: never."
    )
    quiet_from = models.TimeField(null=True, blank=True, help_text="Nothing goes out from this time …")
    quiet_until = models.TimeField(null=True, blank=True, help_text="… until this one; it is kept till then.")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Zone the quiet hours are read in.")
    enabled = models.BooleanField(default=True)
    last_sent_at = models.DateTimeField(null=True, editable=False)
    trouble = models.TextField(
        blank=True, editable=False, help_text="Why it could not be followed last time."
    )
    history = HistoricalRecords(
        excluded_fields=["webhook_url", "webhook_secret", "last_sent_at", "trouble"], m2m_fields=[flows]
    )

    class Meta:
        """By name."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One thing a rule has found, once while it lasts: a family, a schedule, a connection."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    subject = models.CharField(max_length=200, help_text="What it is about, as model:id.")
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; one of a subject is open at a time."""

        ordering = ["-first_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"],
                condition=Q(ended_at__isnull=True),
                name="alert_once_while_it_lasts",
            )
        ]
        indexes = [
            models.Index(fields=["-first_at", "-id"], name="alert_newest"),
            models.Index(fields=["rule", "first_at"], name="alert_untold", condition=Q(told_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title


class WebhookDelivery(models.Model):
    """One signed POST to send, with a stable id, sent with back-off as mails are."""

    class State(models.TextChoices):
        """As a notification's."""

        PENDING = "pending", "Pending"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        GIVEN_UP = "given up", "Given up"

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=200, unique=True)
    body = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    status_code = models.PositiveIntegerField(null=True)
    trouble = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    resent_at = models.DateTimeField(
        null=True, editable=False, help_text="When a person last had it sent again; its days count from then."
    )
    sent_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; the outbox looks for what is due."""

        ordering = ["-created_at", "-id"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="webhook_newest"),
            models.Index(
                fields=["next_try_at"], name="webhook_due", condition=Q(state__in=["pending", "sending"])
            ),
        ]

    def __str__(self) -> str:
        return self.message_id
