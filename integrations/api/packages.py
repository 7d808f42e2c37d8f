"""packages and projects: what flows come in."""

from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from integrations.api import documents
from integrations.api.criteria import criteria_of
from integrations.api.monitoring import MonitoringView, links_to, parameters_of
from integrations.api.paging import PAGING, list_page
from integrations.engine.registry import specs
from integrations.engine.spec import Package
from integrations.models import Connection, Flow
from lookups.models import Lookup

VIEW = "integrations.view_flow"


def packages() -> list[Package]:
    """Every package of the installed code, by name."""
    return sorted({spec.package for spec in specs()}, key=lambda package: package.name)


class PackagesView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="packages_list",
        summary="List the packages",
        tags=["Design"],
        parameters=documents.PACKAGE_QUERY,
        responses=documents.answers(documents.PackagePage),
    )
    def get(self, request: Request) -> Response:
        """A page of packages; q={name:'x'} is the name, {name:/x/} a part of it."""
        parameters = parameters_of(request, PAGING | {"q", "orderBy", "expand"})
        criteria = criteria_of(parameters.get("q", ""), frozenset({"name"}))
        found = [one for one in packages() if _named(one.name, criteria.get("name", ""))]
        return Response(list_page(request, [_shape(request, one) for one in found], parameters))


class PackageView(MonitoringView):
    """One package."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="packages_get",
        summary="One package and the flows in it",
        tags=["Design"],
        parameters=[documents.PACKAGE_NAME],
        responses=documents.answers(documents.PackageDetail, missing=True),
    )
    def get(self, request: Request, package_name: str) -> Response:
        """By its name, in any case."""
        parameters_of(request, frozenset({"expand"}))
        wanted = package_name.lower()
        package = next((one for one in packages() if one.name.lower() == wanted), None)
        if package is None:
            raise Http404
        flows = Flow.objects.filter(package=package.name, present=True)
        return Response(
            _shape(request, package)
            | {"integrations": [f"{flow.identifier}|{flow.version}" for flow in flows]}
        )


class ProjectsView(MonitoringView):
    """The projects packages belong to."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="projects_list",
        summary="List the projects",
        tags=["Design"],
        parameters=documents.PAGE_PARAMETERS,
        responses=documents.answers(documents.ProjectPage),
    )
    def get(self, request: Request) -> Response:
        """A page of projects; /projects/{id}/… also takes a package's name for one."""
        parameters = parameters_of(request, PAGING)
        by_code: dict[str, list[str]] = {}
        for package in packages():
            if package.project:
                by_code.setdefault(package.project, []).append(package.name)
        items = [{"id": code, "code": code, "packages": names} for code, names in sorted(by_code.items())]
        return Response(list_page(request, items, parameters))


def _named(name: str, wanted: str) -> bool:
    if len(wanted) > 2 and wanted[0] == wanted[-1] == "/":  # noqa: PLR2004  (two slashes around something)
        return wanted[1:-1].lower() in name.lower()
    return not wanted or name.lower() == wanted.lower()


def _shape(request: Request, package: Package) -> dict[str, Any]:
    at = {"package_name": package.name}
    flows = Flow.objects.filter(package=package.name, present=True).aggregate(
        number=Count("pk"), active=Count("pk", filter=Q(active=True))
    )
    return {
        "id": package.name,
        "name": package.name,
        "packageName": package.name,
        "packageType": "PREBUILT",
        "version": package.version,
        "projectCode": package.project,
        "countOfIntegrations": flows["number"],
        "countOfActiveIntegrations": flows["active"],
        "countOfConnections": Connection.objects.filter(package=package.name).count(),
        "countOfLookups": Lookup.objects.filter(package=package.name).count(),
        "links": links_to(self=reverse("integrations-api:package", kwargs=at, request=request)),
    }
