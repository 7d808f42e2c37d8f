"""The one place that knows django-unfold: admin modules import their bases from here.

With unfold installed they have its look; without it the same code runs on Django's stock admin. Settings-time
parts (apps, menu) are in hub/menu.py, as this module needs the app registry.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.contrib import admin as stock

THEMED = find_spec("unfold") is not None

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from import_export.forms import ExportForm, ImportForm, SelectableFieldsExportForm
else:
    if THEMED:
        from unfold import admin as _base
        from unfold.contrib.import_export.forms import ExportForm, ImportForm, SelectableFieldsExportForm
        from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    else:
        from django.contrib import admin as _base
        from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
        from import_export.forms import ExportForm, ImportForm, SelectableFieldsExportForm

    class ModelAdmin(_base.ModelAdmin):
        """A model's admin pages; `ModelAdmin[Flow]` is for the type checker."""

        def __class_getitem__(cls, _model: Any) -> Any:
            return cls

    class TabularInline(_base.TabularInline):
        """Rows of a related model as a table."""

        def __class_getitem__(cls, _models: Any) -> Any:
            return cls

    class StackedInline(_base.StackedInline):
        """Rows of a related model as forms."""

        def __class_getitem__(cls, _models: Any) -> Any:
            return cls


def display(
    *,
    description: str = "",
    ordering: str | None = None,
    boolean: bool | None = None,
    label: bool | dict[str, str] | None = None,
    header: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """`admin.display` with unfold's coloured `label` (value to success, info, warning, danger) and `header`.

    Stock admin shows labels as plain text.
    """
    if THEMED and (label is not None or header):
        from unfold.decorators import display as themed  # noqa: PLC0415  (only where it is installed)

        decorated: Callable[[Callable[..., Any]], Any] = themed(
            description=description, ordering=ordering, boolean=boolean, label=label, header=header or None
        )
        return decorated
    return stock.display(description=description or None, ordering=ordering, boolean=boolean)


__all__ = [
    "THEMED",
    "AdminPasswordChangeForm",
    "ExportForm",
    "ImportForm",
    "ModelAdmin",
    "SelectableFieldsExportForm",
    "StackedInline",
    "TabularInline",
    "UserChangeForm",
    "UserCreationForm",
    "display",
]
