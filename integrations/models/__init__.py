"""The hub's tables, one file a subject; every other module imports them from here."""

from integrations.models.activity import Activity
from integrations.models.audit import AuditEntry
from integrations.models.certificate import TrustCertificate
from integrations.models.client import Client
from integrations.models.connection import AgentGroup, Breaker, Connection
from integrations.models.error import ErrorFamily, ErrorInstance
from integrations.models.file_transfer import FileTransfer
from integrations.models.flow import Flow
from integrations.models.heartbeat import Heartbeat, Lease
from integrations.models.instance import Attempt, BusinessKey, Instance, Resubmission, Step
from integrations.models.mapping import Mapping, MappingExtension
from integrations.models.network_location import NetworkLocation
from integrations.models.notification import Notification
from integrations.models.payload import Payload
from integrations.models.schedule import DueRun, Schedule
from integrations.models.sync_request import SyncRequest

__all__ = [
    "Activity",
    "AgentGroup",
    "Attempt",
    "AuditEntry",
    "Breaker",
    "BusinessKey",
    "Client",
    "Connection",
    "DueRun",
    "ErrorFamily",
    "ErrorInstance",
    "FileTransfer",
    "Flow",
    "Heartbeat",
    "Instance",
    "Lease",
    "Mapping",
    "MappingExtension",
    "NetworkLocation",
    "Notification",
    "Payload",
    "Resubmission",
    "Schedule",
    "Step",
    "SyncRequest",
    "TrustCertificate",
]
