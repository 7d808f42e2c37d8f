"""The hub's tables, one file a subject; every other module imports them from here."""

from integrations.models.activity import Activity
from integrations.models.alert import Alert, AlertRule, WebhookDelivery
from integrations.models.audit import AuditEntry
from integrations.models.bulk_resubmission import BulkItem, BulkResubmission
from integrations.models.certificate import TrustCertificate
from integrations.models.client import Client
from integrations.models.connection import AgentGroup, Breaker, Connection
from integrations.models.count import HourCount, Tally
from integrations.models.error import ErrorFamily, ErrorInstance
from integrations.models.expected_file import ExpectedFile
from integrations.models.file_transfer import FileTransfer
from integrations.models.flow import Flow
from integrations.models.heartbeat import Heartbeat, Lease
from integrations.models.instance import Attempt, BusinessKey, Instance, Resubmission, Step
from integrations.models.mapping import Mapping, MappingExtension
from integrations.models.masked_field import MaskedField
from integrations.models.missing_value import MissingValue
from integrations.models.network_location import NetworkLocation
from integrations.models.notification import Notification
from integrations.models.package_import import PackageImport
from integrations.models.payload import Payload
from integrations.models.saved_filter import SavedFilter
from integrations.models.schedule import DueRun, Schedule
from integrations.models.sync_request import SyncRequest

__all__ = [
    "Activity",
    "AgentGroup",
    "Alert",
    "AlertRule",
    "Attempt",
    "AuditEntry",
    "Breaker",
    "BulkItem",
    "BulkResubmission",
    "BusinessKey",
    "Client",
    "Connection",
    "DueRun",
    "ErrorFamily",
    "ErrorInstance",
    "ExpectedFile",
    "FileTransfer",
    "Flow",
    "Heartbeat",
    "HourCount",
    "Instance",
    "Lease",
    "Mapping",
    "MappingExtension",
    "MaskedField",
    "MissingValue",
    "NetworkLocation",
    "Notification",
    "PackageImport",
    "Payload",
    "Resubmission",
    "SavedFilter",
    "Schedule",
    "Step",
    "SyncRequest",
    "Tally",
    "TrustCertificate",
    "WebhookDelivery",
]
