"""Lookups' tables: a lookup and its rows, other spellings, and the stamps that tell of edits."""

from collections.abc import Collection
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from lookups.kinds import Kind, cell_of, cell_problem, value_problem
from lookups.names import fold_name, fold_property
from lookups.stamps import TouchingQuerySet

NAME, VALUE, DESCRIPTION = 0, 1, 2  # the columns of a property list
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
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(excluded_fields=["shipped", "folded"])
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


class RowChange(models.Model):
    """What history keeps beside the new values: the old ones, as `Row.state` gives them."""

    before = models.JSONField(null=True)

    class Meta:
        """Part of the history table."""

        abstract = True


class Row(models.Model):
    """One row: its cells in the order of the lookup's columns; for a property, also what its value may be."""

    lookup = models.ForeignKey(Lookup, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField(default=0, editable=False)
    cells = models.JSONField(default=list)
    text = models.TextField(editable=False)  # the cells, a line each, to search in
    folded = models.CharField(max_length=200, null=True, editable=False)  # noqa: DJ001  (NULL: a table's rows may be alike)
    kind = models.CharField("kind of value", max_length=10, choices=Kind.choices, default=Kind.TEXT)
    choices = models.JSONField(default=list, blank=True, help_text="One a line, for “one of a list”.")
    required = models.BooleanField(default=False, help_text="The value cannot be blank.")
    default = models.CharField(max_length=500, blank=True, help_text="What counts while the value is blank.")
    shipped = models.JSONField(null=True, editable=False)  # the cells as the package brought them
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(
        bases=[RowChange],
        excluded_fields=["folded", "shipped"],
        verbose_name="lookup change",
        verbose_name_plural="lookup changes",
    )
    objects = Manager()
    before: dict[str, Any] | None = None
    TRACKED = ("cells", "kind", "choices", "required", "default")

    class Meta:
        """In the order they were made or imported."""

        ordering = ["lookup", "position", "pk"]
        permissions = [
            ("edit_keys", "Can edit names and descriptions of property lists, add and delete properties")
        ]
        constraints = [models.UniqueConstraint(fields=["lookup", "folded"], name="one_property_a_name")]
        indexes = [models.Index(fields=["lookup", "position"])]

    def __str__(self) -> str:
        """Its first cell."""
        return str(self.cells[0]) if self.cells else ""

    def save(self, *args: Any, **options: Any) -> None:
        """Refuses what `clean` does, whoever saves; a new row comes last."""
        self.clean()
        if self._state.adding and not self.position:
            last = Row.objects.filter(lookup=self.lookup).aggregate(last=models.Max("position"))["last"]
            self.position = (last or 0) + 1
        super().save(*args, **options)
        self.before = self.state()

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> Self:
        """Keep the stored values, for history."""
        row = super().from_db(db, field_names, values, **more)
        if set(cls.TRACKED) <= set(field_names):
            row.before = row.state()
        return row

    def state(self) -> dict[str, Any]:
        """What a person can change, as plain values."""
        return {
            "cells": list(self.cells),
            "kind": str(self.kind),
            "choices": list(self.choices),
            "required": self.required,
            "default": self.default,
        }

    def normalise(self) -> None:
        """Trim the cells, as many as there are columns, and set what is derived from them."""
        width = len(self.lookup.columns)
        self.cells = [cell_of(cell) for cell in [*self.cells, *[""] * width][:width]]
        self.text = "\n".join(self.cells)
        self.folded = fold_property(self.cells[NAME])[:200] if self.lookup.is_properties else None

    def problems(self) -> dict[str, str]:
        """What is wrong, by column name or field; a normalised row is expected."""
        columns = self.lookup.columns
        found = {
            columns[at]: f"{columns[at]} {said}"
            for at, cell in enumerate(self.cells)
            if (said := cell_problem(cell))
        }
        if self.lookup.is_properties:
            return self._property_problems() | found
        return found if any(self.cells) else {columns[0]: "A row cannot be blank"}

    def clean(self) -> None:
        """Normalise; ValidationError on what `problems` finds and on a property that is there already."""
        super().clean()
        self.normalise()
        if found := self.problems():
            raise ValidationError([f"{text}." for text in found.values()])
        if self.folded and (same := self._namesake()):
            raise ValidationError(f"{self.lookup} has the property {same} already.")

    def _namesake(self) -> "Row | None":
        """Another property of this name, or of the name that this spelling is an alias of."""
        aliases = Alias.objects.filter(of=Alias.Of.PROPERTY, folded=self.folded)
        names = [str(self.folded), *(fold_property(alias.meaning) for alias in aliases)]
        return Row.objects.filter(lookup=self.lookup, folded__in=names).exclude(pk=self.pk).first()

    def _property_problems(self) -> dict[str, str]:
        columns, name, value = self.lookup.columns, self.cells[NAME], self.cells[VALUE]
        if not self.folded:
            return {columns[NAME]: f"{columns[NAME]} is blank"}
        if self.kind == Kind.CHOICE and not (
            self.choices and all(isinstance(one, str) for one in self.choices)
        ):
            return {"choices": f"{name} needs the list of what it may be"}
        if not value and self.required:
            return {columns[VALUE]: f"{name} is blank; it needs a value"}
        said = value_problem(self.kind, value, self.choices) if value else ""
        if not said and self.default and value_problem(self.kind, self.default, self.choices):
            return {
                "default": f"The default of {name} {value_problem(self.kind, self.default, self.choices)}"
            }
        return {columns[VALUE]: f"{name} {said}"} if said else {}


class Stamp(models.Model):
    """A lookup's (its primary key as text) or the catalogue's latest edit, as a random word."""

    subject = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=32)

    class Meta:
        """Nobody's page."""

        default_permissions = ()

    def __str__(self) -> str:
        """What it stamps."""
        return self.subject
