"""Form fields for cells and lists."""

from typing import Any

from django import forms

from lookups.kinds import LONGEST_CELL, Kind, choice_of
from lookups.models import VALUE, Lookup, Row
from lookups.services.rows import DAYS
from lookups.theme import ModelForm, day_input, select, text_area, text_input

LONG = 80  # characters from which a cell gets a box of several lines


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    def __init__(self, **options: Any) -> None:
        """Options of a CharField."""
        super().__init__(widget=text_area(rows="4"), **options)

    def prepare_value(self, value: Any) -> Any:
        """For the page."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """From the page: the lines that are not blank."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the lists differ."""
        return bool(self.to_python(data) != list(initial or []))


def cell_field(lookup: Lookup, at: int, row: Row | None = None, *, inline: bool = False) -> forms.Field:
    """The field of one cell: a choice where the property's kind has one, else text."""
    label = lookup.columns[at]
    if lookup.is_properties and at == VALUE and row is not None:
        words = (
            ["true", "false"] if row.kind == Kind.BOOLEAN else row.choices if row.kind == Kind.CHOICE else []
        )
        if words:
            return _choice_field(label, words, row, inline=inline)
    long = not inline and row is not None and len(row.cells[at]) > LONG
    widget = text_area(rows="3") if long else text_input(**{"aria-label": label}, size="32")
    return forms.CharField(
        label=label, required=False, max_length=LONGEST_CELL, widget=widget, show_hidden_initial=inline
    )


def _choice_field(label: str, words: list[str], row: Row, *, inline: bool) -> forms.Field:
    value = row.cells[VALUE]
    offered = words if choice_of(value, words) == value else [value, *words]
    if not row.required and "" not in offered:
        offered = ["", *offered]
    choices = [(word, word or "(blank)") for word in offered]
    return forms.ChoiceField(
        label=label, choices=choices, required=False, widget=select(), show_hidden_initial=inline
    )


def day_field(name: str) -> forms.DateField:
    """A row's first or last day."""
    field: Any = Row._meta.get_field(name)
    label = str(field.verbose_name).capitalize()
    return forms.DateField(label=label, required=False, help_text=field.help_text, widget=day_input())


class CellsForm(ModelForm[Row]):
    """A row's cells as fields `cell_0`, `cell_1` …; subclasses made by `cells_form` say which."""

    lookup: Lookup
    editable: tuple[int, ...]
    inline: bool

    class Meta:
        """The fields that are a row's own are chosen by the page."""

        model = Row
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        """As a ModelForm."""
        super().__init__(*args, **options)
        self.instance.lookup = self.lookup  # the one loaded with the page, not a query each
        self.instance.normalise()
        for at in self.editable:
            name = f"cell_{at}"
            self.fields[name] = cell_field(self.lookup, at, self.instance, inline=self.inline)
            self.initial.setdefault(name, self.instance.cells[at])

    def clean(self) -> dict[str, Any]:
        """Put the cells that were changed into the row, which then checks itself."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for at in self.editable:
            if f"cell_{at}" in self.changed_data and f"cell_{at}" in cleaned:
                self.instance.cells[at] = cleaned[f"cell_{at}"]
        return cleaned


def cells_form(lookup: Lookup, editable: tuple[int, ...], *, inline: bool) -> type[CellsForm]:
    """A form class for the rows of one lookup; `editable`: places of the cells that may be changed."""
    fields: dict[str, Any] = {f"cell_{at}": cell_field(lookup, at, inline=inline) for at in editable}
    if not inline:
        fields |= {name: day_field(name) for name in DAYS}
        fields["choices"] = LinesField(required=False, help_text=Row._meta.get_field("choices").help_text)
    extra = {"lookup": lookup, "editable": editable, "inline": inline, "__module__": __name__}
    return type("CellsForm", (CellsForm,), {**fields, **extra})
