"""The activity stream: what an instance did, line by line."""

from django.db import models
from django.utils import timezone

from integrations.models.connection import Connection
from integrations.models.instance import Instance
from integrations.models.payload import Payload


class Activity(models.Model):
    """One line: when, how long, what was called, sizes, status; payloads where the tracing level keeps them."""

    class Kind(models.TextChoices):
        """What sort of thing happened."""

        RECEIVED = "received", "Received"
        MAPPED = "mapped", "Mapped"
        CALLED = "called", "Called"
        LISTED = "listed", "Listed"
        MOVED = "moved", "Moved"
        RENAMED = "renamed", "Renamed"
        CHILD = "child", "Child flow"
        NOTED = "noted", "Noted"
        MAILED = "mailed", "Mail queued"
        FAULT = "fault", "Fault"
        ENDED = "ended", "Ended"

    class Level(models.TextChoices):
        """How an operator should read it."""

        INFO = "info", "Information"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="activities")
    attempt = models.PositiveIntegerField(default=1)
    at = models.DateTimeField(default=timezone.now)
    duration_ms = models.FloatField(null=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    text = models.TextField()
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="+")
    operation = models.CharField(max_length=200, blank=True)
    status_code = models.PositiveIntegerField(null=True)
    bytes_out = models.BigIntegerField(null=True)
    bytes_in = models.BigIntegerField(null=True)
    payload_out = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    payload_in = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        """In the order it happened."""

        ordering = ["instance", "id"]
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return self.text
