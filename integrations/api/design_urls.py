"""The design API's addresses: integrations, connections, lookups, packages; and those of projects."""

from django.urls import path

from integrations.api.connections import ConnectionsView, ConnectionTestView, ConnectionView
from integrations.api.integration_orders import (
    CloneView,
    JobsView,
    SchedulePauseView,
    ScheduleResumeView,
    ScheduleStartView,
    ScheduleStopView,
)
from integrations.api.integrations import ActivationStatusView, IntegrationsView, IntegrationView
from integrations.api.lookup_archives import LookupArchivesView, LookupArchiveView
from integrations.api.lookups import LookupsView, LookupView
from integrations.api.package_archives import PackageArchivesView, PackageArchiveView
from integrations.api.packages import PackagesView, PackageView, ProjectsView
from integrations.api.projects import in_project

# Address below v1/, view, its name, and the operations it has in a project.
_TABLE = [
    ("integrations", IntegrationsView, "integrations", {"get": "integrations_list"}),
    (
        "integrations/<str:integration_id>",
        IntegrationView,
        "integration",
        {"get": "integrations_get", "patch": "integrations_switch"},
    ),
    (
        "integrations/<str:integration_id>/activationStatus",
        ActivationStatusView,
        "activation-status",
        {"get": "integrations_activation_status"},
    ),
    (
        "integrations/<str:integration_id>/schedule/start",
        ScheduleStartView,
        "schedule-start",
        {"post": "schedule_start"},
    ),
    (
        "integrations/<str:integration_id>/schedule/stop",
        ScheduleStopView,
        "schedule-stop",
        {"post": "schedule_stop"},
    ),
    (
        "integrations/<str:integration_id>/schedule/pause",
        SchedulePauseView,
        "schedule-pause",
        {"post": "schedule_pause"},
    ),
    (
        "integrations/<str:integration_id>/schedule/resume",
        ScheduleResumeView,
        "schedule-resume",
        {"post": "schedule_resume"},
    ),
    (
        "integrations/<str:integration_id>/schedule/jobs",
        JobsView,
        "schedule-jobs",
        {"post": "schedule_jobs"},
    ),
    ("connections", ConnectionsView, "connections", {"get": "connections_list"}),
    (
        "connections/<str:connection_id>",
        ConnectionView,
        "connection",
        {"get": "connections_get", "patch": "connections_update"},
    ),
    (
        "connections/<str:connection_id>/test",
        ConnectionTestView,
        "connection-test",
        {"post": "connections_test"},
    ),
    ("lookups", LookupsView, "lookups", {"get": "lookups_list", "post": "lookups_create"}),
    (
        "lookups/archive",
        LookupArchivesView,
        "lookup-archives",
        {"post": "lookups_import", "put": "lookups_import_again"},
    ),
    (
        "lookups/<str:lookup_name>",
        LookupView,
        "lookup",
        {"get": "lookups_get", "put": "lookups_replace", "delete": "lookups_delete"},
    ),
    (
        "lookups/<str:lookup_name>/archive",
        LookupArchiveView,
        "lookup-archive",
        {"get": "lookups_export"},
    ),
]
design = [
    *(path(f"v1/{address}", view.as_view(), name=name) for address, view, name, _ in _TABLE),
    path("v1/integrations/<str:integration_id>/clone", CloneView.as_view(), name="integration-clone"),
    path("v1/packages", PackagesView.as_view(), name="packages"),
    path("v1/packages/archive", PackageArchivesView.as_view(), name="package-archives"),
    path("v1/packages/<str:package_name>/archive", PackageArchiveView.as_view(), name="package-archive"),
    path("v1/packages/<str:package_name>", PackageView.as_view(), name="package"),
    path("v1/projects", ProjectsView.as_view(), name="projects"),
]
in_projects = [
    path(
        f"v1/projects/<str:project_id>/{address}",
        in_project(view, **operations).as_view(),
        name=f"project-{name}",
    )
    for address, view, name, operations in _TABLE
]
