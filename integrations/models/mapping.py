"""Mappings as the console shows them, and a site's extensions (contract.md, "Mapping extensions")."""

from django.db import models
from simple_history.models import HistoricalRecords

from integrations.models.flow import Flow


class Mapping(models.Model):
    """A base mapping, as its `*.jsonata` file has it: read-only here, replaced with the code."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="mappings")
    name = models.CharField(max_length=100)
    expression = models.TextField()
    digest = models.CharField(max_length=64)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """One name a flow."""

        ordering = ["flow", "name"]
        constraints = [models.UniqueConstraint(fields=["flow", "name"], name="mapping_name_once_a_flow")]

    def __str__(self) -> str:
        return f"{self.flow.identifier}: {self.name}"


class MappingExtension(models.Model):
    """A site's own fields, attached to a point of the target; runs in a bounded subprocess.

    `base_digest` and `base_expression`: the base it was last tried with, so that a newer one shows.
    """

    mapping = models.ForeignKey(Mapping, on_delete=models.CASCADE, related_name="extensions")
    pointer = models.CharField(
        max_length=300,
        blank=True,
        help_text="JSON Pointer into the target; * for each item of a list; empty: the whole.",
    )
    expression = models.TextField(help_text="JSONata over {source, target, item}; returns the fields to set.")
    sample = models.JSONField(
        default=dict, blank=True, help_text="A source message it is tried with when saved."
    )
    active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0, help_text="Lower ones are applied first.")
    reason = models.CharField(max_length=300)
    base_digest = models.CharField(max_length=64, blank=True, editable=False, default="")
    base_expression = models.TextField(blank=True, editable=False, default="")
    history = HistoricalRecords()

    class Meta:
        """In the order they are applied."""

        ordering = ["mapping", "position", "id"]

    def __str__(self) -> str:
        return f"{self.mapping} at {self.pointer or 'the whole'}"

    @property
    def base_changed(self) -> bool:
        """Whether the code has brought another base since this was saved; False where it is not known."""
        return bool(self.base_digest) and self.base_digest != self.mapping.digest
