"""lookups' archives: a lookup as the CSV file that integration clouds exchange."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from integrations.api import documents
from integrations.api.errors import BadRequest
from integrations.api.lookups import MAKE, REPLACE, VIEW, lookup_or_404, who_of
from integrations.api.monitoring import MonitoringView, parameters_of
from integrations.api.multipart import safe_name
from integrations.api.upload import file_of
from integrations.services.lookup_put import Table, lookup_create, lookup_replace, table_of
from lookups.formats import MOST_BYTES, SheetInvalid
from lookups.models import Lookup
from lookups.periods import FROM, UNTIL
from lookups.services import rows_export, sheet_name, sheet_read


class LookupArchiveView(MonitoringView):
    """One lookup's file."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="lookups_export",
        summary="A lookup as a CSV file",
        description="Its first line is DVM, name and description, its second the columns, as OIC writes it.",
        tags=["Design"],
        parameters=[documents.LOOKUP_NAME],
        responses=documents.answers(
            OpenApiResponse(OpenApiTypes.BINARY, description="The file."),
            media="application/octet-stream",
            missing=True,
        ),
    )
    def get(self, request: Request, lookup_name: str) -> HttpResponse:
        """UTF-8; cells that a spreadsheet would run get an apostrophe."""
        parameters_of(request)
        lookup = lookup_or_404(self, lookup_name)
        plain: Lookup = Lookup.objects.get(pk=lookup.pk)
        title = table_of(["DVM", plain.name, " ".join(plain.description.split())], []).content
        name = safe_name(plain.name).replace('"', "").encode("ascii", "replace").decode()
        headers = {
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(
            title + rows_export(lookup=plain, form="csv"),
            content_type="application/octet-stream",
            headers=headers,
        )


class LookupArchivesView(MonitoringView):
    """Bringing a file."""

    rights = {"POST": MAKE, "PUT": REPLACE}

    @extend_schema(
        operation_id="lookups_import",
        summary="Make a lookup of a CSV file",
        description="The lookup is called as the file's first line says, else as the file. 409 where there is one.",
        tags=["Design"],
        request=documents.ARCHIVE_REQUEST,
        responses=documents.answers(None, status=204, conflict=True, also=(413, 415)),
    )
    def post(self, request: Request) -> Response:
        """Made with all its rows, or not at all."""
        name, table = _read(request)
        packages = self.packages
        made = lookup_create(
            name=name,
            columns=[column for column in table.columns if column not in (FROM, UNTIL)],
            description="",
            package=packages[0] if packages else "",
            table=table,
            who=who_of(request),
        )
        at = {"lookup_name": made.name}
        location = reverse("integrations-api:lookup", kwargs=at, request=request)
        return Response(status=204, headers={"Location": location})

    @extend_schema(
        operation_id="lookups_import_again",
        summary="Replace a lookup's rows by those of a CSV file",
        tags=["Design"],
        request=documents.ARCHIVE_REQUEST,
        responses=documents.answers(documents.LookupImported, missing=True, also=(413, 415)),
    )
    def put(self, request: Request) -> Response:
        """All or nothing; rows that are not in the file are deleted."""
        name, table = _read(request)
        lookup = Lookup.objects.get(pk=lookup_or_404(self, name).pk)
        lookup_replace(lookup=lookup, table=table, who=who_of(request))
        return Response({"name": lookup.name, "rowCount": lookup.rows.count()})


def _read(request: Request) -> tuple[str, Table]:
    """The lookup's name and its content; BadRequest for a file that is none."""
    parameters_of(request)
    file_name, content = file_of(request, MOST_BYTES)
    try:
        sheet = sheet_read(content, form="csv")
    except SheetInvalid as error:
        raise BadRequest(str(error)) from None
    name = sheet_name(sheet, file_name)
    if not name:
        raise BadRequest(
            "The file does not say which lookup it is", hint="Its first line is DVM,name or its own name is."
        )
    return name, Table(content, list(sheet.headers or []))
