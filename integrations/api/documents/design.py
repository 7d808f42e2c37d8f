"""Lookups, integrations and connections in the OpenAPI document."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers as s

from integrations.api.documents.base import Link, document, page, strings, text

LookupSummary = document(
    "LookupSummary",
    "A lookup without its rows.",
    {
        "name": text(),
        "description": text(),
        "columns": strings(),
        "rowCount": s.IntegerField(),
        "lastUpdated": s.DateTimeField(allow_null=True),
        "links": Link(many=True),
    },
)
_Row = document("LookupRow", "Values in the order of the columns.", {"rowData": strings()})
LookupDocument = document(
    "Lookup",
    "A lookup with its rows.",
    {
        "name": text(),
        "description": text(),
        "columns": strings(),
        "rows": _Row(many=True),
        "rowCount": s.IntegerField(),
        "lastUpdated": s.DateTimeField(allow_null=True),
        "links": Link(many=True),
    },
)
LookupPage = page("LookupPage", LookupSummary)
IntegrationDocument = document(
    "Integration",
    "A flow.",
    {
        "id": text(about="CODE|VERSION"),
        "code": text(),
        "version": text(),
        "name": text(),
        "description": text(),
        "status": s.ChoiceField(["ACTIVATED", "CONFIGURED"]),
        "packageName": text(),
        "pattern": text(),
        "aliases": strings(),
        "triggerType": text(null=True),
        "resources": strings(),
        "scheduleApplicable": s.BooleanField(),
        "connections": strings(),
        "lookups": strings(),
        "tracingLevel": text(),
        "lastUpdated": s.DateTimeField(),
        "links": Link(many=True),
    },
)
IntegrationPage = page("IntegrationPage", IntegrationDocument)
INTEGRATION_QUERY = [OpenApiParameter("status", str, enum=["ACTIVATED", "CONFIGURED"])]
_LastTest = document(
    "LastTest",
    "How its last test ended.",
    {"time": s.DateTimeField(allow_null=True), "passed": s.BooleanField(allow_null=True)},
)
ConnectionDocument = document(
    "Connection",
    "A connection, without its secrets.",
    {
        "id": text(),
        "name": text(),
        "adapterType": text(),
        "role": text(),
        "description": text(),
        "packageName": text(),
        "agentGroupId": text(null=True),
        "settings": s.DictField(),
        "catalogUrl": text(),
        "lastTest": _LastTest(),
        "lastUpdated": s.DateTimeField(),
        "links": Link(many=True),
    },
)
ConnectionPage = page("ConnectionPage", ConnectionDocument)
_Step = document(
    "TestStep",
    "One thing that was tried.",
    {
        "what": text(),
        "ok": s.BooleanField(),
        "milliseconds": s.FloatField(),
        "detail": text(),
        "hint": text(),
        "offeredHostKey": text(),
    },
)
TestAnswer = document(
    "ConnectionTest",
    "What was tried, and what came of it.",
    {"status": s.ChoiceField(["SUCCESS", "FAILED"]), "message": text(), "steps": _Step(many=True)},
)
