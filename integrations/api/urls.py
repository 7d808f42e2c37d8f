"""Addresses under /ic/api/integration/ (contract, "Inbound REST"; OIC's REST API for the rest)."""

from django.urls import path, re_path

from integrations.api.design_urls import design, in_projects
from integrations.api.error_instances import ErrorsView, ErrorView
from integrations.api.error_orders import DiscardManyView, DiscardView, ResubmitManyView, ResubmitView
from integrations.api.inbound import FlowView, ProjectFlowView
from integrations.api.instances import AbortView, InstancesView, InstanceView
from integrations.api.missing import missing
from integrations.api.monitored_integrations import MonitoredIntegrationsView
from integrations.api.records import AgentGroupsView, AuditRecordsView
from integrations.api.recovery_jobs import RecoveryJobsView, RecoveryJobView
from integrations.api.streams import ActivityStreamDetailsView, ActivityStreamView, LogView

app_name = "integrations-api"
_ADAPTER = r"(?P<adapter>rest|oracleutilities)"
_FLOW = r"(?P<identifier>[^/]+)/(?P<version>[^/]+)/(?P<resource>[^/]+)"
_MONITORING = "v1/monitoring"
_INSTANCE = f"{_MONITORING}/instances/<uuid:instance_id>"
_ERROR = f"{_MONITORING}/errors/<uuid:instance_id>"
_PROJECT = rf"^v2/flows/{_ADAPTER}/project/(?P<project>[^/]+)/{_FLOW}"

urlpatterns = [
    re_path(rf"^v1/flows/{_ADAPTER}/{_FLOW}$", FlowView.as_view(), name="flow"),
    re_path(rf"{_PROJECT}$", ProjectFlowView.as_view(), name="project-flow"),
    # A slash at the end is let pass, and not documented.
    re_path(rf"^v1/flows/{_ADAPTER}/{_FLOW}/$", FlowView.as_view(schema=None)),
    re_path(rf"{_PROJECT}/$", ProjectFlowView.as_view(schema=None)),
    path(f"{_MONITORING}/instances", InstancesView.as_view(), name="instances"),
    path(_INSTANCE, InstanceView.as_view(), name="instance"),
    path(f"{_INSTANCE}/activityStream", ActivityStreamView.as_view(), name="activity-stream"),
    path(
        f"{_INSTANCE}/activityStreamDetails",
        ActivityStreamDetailsView.as_view(),
        name="activity-stream-details",
    ),
    path(f"{_INSTANCE}/abort", AbortView.as_view(), name="instance-abort"),
    path(f"{_MONITORING}/errors", ErrorsView.as_view(), name="errors"),
    path(f"{_MONITORING}/errors/resubmit", ResubmitManyView.as_view(), name="errors-resubmit"),
    path(f"{_MONITORING}/errors/discard", DiscardManyView.as_view(), name="errors-discard"),
    path(f"{_MONITORING}/errors/recoveryJobs", RecoveryJobsView.as_view(), name="recovery-jobs"),
    path(f"{_MONITORING}/errors/recoveryJobs/<int:job_id>", RecoveryJobView.as_view(), name="recovery-job"),
    path(_ERROR, ErrorView.as_view(), name="error"),
    path(f"{_ERROR}/resubmit", ResubmitView.as_view(), name="error-resubmit"),
    path(f"{_ERROR}/discard", DiscardView.as_view(), name="error-discard"),
    path(f"{_MONITORING}/integrations", MonitoredIntegrationsView.as_view(), name="monitored-integrations"),
    path(f"{_MONITORING}/logs/<uuid:instance_id>", LogView.as_view(), name="log"),
    path(f"{_MONITORING}/auditRecords", AuditRecordsView.as_view(), name="audit-records"),
    path(f"{_MONITORING}/agentgroups", AgentGroupsView.as_view(), name="agent-groups"),
    *design,
    *in_projects,
    re_path(r"", missing, name="missing"),
]
