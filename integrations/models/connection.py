"""Connections: how to reach one system with one adapter."""

from django.db import models
from simple_history.models import HistoricalRecords

from integrations.crypto import EncryptedJSONField
from integrations.models.certificate import TrustCertificate


class AgentGroup(models.Model):
    """A group of agents behind one firewall; name and identifier are the same (seed 001 chapter 5)."""

    identifier = models.CharField(max_length=50, unique=True)
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        """By identifier."""

        ordering = ["identifier"]

    def __str__(self) -> str:
        return self.identifier


class Connection(models.Model):
    """One system reached by one adapter; settings are plain, secrets encrypted and never shown again."""

    class Role(models.TextChoices):
        """Whether it starts flows, is called by them, or both."""

        INVOKE = "invoke", "Called by flows"
        TRIGGER = "trigger", "Calls the hub"
        BOTH = "both", "Both"

    name = models.CharField(max_length=100, unique=True)
    adapter = models.CharField(max_length=30)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.INVOKE)
    package = models.CharField(max_length=100, blank=True, db_index=True)
    description = models.CharField(max_length=300, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True)
    secrets_expire_on = models.DateField(
        null=True,
        blank=True,
        help_text="When its password, key or token expires; the home page warns before.",
    )
    host_key = models.TextField(
        blank=True,
        help_text="The SSH server's public key, e.g. ssh-ed25519 AAAA…; an unknown key is refused.",
    )
    trust = models.ManyToManyField(TrustCertificate, blank=True, related_name="connections")
    agent_group = models.ForeignKey(
        AgentGroup, null=True, blank=True, on_delete=models.PROTECT, related_name="connections"
    )
    catalog_url = models.URLField(
        blank=True, help_text="The target's OpenAPI document, for Test and Refresh."
    )
    connect_timeout = models.FloatField(default=10, help_text="Seconds to reach the system.")
    read_timeout = models.FloatField(default=300, help_text="Seconds to wait for each answer.")
    retries = models.PositiveIntegerField(default=4, help_text="Times a passing fault is tried again.")
    parallel = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Small files or segments under way at once in one run; empty: as suits the protocol.",
    )
    last_test_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_test_ok = models.BooleanField(null=True, editable=False)
    last_test_report = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(
        excluded_fields=["secrets", "last_test_at", "last_test_ok", "last_test_report"], m2m_fields=[trust]
    )

    class Meta:
        """By name."""

        ordering = ["name"]
        permissions = [("test_connection", "Can test a connection")]

    def __str__(self) -> str:
        return self.name


class Breaker(models.Model):
    """A connection's breaker: after five faults in a row, instances wait instead of failing."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="breaker")
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    last_fault = models.TextField(blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"breaker of {self.connection_id}"
