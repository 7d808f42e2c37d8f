"""Bases of the admin pages: django-unfold's where it is installed, else the stock ones."""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin as stock
from django.forms import DateInput, Select, Textarea, TextInput

THEMED = apps.is_installed("unfold")

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.forms import ModelForm
    from import_export.forms import ExportForm, ImportForm
else:
    from django import forms

    if THEMED:
        from unfold.admin import ModelAdmin as _Base
        from unfold.contrib.import_export.forms import ExportForm, ImportForm
    else:
        from import_export.forms import ExportForm, ImportForm

        _Base = stock.ModelAdmin

    class ModelAdmin(_Base):
        """A model's pages; `ModelAdmin[Row]` is for the type checker."""

        def __class_getitem__(cls, _model: Any) -> Any:
            return cls

    class ModelForm(forms.ModelForm):
        """A model's form; `ModelForm[Row]` is for the type checker."""

        def __class_getitem__(cls, _model: Any) -> Any:
            return cls


def text_input(**attributes: str) -> TextInput:
    """A one-line input in the theme's look."""
    if THEMED:
        from unfold.widgets import UnfoldAdminTextInputWidget  # noqa: PLC0415  (only where installed)

        themed: TextInput = UnfoldAdminTextInputWidget(attrs=attributes)
        return themed
    return TextInput(attrs={"class": "vTextField", **attributes})


def text_area(**attributes: str) -> Textarea:
    """An input of several lines in the theme's look."""
    if THEMED:
        from unfold.widgets import UnfoldAdminTextareaWidget  # noqa: PLC0415  (only where installed)

        themed: Textarea = UnfoldAdminTextareaWidget(attrs=attributes)
        return themed
    return Textarea(attrs={"class": "vLargeTextField", **attributes})


def day_input() -> DateInput:
    """A browser's own date input, which needs no scripts."""
    look = text_input().attrs
    look.pop("size", None)
    return DateInput(format="%Y-%m-%d", attrs={**look, "type": "date"})


def select() -> Select:
    """A choice in the theme's look."""
    if THEMED:
        from unfold.widgets import UnfoldAdminSelectWidget  # noqa: PLC0415  (only where installed)

        themed: Select = UnfoldAdminSelectWidget()
        return themed
    return Select()


__all__ = [
    "THEMED",
    "ExportForm",
    "ImportForm",
    "ModelAdmin",
    "ModelForm",
    "day_input",
    "select",
    "text_area",
    "text_input",
]
