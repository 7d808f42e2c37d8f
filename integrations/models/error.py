"""Error instances as operators see them, and the families they belong to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.models.flow import Flow
from integrations.models.instance import Instance


class FaultClass(models.TextChoices):
    """Why it failed (design.md section 1)."""

    TECHNICAL = "technical", "Technical: data or mapping"
    REMOTE = "remote", "Remote: system down, refused or timed out"
    BUSINESS = "business", "Business: the target said no"


class ErrorFamily(models.Model):
    """Errors with one cause: same flow, same fault, same message once its numbers and ids are taken out."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="error_families")
    fault_class = models.CharField(max_length=10, choices=FaultClass.choices)
    fault_code = models.CharField(max_length=40)
    message = models.TextField(help_text="The message, its changing parts replaced.")
    signature = models.CharField(max_length=64, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        """Newest first."""

        ordering = ["-last_seen"]
        verbose_name_plural = "error families"

    def __str__(self) -> str:
        return f"{self.flow.identifier}: {self.message[:80]}"


class ErrorInstance(models.Model):
    """A failed instance: open until it is resubmitted and recovers, or is discarded with a reason."""

    class State(models.TextChoices):
        """Where a person stands with it."""

        OPEN = "open", "Open"
        RESUBMITTED = "resubmitted", "Resubmitted"
        RECOVERED = "recovered", "Recovered"
        DISCARDED = "discarded", "Discarded"

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, related_name="error")
    family = models.ForeignKey(ErrorFamily, on_delete=models.PROTECT, related_name="errors")
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    fault_class = models.CharField(max_length=10, choices=FaultClass.choices)
    fault_code = models.CharField(max_length=40)
    text = models.TextField()
    detail = models.TextField(blank=True)
    step = models.CharField(max_length=200, blank=True)
    failures = models.PositiveIntegerField(default=1, help_text="Times this instance has failed.")
    first_failed_at = models.DateTimeField()
    last_failed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        """Open ones are what the list is for."""

        ordering = ["-last_failed_at", "-id"]
        indexes = [
            models.Index(fields=["state", "-last_failed_at"], name="error_by_state"),
            models.Index(fields=["family", "-last_failed_at"], name="error_by_family"),
            models.Index(fields=["family"], name="error_open_by_family", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return self.text[:80]
