"""Packages that were uploaded: what they would change, what was there before, what arrived."""

from django.db import models
from django.utils import timezone

from integrations.models.payload import Payload


class PackageImport(models.Model):
    """One uploaded package: looked at first, then imported once, with a backup of what it touched."""

    class State(models.TextChoices):
        """A package that was only looked at has changed nothing."""

        PREVIEW = "preview", "Looked at, not imported"
        IMPORTED = "imported", "Imported"

    name = models.CharField(max_length=200, help_text="The file's name.")
    packages = models.JSONField(default=list)
    made_at = models.CharField(
        max_length=40, blank=True, help_text="When it was exported, as it says itself."
    )
    file = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    backup = models.ForeignKey(Payload, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEW)
    report = models.JSONField(default=list, help_text="Item by item: what arrived, and what is left to do.")
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    imported_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; who may see it is asked for by `package_flow`, as its settings are not everyone's."""

        ordering = ["-created_at", "-id"]
        default_permissions = ("change",)
        verbose_name = "package import"
        verbose_name_plural = "packages"
        indexes = [models.Index(fields=["-created_at", "-id"], name="package_import_newest")]

    def __str__(self) -> str:
        return self.name
