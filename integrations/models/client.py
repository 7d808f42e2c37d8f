"""Callers: edge systems that call the hub's endpoints, and which flows each may call."""

from django.conf import settings
from django.db import models
from oauth2_provider.settings import oauth2_settings
from simple_history.models import HistoricalRecords

from integrations.models.flow import Flow


class Client(models.Model):
    """An edge system's log-in: id and secret for Basic and OAuth2 client credentials, or an API key.

    Secrets are made here, long and random, so a fast hash keeps them (reliability.md S4).
    """

    client_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200, blank=True)
    secret_hash = models.CharField(max_length=128, blank=True, editable=False)
    api_key_hash = models.CharField(max_length=128, blank=True, editable=False, db_index=True)
    application = models.OneToOneField(
        oauth2_settings.APPLICATION_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="Whose permissions this client has on the monitoring API; empty: none.",
    )
    flows = models.ManyToManyField(Flow, blank=True, related_name="clients")
    secret_expires_on = models.DateField(
        null=True, blank=True, help_text="When its secret should be rotated by; the home page warns before."
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["secret_hash", "api_key_hash"], m2m_fields=[flows])

    class Meta:
        """By id."""

        ordering = ["client_id"]

    def __str__(self) -> str:
        return self.client_id

    @property
    def is_authenticated(self) -> bool:
        """A client that got this far showed its credentials (REST framework asks)."""
        return True
