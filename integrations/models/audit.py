"""The audit trail: who did what to which row, never changed afterwards (reliability.md S20)."""

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One action of a person or client; append-only."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, help_text="What it was done to, as model:id.")
    detail = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        """Newest first."""

        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["subject", "-at"], name="audit_subject"),
            models.Index(fields=["action", "-at"], name="audit_action"),
            models.Index(fields=["actor", "-at"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once."""
        if not self._state.adding:
            self._refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never, but by the purge of whole old months in SQL."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise PermissionError("Audit entries are written once and not changed")
