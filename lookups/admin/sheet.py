"""Import and export pages of one lookup's rows."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm

from lookups.admin.new_lookup import MODE, NEW, NewLookupResource, may_make, was_made
from lookups.admin.page import lookup_left, lookup_of, rows_url
from lookups.formats import FORMATS, MOST_BYTES, SheetInvalid
from lookups.models import Lookup
from lookups.names import fold_name
from lookups.resource import RowResource
from lookups.theme import THEMED, ExportForm, ImportForm, select

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    from lookups.models import Row

    Base = ModelAdmin[Row]
else:
    Base = object

MODES = [
    ("add", "Add and update: rows that are not in the file stay"),
    ("replace", "Replace: rows that are not in the file are deleted"),
    MODE,
]


class ForLookup(forms.Form):
    """A lookup there is, or none for a new one."""

    def clean(self) -> dict[str, Any]:
        """The lookup is needed for all but a new one, and is not looked at then."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("mode") == NEW:
            given["lookup"] = None
        elif given.get("lookup") is None and "lookup" not in self.errors:
            self.add_error("lookup", "Choose the lookup that the rows are for.")
        return given


class RowImportForm(ForLookup, ImportForm):  # type: ignore[misc]  # import_export has no types
    """A file, the lookup it is for, and what to do with rows it leaves out."""

    lookup = forms.ModelChoiceField(
        Lookup.objects.all(), required=False, widget=select(), help_text="Not needed for a new one."
    )
    mode = forms.ChoiceField(choices=MODES, initial="add", widget=select())
    field_order = ["lookup", "import_file", "format", "mode", "resource"]

    def clean_import_file(self) -> Any:
        """Not larger than MOST_BYTES."""
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise ValidationError(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB.")
        return file


class RowConfirmForm(ForLookup, ConfirmImportForm):  # type: ignore[misc]  # import_export has no types
    """What was previewed."""

    lookup = forms.ModelChoiceField(Lookup.objects.all(), required=False, widget=forms.HiddenInput())
    mode = forms.ChoiceField(choices=MODES, widget=forms.HiddenInput())
    leave_out = forms.BooleanField(required=False, widget=forms.HiddenInput())


class SheetPages(ImportExportMixin, Base):  # type: ignore[misc]  # import_export has no types
    """django-import-export's pages, told which lookup they are about."""

    resource_classes = [RowResource]
    import_form_class = RowImportForm
    confirm_form_class = RowConfirmForm
    export_form_class = ExportForm
    formats = list(FORMATS.values())
    import_template_name = "admin/lookups/row/import.html" if THEMED else "admin/import_export/import.html"
    skip_admin_log = True  # the rows' history tells more
    to_encoding = "utf-8-sig"  # by its mark, Excel knows UTF-8

    # -- import ------------------------------------------------------------------------------------------

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may change rows may import them."""
        return request.user.has_perms(["lookups.change_row", "lookups.add_row"])

    def import_action(self, request: HttpRequest, **options: Any) -> Any:
        """The preview; where some rows are wrong, also the way to import the others alone."""
        answer = super().import_action(request, **options)
        context = getattr(answer, "context_data", None) or {}
        result = context.get("result")
        if result is not None and result.has_validation_errors() and not result.has_errors():
            initial = self.get_confirm_form_initial(request, context["form"]) | {"leave_out": True}
            context["partial_form"] = RowConfirmForm(initial=initial)
            context["good"] = sum(result.totals[name] for name in ("new", "update", "delete"))
            context["lookup"] = context["form"].cleaned_data["lookup"]
        return answer

    def create_import_form(self, request: HttpRequest) -> Any:
        """Without the way to a new lookup for who may not add one."""
        return _of_person(super().create_import_form(request), request)

    def create_confirm_form(self, request: HttpRequest, import_form: Any = None) -> Any:
        """As the form before it."""
        return _of_person(super().create_confirm_form(request, import_form), request)

    def choose_import_resource_class(self, form: Any, request: HttpRequest) -> type[RowResource]:
        """Rows of a lookup there is, or a new lookup."""
        return NewLookupResource if form.cleaned_data.get("mode") == NEW else RowResource

    def get_import_form_initial(self, request: HttpRequest) -> dict[str, Any]:
        """The lookup one came from, or a new one where that was asked for."""
        new = request.GET.get("mode") == NEW and may_make(request)
        return {"lookup": self._came_from(request), "mode": NEW if new else "add"}

    @staticmethod
    def _came_from(request: HttpRequest) -> Lookup | None:
        return lookup_of(request) or lookup_left(request)

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        """What was chosen for the preview."""
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            given = import_form.cleaned_data
            initial |= {"lookup": given["lookup"].pk if given["lookup"] else "", "mode": given["mode"]}
        return initial

    def get_import_resource_kwargs(self, request: HttpRequest, **options: Any) -> dict[str, Any]:
        """The lookup, mode and person of the import; the lookup one came from while nothing is chosen."""
        given = getattr(options.get("form"), "cleaned_data", {})
        replace = given.get("mode") == "replace"
        if replace and not request.user.has_perm("lookups.delete_row"):
            raise PermissionDenied
        return {
            "lookup": given.get("lookup") or (None if given.get("mode") == NEW else self._came_from(request)),
            "replace": replace,
            "leave_out": bool(given.get("leave_out")),
            "person": request.user,
        }

    def process_import(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """The confirmed import."""
        try:
            answer: HttpResponse = super().process_import(request, **options)
        except (FileNotFoundError, SheetInvalid):
            self.message_user(
                request, "The uploaded file is not there any more: upload it again.", messages.ERROR
            )
            return HttpResponseRedirect(reverse("admin:lookups_row_import"))
        return answer

    def process_dataset(self, dataset: Any, form: Any, request: HttpRequest, **options: Any) -> Any:
        """As stock; the lookup is kept for the page that follows."""
        result = super().process_dataset(dataset, form, request, **options)
        result.lookup = form.cleaned_data["lookup"]
        result.leave_out = bool(form.cleaned_data.get("leave_out"))
        return result

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """To the lookup's rows, with what was done: everything, or nothing and why."""
        said = [f"Line {row.line}: {'; '.join(row.error.messages)}." for row in result.invalid_rows]
        if result.has_errors() or (said and not result.leave_out):
            said = [str(error.error) for error in result.base_errors] + said
            self.message_user(request, f"Nothing was imported. {' '.join(said)}", messages.ERROR)
        else:
            self.add_success_message(result, request)
        if said and result.leave_out:
            self.message_user(request, f"Left out: {' '.join(said)}", messages.WARNING)
        if result.lookup is None:
            return was_made(request, result)
        return HttpResponseRedirect(rows_url(result.lookup))

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """What is wrong with the file, in its own words."""
        if isinstance(e, SheetInvalid):
            form.add_error("import_file", f"{e}.")
        else:
            super().add_data_read_fail_error_to_form(form, e)

    # -- export ------------------------------------------------------------------------------------------

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may see rows may export them."""
        return self.has_view_permission(request)

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """One lookup's rows, as filtered; which one is chosen first."""
        if lookup_of(request) is None:
            self.message_user(request, "Choose the lookup to export.", messages.WARNING)
            return HttpResponseRedirect(reverse("admin:lookups_lookup_changelist"))
        answer: HttpResponse = super().export_action(request)
        return answer

    def get_export_resource_kwargs(self, request: HttpRequest, **_: Any) -> dict[str, Any]:
        """The lookup that is exported."""
        return {"lookup": lookup_of(request)}

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        """Named after the lookup."""
        lookup = lookup_of(request)
        return f"{fold_name(lookup.name) if lookup else 'lookup'}.{file_format.get_extension()}"


def _of_person(form: Any, request: HttpRequest) -> Any:
    if not may_make(request):
        form.fields["mode"].choices = [mode for mode in MODES if mode != MODE]
    return form
