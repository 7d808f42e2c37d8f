"""Landbase objects: the poles, intersections and addresses that tickets without a customer are located by."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.admin.audited import AuditedAdmin
from crm.admin.filters import CodeFilter
from crm.admin.words import search_types
from crm.config import config
from crm.models import LandbaseObject
from crm.outage.landbase import search_key
from hub.theme import display
from lookups.theme import select, text_area


class LandbaseForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """Each search type has its parameters (GRIDOPS-CRM_LandbaseSearches), and a place is found by all of them."""

    search_type = forms.ChoiceField(label="Search type", widget=select())
    parameters = forms.JSONField(widget=text_area(rows="3"), initial=dict)

    class Meta:
        model = LandbaseObject
        fields = ["search_type", "parameters", "x", "y"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Django's; the types are those of the lookup, and the row's own where that is gone."""
        super().__init__(*args, **kwargs)
        if "search_type" not in self.fields:  # the page of a person who may only look
            return
        known = [name for name, _ in config().searches.values()]
        own = self.instance.search_type
        choices = known if not own or own in known else [*known, own]
        self.fields["search_type"].choices = [(one, one) for one in choices]  # type: ignore[attr-defined]  # ChoiceField
        takes = "; ".join(f"{name}: {given}" for name, given in search_types().items())
        self.fields[
            "parameters"
        ].help_text = f'JSON such as {{"poleId": "4711"}}, with all the parameters of the type. {takes}.'

    def clean_parameters(self) -> dict[str, str]:
        """Names and texts."""
        given = self.cleaned_data["parameters"]
        if not isinstance(given, dict) or not given:
            raise forms.ValidationError('Enter an object such as {"poleId": "4711"}.')
        if wrong := [
            name for name, value in given.items() if not isinstance(value, str) or not value.strip()
        ]:
            raise forms.ValidationError(f"{', '.join(wrong)}: enter a text in quotes.")
        return given

    def clean(self) -> dict[str, Any]:
        """The type's own parameters, and no second place of the same ones."""
        cleaned = super().clean() or self.cleaned_data
        kind, given = cleaned.get("search_type"), cleaned.get("parameters")
        if not kind or not given:
            return cleaned
        _, wanted = config().searches.get(kind.casefold(), (kind, frozenset(given)))
        if {name.strip().casefold() for name in given} != {name.casefold() for name in wanted}:
            takes = search_types().get(kind, ", ".join(sorted(wanted)))
            self.add_error("parameters", f"{kind} takes {takes}: all of them and no other.")
            return cleaned
        self.instance.key = search_key(given)
        same = LandbaseObject.objects.filter(search_type=kind, key=self.instance.key).exclude(
            pk=self.instance.pk
        )
        if same.exists():
            self.add_error("parameters", f"There is a {kind} with these parameters already.")
        return cleaned


class SearchTypeFilter(CodeFilter):
    """What kind of place it is."""

    title, parameter_name, column = "search type", "type", "search_type"

    def codes(self) -> list[tuple[str, str]]:
        """Of the lookup."""
        return [(name, name) for name, _ in config().searches.values()]


@admin.register(LandbaseObject)
class LandbaseObjectAdmin(AuditedAdmin[LandbaseObject]):
    """Searched where no landbase service is connected (`landbase.connection`)."""

    form = LandbaseForm
    list_display = ("place", "search_type", "x", "y")
    list_filter = (SearchTypeFilter,)
    search_fields = ("key",)
    search_help_text = "Part of a parameter's value, such as a street's name."
    sortable_by = ()

    @display(description="Parameters")
    def place(self, row: LandbaseObject) -> str:
        """Each with its name."""
        return ", ".join(f"{name} {value}" for name, value in row.parameters.items())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LandbaseObject], search_term: str
    ) -> tuple[QuerySet[LandbaseObject], bool]:
        """Keys are folded, and so is what they are searched for."""
        term = " ".join(search_term.split()).casefold()
        return (queryset.filter(key__contains=term) if term else queryset), False
