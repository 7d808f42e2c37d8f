"""packages' archives: flows' settings, connections without secrets, lookups and extensions as one zip."""

from typing import Any

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of, person_of
from integrations.api.criteria import choice
from integrations.api.monitoring import MonitoringView, address_of, parameters_of
from integrations.api.multipart import safe_name
from integrations.api.upload import file_of
from integrations.services.package_export import package_export, package_names
from integrations.services.package_format import Entry
from integrations.services.package_import import counts, package_apply, package_preview, package_upload
from integrations.services.package_read import LARGEST_ZIP

PACKAGE = "integrations.package_flow"


class PackageArchiveView(MonitoringView):
    """One package's file."""

    rights = {"GET": PACKAGE}

    @extend_schema(
        operation_id="packages_export",
        summary="A package as a zip of JSON, without secrets",
        tags=["Design"],
        parameters=[documents.PACKAGE_NAME],
        responses=documents.answers(
            OpenApiResponse(OpenApiTypes.BINARY, description="The file."),
            media="application/octet-stream",
            missing=True,
        ),
    )
    def get(self, request: Request, package_name: str) -> HttpResponse:
        """With the connections and lookups its flows use."""
        parameters_of(request)
        name = next((one for one in package_names() if one.lower() == package_name.lower()), None)
        if name is None:
            raise Http404
        content = package_export(names=[name], actor=actor_of(request), address=address_of(request))
        file_name = safe_name(name).replace('"', "").encode("ascii", "replace").decode()
        headers = {
            "Content-Disposition": f'attachment; filename="{file_name}.zip"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(content, content_type="application/octet-stream", headers=headers)


class PackageArchivesView(MonitoringView):
    """Bringing a file."""

    rights = {"POST": PACKAGE, "PUT": PACKAGE}

    @extend_schema(
        operation_id="packages_import",
        summary="Import a package",
        description="A backup of what it touches is kept first (Packages in the console), then all of it is written; "
        "an item that cannot be is left out and says why. With preview=true nothing is changed. OIC's own archives "
        "(.par) are not read.",
        tags=["Design"],
        parameters=documents.IMPORT_QUERY,
        request=documents.PACKAGE_ARCHIVE_REQUEST,
        responses=documents.answers(documents.PackageImported, conflict=True, also=(413, 415)),
    )
    def post(self, request: Request) -> Response:
        """What arrived, item by item."""
        parameters = parameters_of(request, frozenset({"preview"}))
        preview = choice(parameters, "preview", ("false", "true")) == "true"
        name, content = file_of(request, LARGEST_ZIP)
        who: dict[str, Any] = {"actor": actor_of(request), "address": address_of(request)}
        row = package_upload(content=content, name=name, **who)
        entries = (
            package_preview(row) if preview else package_apply(row=row, person=person_of(request), **who)
        )
        row.refresh_from_db()
        return Response(
            {
                "id": str(row.pk),
                "name": row.name,
                "packages": row.packages,
                "status": row.state,
                **counts(entries),
                "items": [_shape(entry) for entry in entries],
            }
        )

    @extend_schema(
        operation_id="packages_import_again",
        summary="Import a package (as POST)",
        description="OIC tells new packages from those that are there already; here both are the same.",
        tags=["Design"],
        parameters=documents.IMPORT_QUERY,
        request=documents.PACKAGE_ARCHIVE_REQUEST,
        responses=documents.answers(documents.PackageImported, conflict=True, also=(413, 415)),
    )
    def put(self, request: Request) -> Response:
        """As POST."""
        return self.post(request)


def _shape(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "status": entry.state,
        "version": entry.version,
        "changes": [{"what": what, "before": old, "after": new} for what, old, new in entry.changes],
        "notes": entry.notes,
        "problems": entry.problems,
    }
