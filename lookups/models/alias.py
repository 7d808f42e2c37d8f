"""Other spellings."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from lookups.models.lookup import Manager
from lookups.names import fold_name, fold_property


class Alias(models.Model):
    """Another spelling of a lookup's or a property's name, as other documents write it."""

    class Of(models.TextChoices):
        """What it spells."""

        LOOKUP = "lookup", "Lookup"
        PROPERTY = "property", "Property"

    of = models.CharField(max_length=10, choices=Of.choices)
    spelling = models.CharField(max_length=200)
    folded = models.CharField(max_length=200, editable=False)
    meaning = models.CharField(max_length=200, help_text="The lookup's or property's own name.")
    history = HistoricalRecords(excluded_fields=["folded"])
    objects = Manager()

    class Meta:
        """One meaning a spelling."""

        ordering = ["of", "spelling"]
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint(fields=["of", "folded"], name="one_meaning_a_spelling")]

    def __str__(self) -> str:
        """What it stands for."""
        return f"{self.spelling} = {self.meaning}"

    def save(self, *args: Any, **options: Any) -> None:
        """Refuses what `clean` does, whoever saves."""
        self.clean()
        super().save(*args, **options)

    def clean(self) -> None:
        """Set the folded spelling; ValidationError if it says nothing or is taken."""
        super().clean()
        fold = fold_name if self.of == Alias.Of.LOOKUP else fold_property
        self.folded = fold(self.spelling)
        if not self.folded or self.folded == fold(self.meaning):
            raise ValidationError({"spelling": f"{self.spelling!r} finds {self.meaning!r} without an alias"})
        if Alias.objects.filter(of=self.of, folded=self.folded).exclude(pk=self.pk).exists():
            raise ValidationError({"spelling": f"{self.spelling!r} has a meaning already"})
