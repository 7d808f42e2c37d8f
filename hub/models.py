"""Failed log-ins, counted in the database so that every web process sees the same count."""

from django.db import models


class LoginAttempt(models.Model):
    """Failures in a row of one user name from one address; a digest, for people type passwords there."""

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_failed_at = models.DateTimeField(db_index=True)
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        """No pages, so no permissions."""

        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.failures} failures"
