"""Flows' numbers, packages, projects, the audit trail and agent groups in the OpenAPI document."""

from typing import Any

from rest_framework import serializers as s

from integrations.api.documents.base import Fields, Link, document, page, strings, text

_MONITORED: Fields = {
    "id": text(about="CODE|VERSION"),
    "code": text(),
    "version": text(),
    "name": text(),
    "projectCode": text(),
    "flowStatus": s.ChoiceField(["ACTIVATED", "CONFIGURED"]),
    "mepType": text(),
    "lastUpdated": s.DateTimeField(),
    "lastUpdatedString": text(),
    "optimizedVersion": text(),
    "scheduleApplicable": s.BooleanField(),
    "scheduleDefined": s.BooleanField(),
    "scheduleStatus": s.ChoiceField(["NOT_DEFINED", "STARTED", "STOPPED"]),
    "nextRunDateString": s.DateTimeField(allow_null=True),
    "noOfMsgsReceived": s.IntegerField(),
    "noOfMsgsProcessed": s.IntegerField(help_text="Those that have ended."),
    "noOfSuccess": s.IntegerField(),
    "noOfErrors": s.IntegerField(),
    "noOfAborted": s.IntegerField(),
    "successRate": s.FloatField(allow_null=True, help_text="Of a hundred that have ended."),
    "links": Link(many=True),
}
MonitoredDocument = document("MonitoredIntegration", "A flow's numbers.", _MONITORED)
MonitoredPage = page(
    "MonitoredIntegrationPage",
    MonitoredDocument,
    {
        "timeWindow": text(),
        "dataFetchTime": s.DateTimeField(),
        "isDataAccurate": s.BooleanField(
            help_text="False while hours are missing that the hub has yet to count."
        ),
    },
)
_PACKAGE: Fields = {
    "id": text(),
    "name": text(),
    "packageName": text(),
    "packageType": s.ChoiceField(["PREBUILT", "DEVELOPED"]),
    "version": text(),
    "projectCode": text(),
    "countOfIntegrations": s.IntegerField(),
    "countOfActiveIntegrations": s.IntegerField(),
    "countOfConnections": s.IntegerField(),
    "countOfLookups": s.IntegerField(),
    "links": Link(many=True),
}
PackageDocument = document("Package", "Flows that ship together.", _PACKAGE)
PackagePage = page("PackagePage", PackageDocument)
PackageDetail = document(
    "PackageDetail", "Flows that ship together, by id.", {**_PACKAGE, "integrations": strings()}
)
ProjectDocument = document(
    "Project", "Packages that belong together.", {"id": text(), "code": text(), "packages": strings()}
)
ProjectPage = page("ProjectPage", ProjectDocument)
AuditDocument = document(
    "AuditRecord",
    "Who did what to what.",
    {
        "id": text(),
        "actionDate": s.DateTimeField(),
        "actionBy": text(),
        "actionType": text(),
        "subject": text(),
        "detail": s.DictField(),
        "address": text(null=True),
    },
)
AuditPage = page("AuditRecordPage", AuditDocument, {"timeWindow": text()})
AgentGroupDocument = document(
    "AgentGroup",
    "A firewall behind which connections are reached.",
    {"id": text(), "agentGroupName": text(), "description": text(), "connections": s.IntegerField()},
)
AgentGroupPage = page("AgentGroupPage", AgentGroupDocument)
_Change = document(
    "PackageChange", "A setting that differs.", {"what": text(), "before": text(), "after": text()}
)
_Item = document(
    "PackageItem",
    "A flow, connection, lookup or mapping's extensions.",
    {
        "kind": text(),
        "name": text(),
        "status": text(about="added, changed, unchanged or refused"),
        "version": text(),
        "changes": _Change(many=True),
        "notes": strings(),
        "problems": strings(),
    },
)
PackageImported = document(
    "PackageImported",
    "What arrived; in a preview, what would.",
    {
        "id": text(),
        "name": text(),
        "packages": strings(),
        "status": text(),
        **{name: s.IntegerField() for name in ("added", "changed", "unchanged", "refused")},
        "items": _Item(many=True),
    },
)


class PackageParts(s.Serializer[Any]):
    """A package's zip."""

    file = s.FileField()


PACKAGE_ARCHIVE_REQUEST: dict[str, Any] = {"multipart/form-data": PackageParts}
