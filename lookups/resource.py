"""A lookup's rows as django-import-export sees them: a field for each column, matched by the first one."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.html import escape
from import_export import resources
from import_export.fields import Field
from import_export.results import Error, Result, RowResult

from lookups.kinds import cell_of
from lookups.matching import Matcher
from lookups.models import NAME, Alias, Lookup, Row
from lookups.names import fold_name, fold_property
from lookups.periods import FROM, UNTIL, day_of, day_text
from lookups.services.rows import Person, keys_problem, may_edit_keys, rows_write

# What the seeds and Oracle Integration call the columns of a property list.
PROPERTY_HEADERS = (
    {"propertyname", "property", "recipient", "name"},
    {"value", "samplevalue", "email", "emailid"},
    {"description"},
)
DAYS = {"valid_from": FROM, "valid_until": UNTIL}


class PlainError(Error):  # type: ignore[misc]  # import_export has no types
    """An error without its traceback: the text says what is wrong."""

    traceback = ""


class NoDiff:
    """Stands in where nobody looks at differences: an import that was previewed."""

    def __init__(self, *_: Any) -> None:
        """As Diff."""

    def compare_with(self, *_: Any) -> None:
        """Nothing."""

    def as_html(self) -> list[str]:
        """Nothing."""
        return []


class CellField(Field):  # type: ignore[misc]  # import_export has no types
    """One cell of a row."""

    def __init__(self, at: int, column: str) -> None:
        """`at`: the column's place."""
        super().__init__(attribute=f"cell_{at}", column_name=column)
        self.at = at

    def get_value(self, instance: Row) -> str:
        """The cell, "" where the row is short."""
        cells: list[str] = instance.cells
        return cells[self.at] if self.at < len(cells) else ""

    def save(self, instance: Row, row: dict[str, Any], *_: Any, **__: Any) -> None:
        """Set the cell; a property that is known keeps its own spelling."""
        if instance.pk and self.at == NAME and instance.lookup.is_properties:
            return
        instance.cells[self.at] = cell_of(row[self.column_name])


class DayField(Field):  # type: ignore[misc]  # import_export has no types
    """A row's first or last day."""

    def __init__(self, name: str, column: str) -> None:
        """`name`: the row's field; errors are told under `column`."""
        super().__init__(attribute=column, column_name=column)
        self.name = name

    def get_value(self, instance: Row) -> str:
        """As 2026-01-31, "" for an open end."""
        return day_text(getattr(instance, self.name))

    def save(self, instance: Row, row: dict[str, Any], *_: Any, **__: Any) -> None:
        """Set the day; ValueError on what is none."""
        try:
            setattr(instance, self.name, day_of(row[self.column_name]))
        except ValueError as error:
            raise ValueError(f"{self.column_name} {error}") from None


class RowLoader:
    """Finds the row that a line of the file is about."""

    def __init__(self, resource: "RowResource", dataset: Any = None) -> None:
        """All lines are paired at once, as those with days of their own choose first."""
        resource.matcher = Matcher(resource.lookup, resource.aliases, dataset.dict)
        self.matcher = resource.matcher

    def get_instance(self, _row: dict[str, Any]) -> Row | None:
        """The row to update, or None for a new one; asked for line by line."""
        return self.matcher.next()


