"""Trouble tickets and the people behind them (seed 004 tables 10.1 to 10.3)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.models.ids import time_ordered_id


class TroubleTicket(models.Model):
    """One call: what is wrong, where, who called, and whether they want to be called back."""

    class Kind(models.TextChoices):
        """What places it: a service delivery point, a landbase search, coordinates, or nothing."""

        CUSTOMER = "customer", "Customer"
        LANDBASE = "landbase", "Landbase"
        LOCATION = "location", "Location"
        UNLOCATED = "unlocated", "Unlocated"

    id = models.UUIDField("mRID", primary_key=True, default=time_ordered_id, editable=False)
    name = models.CharField("external id", max_length=255, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    trouble_code = models.CharField(max_length=255)
    comment = models.TextField(blank=True)
    source = models.CharField(max_length=255)
    csr_id = models.CharField("CSR", max_length=255, blank=True)
    language_id = models.IntegerField("language")
    event_at = models.DateTimeField("trouble began")
    received_at = models.DateTimeField("first call")
    call_back = models.BooleanField("wants a callback", default=False)
    callback_media = models.JSONField(default=list, blank=True)
    callback_periods = models.JSONField(default=list, blank=True, help_text="[{start, end}]")
    hazards = models.JSONField(default=list, blank=True)
    special_caller = models.BooleanField(default=False, help_text="Police, fire department.")
    usage_point = models.CharField("usage point given", max_length=255, blank=True)
    service_point = models.ForeignKey(
        "crm.ServiceDeliveryPoint", null=True, blank=True, on_delete=models.PROTECT, related_name="tickets"
    )
    location = models.JSONField(default=list, blank=True, help_text="The Location elements as they came.")
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    incident = models.ForeignKey(
        "crm.Incident", null=True, blank=True, on_delete=models.PROTECT, related_name="tickets"
    )
    message = models.ForeignKey(
        "crm.ReceivedMessage", null=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    last_update_user = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first. An external id may come twice (seed 004 chapter 2)."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["name"], name="ticket_name", condition=~Q(name="")),
            models.Index(fields=["-id"], name="ticket_archived", condition=Q(archived_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)


class CallerContact(models.Model):
    """One way to reach one caller of a ticket; the first that came is the first caller's."""

    class Media(models.TextChoices):
        """What the value is; nothing where only the caller's name is known."""

        EMAIL = "email", "E-mail"
        LANDLINE = "landline", "Landline"
        MOBILE = "mobile", "Mobile"
        NONE = "", "Name only"

    ticket = models.ForeignKey(TroubleTicket, on_delete=models.CASCADE, related_name="contacts")
    position = models.PositiveIntegerField(default=0)
    first_name = models.CharField(max_length=520, blank=True)
    last_name = models.CharField(max_length=255, blank=True)
    media = models.CharField(max_length=10, choices=Media.choices, blank=True)
    value = models.CharField(max_length=255, blank=True)
    search = models.CharField(
        max_length=255, blank=True, editable=False, help_text="Digits, or the address in small letters."
    )
    preferred = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """In the order they came; one preferred a ticket."""

        ordering = ["ticket", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(preferred=True), name="one_preferred_contact_a_ticket"
            )
        ]
        indexes = [
            models.Index(fields=["search"], name="contact_search", condition=~Q(search="")),
            models.Index(fields=["last_name"], name="contact_last_name"),
        ]

    def __str__(self) -> str:
        who = f"{self.first_name} {self.last_name}".strip()
        return f"{who} {self.value}".strip() or "nobody"
