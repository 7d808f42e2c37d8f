"""Trust certificates, uploaded by alias (seed 001 chapter 5, "Setting up Certificates for Security")."""

from django.db import models
from simple_history.models import HistoricalRecords


class TrustCertificate(models.Model):
    """A certificate (or bundle) that TLS connections naming its alias trust."""

    alias = models.CharField(max_length=100, unique=True)
    pem = models.TextField("certificate (PEM)")
    subject = models.CharField(max_length=500, editable=False)
    issuer = models.CharField(max_length=500, editable=False)
    fingerprint = models.CharField("SHA-256 fingerprint", max_length=95, editable=False)
    not_before = models.DateTimeField(editable=False)
    not_after = models.DateTimeField("expires", editable=False, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        """By alias."""

        ordering = ["alias"]

    def __str__(self) -> str:
        return self.alias
