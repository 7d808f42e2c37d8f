"""The import page's way to a new lookup: a file that brings its own name and columns."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export.results import Result

from lookups.admin.page import rows_url
from lookups.resource import PlainError, RowResource
from lookups.services import LookupRefused, lookup_make, sheet_name
from lookups.trail import tell

NEW = "new"
MODE = (NEW, "New: a new lookup, named as the file says in its first line (DVM,name), else as the file")


def may_make(request: HttpRequest) -> bool:
    """Who may add lookups may bring one as a file."""
    return request.user.has_perm("lookups.add_lookup")


class NewLookupResource(RowResource):
    """The rows of a file that brings its own lookup; the result's `made` is the lookup, `saved` whether it is there."""

    def import_data(
        self, dataset: Any, dry_run: bool = False, raise_errors: bool = False, **options: Any
    ) -> Result:
        """Looked at, or made with its rows; what keeps it from being made is the result's one error."""
        try:
            made = lookup_make(
                name=sheet_name(dataset, options.get("file_name") or ""),
                sheet=dataset,
                person=self.person,
                preview=dry_run,
                leave_out=self.leave_out,
            )
        except LookupRefused as refused:
            result = Result()
            result.append_base_error(PlainError(f"{refused}."))
            result.made, result.saved = None, False
            return result
        made.result.made, made.result.saved = made.lookup, made.saved
        return made.result


def was_made(request: HttpRequest, result: Any) -> HttpResponse:
    """Tell the person and the audit trail, and lead to the rows; to the import page where nothing was made."""
    if not result.saved:
        return HttpResponseRedirect(f"{reverse('admin:lookups_row_import')}?mode={NEW}")
    lookup = result.made
    tell(request, "lookup_create", f"lookup:{lookup.pk}", {"name": lookup.name, "rows": lookup.rows.count()})
    messages.success(request, f"The lookup {lookup.name} is made.")
    return HttpResponseRedirect(rows_url(lookup))
