"""OIC3's project variants: the same views, for what belongs to one project's packages."""

from typing import TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from integrations.api.monitoring import MonitoringView

View = TypeVar("View", bound=MonitoringView)
PROJECT = OpenApiParameter(
    "project_id",
    str,
    OpenApiParameter.PATH,
    description="The project's code, or a package's name. Only what belongs to it is seen and changed.",
)


def in_project(view: type[View], **operations: str) -> type[View]:
    """The view at a project's address. `operations`: method → operation_id in the document."""
    made = type(f"Project{view.__name__}", (view,), {"__doc__": view.__doc__})
    described = {
        method: extend_schema(operation_id=f"{name}_in_project", parameters=[PROJECT])
        for method, name in operations.items()
    }
    return extend_schema_view(**described)(made)
