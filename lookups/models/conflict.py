"""What a package and the site both changed: kept until a person decides."""

from django.conf import settings
from django.db import models

from lookups.models.lookup import Lookup
from lookups.models.row import Row


class RowConflict(models.Model):
    """One row that differs from what a package last brought, where the package's newer version differs too.

    `base`, `ours`, `theirs`: lines (`lookups.lines.Line` as plain values) as the package last brought the row, as it
    was here when the newer version came, and as that has it; null where there was no such row.
    """

    class Kind(models.TextChoices):
        """What happened on both sides."""

        CHANGED = "changed", "Changed here and in the package"
        ADDED = "added", "Added here and in the package, differently"
        REMOVED = "removed", "Changed here, no longer in the package"
        DELETED = "deleted", "Deleted here, changed in the package"

    class State(models.TextChoices):
        """What was decided."""

        OPEN = "open", "Open"
        KEPT = "kept", "Ours kept"
        TAKEN = "taken", "Theirs taken"
        MERGED = "merged", "Merged"

    lookup = models.ForeignKey(Lookup, models.CASCADE, related_name="conflicts")
    row = models.ForeignKey(  # a number that outlives the row, which comes back under it
        Row, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    label = models.CharField("row", max_length=200)  # its first cell, which outlives the row
    kind = models.CharField("what happened", max_length=10, choices=Kind.choices)
    base = models.JSONField(null=True)
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    source = models.CharField(max_length=10, default="shipped", editable=False)  # a `lookups.lines.Source`
    package = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(auto_now_add=True)
    decided = models.JSONField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first; it is decided with the permission to change rows, so there is one to see it only."""

        verbose_name = "merge conflict"
        ordering = ["-found_at", "-pk"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["state", "lookup"])]

    def __str__(self) -> str:
        """The row and its lookup."""
        return f"{self.label} of {self.lookup}"

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to decide."""
        return self.state == RowConflict.State.OPEN
