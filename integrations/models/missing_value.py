"""Values that a lookup did not have, counted, with the errors that would be released by adding them."""

from django.db import models

from integrations.models.error import ErrorInstance


class MissingValue(models.Model):
    """One value that was not found: in which lookup, under which column, for which target column."""

    lookup = models.CharField(max_length=100, help_text="The lookup's name.")
    column = models.CharField(
        max_length=200, help_text="Where it was looked for; a property list's: its name."
    )
    value = models.CharField(max_length=500)
    target = models.CharField(max_length=200, blank=True, help_text="The column that was asked for.")
    signature = models.CharField(max_length=64, unique=True, editable=False)
    count = models.PositiveIntegerField(default=0, help_text="Times it was not found.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    errors = models.ManyToManyField(ErrorInstance, related_name="missing_values")
    settled_at = models.DateTimeField(null=True, help_text="When a row for it was there.")
    settled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """Newest first; what nobody has settled is what the page is for."""

        ordering = ["-last_seen", "-id"]
        indexes = [models.Index(fields=["settled_at", "-last_seen"], name="missing_value_open")]

    def __str__(self) -> str:
        return f"{self.lookup}: {self.column} {self.value!r}"
