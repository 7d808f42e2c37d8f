"""A flow's row: what can be switched, traced and kept; what it does is code."""

from datetime import timedelta

from django.db import models
from simple_history.models import HistoricalRecords


class Flow(models.Model):
    """One integration process, made from its code after each migrate (design.md section 1)."""

    class Pattern(models.TextChoices):
        """Who waits for what (flows.md)."""

        SYNCHRONOUS = "sync", "Synchronous: the caller waits for the target's answer"
        ASYNCHRONOUS = "async", "Asynchronous: accepted and stored, run by a worker"
        FILE = "file", "File: scheduled or run by hand, moves files"
        CHILD = "child", "Child: called by other flows, or by URL with a file"
        LOCAL = "local", "Local: called inside the hub only"

    class Tracing(models.TextChoices):
        """What an instance keeps beside its activity stream."""

        PRODUCTION = "production", "Production: no payloads"
        AUDIT = "audit", "Audit: payloads"
        DEBUG = "debug", "Debug: payloads, and every mapping's input and output"

    identifier = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    package = models.CharField(max_length=100, db_index=True)
    version = models.CharField(max_length=20, default="01.00.0000")
    pattern = models.CharField(max_length=10, choices=Pattern.choices)
    description = models.TextField(blank=True)
    active = models.BooleanField(default=False, help_text="An inactive flow accepts and starts nothing.")
    tracing = models.CharField(max_length=12, choices=Tracing.choices, default=Tracing.PRODUCTION)
    tracing_until = models.DateTimeField(
        null=True, blank=True, help_text="Debug goes back to production by itself at this time."
    )
    retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Days an ended instance keeps its payloads; empty: HUB_RETENTION_DAYS.",
    )
    acknowledgement_hours = models.PositiveIntegerField(
        default=24, help_text="Hours after which a sync request without acknowledgement counts as overdue."
    )
    clone_of = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="clones"
    )
    stands_for = models.JSONField(
        default=dict,
        blank=True,
        help_text="A clone's own connections and lookups by the names its code uses.",
    )
    present = models.BooleanField(default=True, help_text="Whether the code still has this flow.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        """Sorted as packages list them."""

        ordering = ["package", "identifier"]
        permissions = [
            ("run_flow", "Can run a flow by hand"),
            ("activate_flow", "Can switch a flow on and off"),
            ("trace_flow", "Can change a flow's tracing level"),
            ("clone_flow", "Can clone a flow under a new identifier"),
            ("package_flow", "Can export and import packages"),
        ]

    def __str__(self) -> str:
        return self.identifier

    @property
    def acknowledgement_span(self) -> timedelta:
        """How long an acknowledgement may take before it is overdue."""
        return timedelta(hours=self.acknowledgement_hours)
