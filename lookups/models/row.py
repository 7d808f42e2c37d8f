"""A lookup's row, and what its history keeps."""

from collections.abc import Collection
from datetime import date
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from lookups.kinds import Kind, cell_of, cell_problem, value_problem
from lookups.models.alias import Alias
from lookups.models.lookup import Lookup, Manager
from lookups.names import fold_property
from lookups.periods import FROM, UNTIL, day_of, day_text, overlap, state_on, today

NAME, VALUE, DESCRIPTION = 0, 1, 2  # the columns of a property list


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
    valid_from = models.DateField(
        "valid from", null=True, blank=True, help_text="Its first day; empty: always."
    )
    valid_until = models.DateField(
        "valid until", null=True, blank=True, help_text="Its last day, included; empty: without end."
    )
    shipped = models.JSONField(null=True, editable=False)  # the line as the package's file brought it
    imported = models.JSONField(null=True, editable=False)  # the line as a person's package import brought it
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(
        bases=[RowChange],
        excluded_fields=["folded", "shipped", "imported"],
        verbose_name="lookup change",
        verbose_name_plural="lookup changes",
    )
    objects = Manager()
    before: dict[str, Any] | None = None
    TRACKED = ("cells", "kind", "choices", "required", "default", "valid_from", "valid_until")

    class Meta:
        """In the order they were made or imported."""

        ordering = ["lookup", "position", "pk"]
        permissions = [
            ("edit_keys", "Can edit names and descriptions of property lists, add and delete properties")
        ]
        constraints = [  # that periods of one property do not overlap is for `clean` to see
            models.UniqueConstraint(
                fields=["lookup", "folded"],
                condition=models.Q(valid_from=None),
                name="one_property_a_name",
            ),
            models.UniqueConstraint(
                fields=["lookup", "folded", "valid_from"], name="one_property_a_name_and_day"
            ),
        ]
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
            "valid_from": day_text(self.valid_from),
            "valid_until": day_text(self.valid_until),
        }

    @property
    def period(self) -> tuple[date | None, date | None]:
        """Its first and its last day."""
        return self.valid_from, self.valid_until

    @property
    def validity(self) -> str:
        """`valid`, `coming` or `ended`, today."""
        return state_on(today(), *self.period)

    def normalise(self) -> None:
        """Trim the cells, as many as there are columns, and set what is derived from them.

        ValidationError on a period that is no days.
        """
        width = len(self.lookup.columns)
        self.cells = [cell_of(cell) for cell in [*self.cells, *[""] * width][:width]]
        self.text = "\n".join(self.cells)
        self.folded = fold_property(self.cells[NAME])[:200] if self.lookup.is_properties else None
        for name, said in (("valid_from", FROM), ("valid_until", UNTIL)):
            try:
                setattr(self, name, day_of(getattr(self, name)))
            except ValueError as error:
                raise ValidationError(f"{said} {error}.") from None

    def problems(self) -> dict[str, str]:
        """What is wrong, by column name or field; a normalised row is expected."""
        columns = self.lookup.columns
        found = {
            columns[at]: f"{columns[at]} {said}"
            for at, cell in enumerate(self.cells)
            if (said := cell_problem(cell))
        }
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            found[UNTIL] = f"{UNTIL} {self.valid_until} is before {FROM.lower()} {self.valid_from}"
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
            when = " on days of this period" if any((*self.period, *same.period)) else ""
            raise ValidationError(f"{self.lookup} has the property {same} already{when}.")

    def _namesake(self) -> "Row | None":
        """Another property of this name, or of the name that this spelling is an alias of, that shares a day."""
        aliases = Alias.objects.filter(of=Alias.Of.PROPERTY, folded=self.folded)
        names = [str(self.folded), *(fold_property(alias.meaning) for alias in aliases)]
        others = Row.objects.filter(lookup=self.lookup, folded__in=names).exclude(pk=self.pk)
        return next((row for row in others if overlap(row.period, self.period)), None)

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