class RowResource(resources.ModelResource):  # type: ignore[misc]  # import_export has no types
    """Import into, and export of, one lookup."""

    class Meta:
        """Rows are checked one by one, then written together."""

        model = Row
        fields: tuple[str, ...] = ()
        import_id_fields: tuple[str, ...] = ()
        instance_loader_class = RowLoader
        skip_unchanged = True
        report_skipped = False
        use_bulk = True
        clean_model_instances = False

    matcher: Matcher

    def __init__(
        self,
        *,
        lookup: Lookup | None = None,
        replace: bool = False,
        leave_out: bool = False,
        person: Person = None,
        **_: Any,
    ) -> None:
        """`replace`: rows that are not in the file are deleted; `leave_out`: lines that are wrong are left out, and
        the others written; the admin passes more, which is not needed."""
        super().__init__()
        self.lookup = lookup or Lookup()
        self.replace = replace
        self.leave_out = leave_out
        self.person = person
        self.preview = True
        self.aliases: dict[str, str] = {}
        self.fields.clear()
        self.fields.update({f"cell_{at}": CellField(at, name) for at, name in enumerate(self.lookup.columns)})
        columns = set(map(fold_name, self.lookup.columns))
        self.fields.update(
            {name: DayField(name, said) for name, said in DAYS.items() if fold_name(said) not in columns}
        )

    def drop_days(self, headings: Collection[str] = ()) -> None:
        """The days are no columns where neither the file's headings nor any row has them."""
        dated = self.lookup.pk and self.lookup.rows.exclude(valid_from=None, valid_until=None).exists()
        if not dated and not set(DAYS.values()) & set(headings):
            for name in DAYS:
                self.fields.pop(name, None)

    def export(self, *args: Any, **options: Any) -> Any:
        """The days where some row has them."""
        self.drop_days()
        return super().export(*args, **options)

    def get_import_order(self) -> list[str]:
        """The columns' order."""
        return list(self.fields)

    def get_export_order(self, selected_fields: Any = None) -> list[str]:
        """The columns' order."""
        return list(self.fields)

    @classmethod
    def get_error_result_class(cls) -> type[Error]:
        """Errors are told without tracebacks."""
        return PlainError

    def import_data(
        self, dataset: Any, dry_run: bool = False, raise_errors: bool = False, **options: Any
    ) -> Result:
        """Nothing is locked while rows are compared; `after_import` then writes all of them or none."""
        options.pop("use_transactions", None)
        return self.import_data_inner(dataset, dry_run, raise_errors, False, False, **options)

    def import_data_inner(self, dataset: Any, dry_run: bool, *flags: Any, **options: Any) -> Result:
        """Only the heading is looked at where it is wrong."""
        self.preview = dry_run
        self._skip_title(dataset)
        try:
            dataset.headers = self.headings(dataset.headers or [])
            self.drop_days(dataset.headers)
        except ValueError as error:
            result = Result()
            result.append_base_error(PlainError(error))
            return result
        return super().import_data_inner(dataset, dry_run, *flags, **options)

    def _skip_title(self, dataset: Any) -> None:
        """Leave out a first line that is not the heading but the lookup's name, with its description beside it."""
        given = [str(name) for name in dataset.headers or []]
        if len(dataset) and given and fold_name(given[0]) == self.lookup.folded:
            try:
                self.headings(given)
            except ValueError:
                dataset.headers = dataset[0]
                del dataset[0]
                del getattr(dataset, "line_numbers", [0])[0]

    def headings(self, given: list[str]) -> list[str]:
        """The file's headings as the lookup's column names; ValueError on one it does not have, or twice."""
        known = {fold_name(said): said for said in DAYS.values()}
        known |= {fold_name(column): column for column in self.lookup.columns}
        if self.lookup.is_properties:
            for column, others in zip(self.lookup.columns, PROPERTY_HEADERS, strict=False):
                known = {**dict.fromkeys(others, column), **known}
        wrong = [name for name in given if fold_name(str(name)) not in known]
        found = [known[fold_name(str(name))] for name in given if name not in wrong]
        said = f"{self.lookup.name} has the columns {', '.join(self.lookup.columns)}; the file"
        if wrong:
            raise ValueError(f"{said} has {', '.join(map(repr, wrong))}")
        if len(set(found)) < len(found):
            raise ValueError(f"{said} has one of them twice")
        if self.lookup.columns[NAME] not in found:
            raise ValueError(f"{said} lacks {self.lookup.columns[NAME]}")
        return found

    def before_import(self, dataset: Any, **_: Any) -> None:
        """Make ready to match properties under any of their spellings."""
        aliases = Alias.objects.filter(of=Alias.Of.PROPERTY).values_list("folded", "meaning")
        self.aliases = {folded: fold_property(meaning) for folded, meaning in aliases}

    def init_instance(self, row: Any = None) -> Row:
        """A new, blank row."""
        return Row(lookup=self.lookup, cells=[""] * len(self.lookup.columns))

    def validate_instance(
        self, instance: Row, import_validation_errors: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """ValidationError, by column, on what a person would not be let do in the console either.

        `import_validation_errors`: what was wrong with single cells of the line.
        """
        instance.normalise()
        if import_validation_errors:
            raise ValidationError(import_validation_errors)
        if found := instance.problems():
            raise ValidationError(found)
        if not may_edit_keys(self.person) and (said := keys_problem(instance)):
            raise ValidationError(f"{said}: that needs the permission to edit keys")
        if said := self.matcher.clash(instance, replace=self.replace):
            raise ValidationError({self.lookup.columns[NAME]: said})

    def bulk_create(self, *_: Any, **__: Any) -> None:
        """Rows are written by `after_import`."""

    bulk_update = bulk_delete = bulk_create

    def after_import(self, dataset: Any, result: Result, **_: Any) -> None:
        """Delete what a replacing import leaves out, and write everything, unless this is a preview."""
        removed = self._left_out(result) if self.replace else []
        self._number(dataset, result)
        wrong = result.has_validation_errors() and not self.leave_out
        if self.preview or result.has_errors() or wrong:
            return
        last = max(self.lookup.rows.values_list("position", flat=True), default=0)
        for position, row in enumerate(self.create_instances, last + 1):
            row.position = position
        rows_write(
            new=self.create_instances,
            changed=self.update_instances,
            removed=removed,
            person=self.person,
            reason="Import",
        )

    @staticmethod
    def _number(dataset: Any, result: Result) -> None:
        """Wrong rows are known by their line in the file, which counts the heading and blank lines too.

        `told`: (column, what the file has there, what is wrong with it).
        """
        numbers = getattr(dataset, "line_numbers", None) or range(2, len(dataset) + 2)
        for row in result.invalid_rows:
            row.line = numbers[row.number - 1]
            cells = dict(zip(dataset.headers, row.values, strict=False))
            row.told = [
                (column if column in cells else "", cells.get(column, ""), reason)
                for column, reasons in row.error_dict.items()
                for reason in reasons
            ]

    def _left_out(self, result: Result) -> list[Row]:
        rows = self.matcher.left()
        if rows and self.lookup.is_properties and not may_edit_keys(self.person):
            result.append_base_error(
                PlainError(f"{rows[0]} is not in the file, and you may not delete properties")
            )
        for row in rows:
            line = RowResult()
            line.import_type = RowResult.IMPORT_TYPE_DELETE
            line.diff = [escape(cell) for cell in row.cells]
            line.add_instance_info(row)
            result.append_row_result(line)
            result.increment_row_result_total(line)
        return rows
