"""Incidents: one trouble in the network, with all the tickets that tell of it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from integrations.models.ids import time_ordered_id


class Crew(models.Model):
    """A field crew that incidents are assigned to."""

    mrid = models.CharField("id", max_length=60, unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        """By name."""

        ordering = ["name", "mrid"]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """Open until it is restored; closed when the last of its callbacks is; archived later.

    `scope` says what an open incident stands for: a transformer or a service delivery point, of which there is one
    at a time; it is empty for those of tickets that no service delivery point is known of.
    """

    id = models.UUIDField("mRID", primary_key=True, default=time_ordered_id, editable=False)
    status = models.CharField(max_length=60)
    comment = models.TextField(blank=True, help_text="For the call centre: it goes out with every ticket.")
    cause = models.CharField(max_length=100, blank=True)
    subcause = models.CharField(max_length=100, blank=True)
    crews = models.ManyToManyField(Crew, blank=True, related_name="incidents")
    scope = models.CharField(max_length=300, blank=True, editable=False)
    service_point = models.ForeignKey(
        "crm.ServiceDeliveryPoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="incidents"
    )
    transformer_id = models.CharField(max_length=60, blank=True)
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    estimated_restoration_at = models.DateTimeField("estimated restoration", null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(excluded_fields=["scope", "updated_at"], m2m_fields=[crews])

    class Meta:
        """Newest first; the open one of a transformer or service delivery point is the only one."""

        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["scope"],
                condition=~Q(scope="") & Q(restored_at__isnull=True),
                name="one_open_incident_a_scope",
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="incident_newest"),
            models.Index(fields=["created_at"], name="incident_open", condition=Q(restored_at__isnull=True)),
            models.Index(
                fields=["closed_at"], name="incident_to_archive", condition=Q(archived_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def stage(self) -> str:
        """Where it stands: open, restored, closed or archived."""
        if self.archived_at:
            return "archived"
        if self.closed_at:
            return "closed"
        return "restored" if self.restored_at else "open"
