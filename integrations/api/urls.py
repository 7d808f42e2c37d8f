"""Addresses under /ic/api/integration/ (contract, "Inbound REST"; OIC's REST API for the rest)."""

from django.urls import path, re_path

from integrations.api.connections import ConnectionsView, ConnectionTestView, ConnectionView
from integrations.api.error_instances import ErrorsView, ErrorView
from integrations.api.error_orders import DiscardManyView, DiscardView, ResubmitManyView, ResubmitView
from integrations.api.inbound import FlowView, ProjectFlowView
from integrations.api.instances import ActivityStreamView, InstancesView, InstanceView
from integrations.api.integrations import IntegrationsView, IntegrationView
from integrations.api.lookups import LookupsView, LookupView
from integrations.api.missing import missing

app_name = "integrations-api"
_ADAPTER = r"(?P<adapter>rest|oracleutilities)"
_FLOW = r"(?P<identifier>[^/]+)/(?P<version>[^/]+)/(?P<resource>[^/]+)"
_ERROR = "v1/monitoring/errors/<uuid:instance_id>"

_PROJECT = rf"^v2/flows/{_ADAPTER}/project/(?P<project>[^/]+)/{_FLOW}"

urlpatterns = [
    re_path(rf"^v1/flows/{_ADAPTER}/{_FLOW}$", FlowView.as_view(), name="flow"),
    re_path(rf"{_PROJECT}$", ProjectFlowView.as_view(), name="project-flow"),
    # A slash at the end is let pass, and not documented.
    re_path(rf"^v1/flows/{_ADAPTER}/{_FLOW}/$", FlowView.as_view(schema=None)),
    re_path(rf"{_PROJECT}/$", ProjectFlowView.as_view(schema=None)),
    path("v1/monitoring/instances", InstancesView.as_view(), name="instances"),
    path("v1/monitoring/instances/<uuid:instance_id>", InstanceView.as_view(), name="instance"),
    path(
        "v1/monitoring/instances/<uuid:instance_id>/activityStream",
        ActivityStreamView.as_view(),
        name="activity-stream",
    ),
    path("v1/monitoring/errors", ErrorsView.as_view(), name="errors"),
    path("v1/monitoring/errors/resubmit", ResubmitManyView.as_view(), name="errors-resubmit"),
    path("v1/monitoring/errors/discard", DiscardManyView.as_view(), name="errors-discard"),
    path(_ERROR, ErrorView.as_view(), name="error"),
    path(f"{_ERROR}/resubmit", ResubmitView.as_view(), name="error-resubmit"),
    path(f"{_ERROR}/discard", DiscardView.as_view(), name="error-discard"),
    path("v1/integrations", IntegrationsView.as_view(), name="integrations"),
    path("v1/integrations/<str:integration_id>", IntegrationView.as_view(), name="integration"),
    path("v1/connections", ConnectionsView.as_view(), name="connections"),
    path("v1/connections/<str:connection_id>", ConnectionView.as_view(), name="connection"),
    path("v1/connections/<str:connection_id>/test", ConnectionTestView.as_view(), name="connection-test"),
    path("v1/lookups", LookupsView.as_view(), name="lookups"),
    path("v1/lookups/<str:lookup_name>", LookupView.as_view(), name="lookup"),
    re_path(r"", missing, name="missing"),
]
