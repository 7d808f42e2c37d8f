"""Payload rows: digest, size and type; the bytes are in the content-addressed store."""

from django.db import models


class Payload(models.Model):
    """One stored content, by the SHA-256 of its plain bytes; held once however many rows refer to it."""

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=100, default="application/octet-stream")
    encrypted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        """Who may look at contents is a right of its own."""

        permissions = [("read_payload", "Can read stored payloads")]

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.size} bytes)"
