"""A lookup: its name, columns, and what its package last brought."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from lookups.kinds import cell_of
from lookups.names import fold_name
from lookups.stamps import TouchingQuerySet

Manager = models.Manager.from_queryset(TouchingQuerySet)


class Lookup(models.Model):
    """A table that translates codes, or a property list."""

    class Form(models.TextChoices):
        """What the rows are."""

        TABLE = "table", "Table: each row holds the same thing in each column's words"
        PROPERTIES = "properties", "Property list: name, value and description"

    name = models.CharField(max_length=100, unique=True)
    folded = models.CharField(max_length=100, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Form.choices, default=Form.TABLE)
    package = models.CharField(max_length=100, blank=True, db_index=True)
    description = models.TextField(blank=True)
    columns = models.JSONField(
        default=list,
        help_text="One name a line. A changed line renames its column; new columns are added at the end.",
    )
    shipped = models.JSONField(default=list, editable=False)  # first cells of rows the package brought
    brought = models.JSONField(
        default=dict, editable=False
    )  # lines as last brought, by `lookups.lines.Source`; and `columns`: the same for their names and places
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(excluded_fields=["shipped", "brought", "folded"])
    objects = Manager()

    class Meta:
        """Sorted as packages list them."""

        ordering = ["package", "name"]

    def __str__(self) -> str:
        """Its name."""
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Refuses (ValidationError) what `clean` does, whoever saves."""
        self.clean()
        super().save(*args, **options)

    @property
    def is_properties(self) -> bool:
        """Whether it is a property list."""
        return self.kind == Lookup.Form.PROPERTIES

    def clean(self) -> None:
        """Set the folded name; ValidationError on a name that is taken and on columns that cannot be."""
        super().clean()
        self.name = self.name.strip()
        self.folded = fold_name(self.name)
        taken = Lookup.objects.filter(folded=self.folded).exclude(pk=self.pk).first()
        if not self.folded or taken:
            raise ValidationError(
                {"name": f"{self.name!r} is the same name as {taken}" if taken else "Give a name"}
            )
        self.columns = [cell_of(column) for column in self.columns]
        if problem := self._columns_problem():
            raise ValidationError({"columns": problem})

    def _columns_problem(self) -> str:
        folded = [fold_name(column) for column in self.columns]
        if not all(folded) or len(set(folded)) < len(folded):
            return "Each column needs a name of its own"
        most = 3 if self.is_properties else 50
        if not 2 <= len(folded) <= most:  # noqa: PLR2004  (two columns translate; fewer cannot)
            return f"{self.get_kind_display().split(':')[0]}: 2 to {most} columns"
        return self._dropped_problem(len(folded))

    def _dropped_problem(self, width: int) -> str:
        before = Lookup.objects.filter(pk=self.pk).values_list("columns", flat=True).first() or []
        if len(before) <= width:
            return ""
        losing = sum(any(cells[width:]) for cells in self.rows.values_list("cells", flat=True))
        return f"{losing} row(s) have values in the columns you take away" if losing else ""
