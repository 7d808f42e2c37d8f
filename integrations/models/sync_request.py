"""Sync requests: records to be synchronised, and whether the other side said yes (seed 001 chapter 2)."""

from django.db import models
from django.db.models import Q

from integrations.models.connection import Connection
from integrations.models.file_transfer import FileTransfer
from integrations.models.instance import Instance


class SyncRequest(models.Model):
    """pending → awaiting acknowledgement → synchronised, or error → retried (design.md section 1)."""

    class Status(models.TextChoices):
        """PENDING while its file is under way; AWAITING once the file is at the target."""

        PENDING = "pending", "Pending"
        AWAITING = "awaiting", "Awaiting acknowledgement"
        SYNCHRONISED = "synchronised", "Synchronised"
        ERROR = "error", "Error"
        RETRIED = "retried", "Retried"
        UNKNOWN = "unknown", "Acknowledged, but never seen here"

    package = models.CharField(max_length=100)
    sync_request_id = models.CharField(max_length=120)
    entity = models.CharField(max_length=60, blank=True)
    external_id = models.CharField(max_length=120, blank=True, db_index=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    file_transfer = models.ForeignKey(
        FileTransfer, null=True, on_delete=models.SET_NULL, related_name="sync_requests"
    )
    source = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="+")
    instance = models.ForeignKey(Instance, null=True, on_delete=models.SET_NULL, related_name="sync_requests")
    noted_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledgement = models.ForeignKey(
        Instance, null=True, on_delete=models.SET_NULL, related_name="acknowledgements"
    )
    positive = models.BooleanField(null=True)
    message = models.TextField(blank=True)
    parts = models.JSONField(
        default=dict,
        blank=True,
        help_text="What each part of it was answered, where several are acknowledged apart.",
    )

    class Meta:
        """One id a package."""

        ordering = ["-noted_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["package", "sync_request_id"], name="sync_request_once_a_package")
        ]
        indexes = [
            models.Index(fields=["overdue_at"], name="sync_request_overdue", condition=Q(status="awaiting")),
            models.Index(fields=["status", "-noted_at"], name="sync_request_by_status"),
            models.Index(fields=["-noted_at", "-id"], name="sync_request_newest"),
        ]

    def __str__(self) -> str:
        return self.sync_request_id
