"""Integrations, connections and packages in the OpenAPI document."""

from rest_framework import serializers as s

from integrations.api.documents.base import Link, document, page, strings, text

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
        "projectCode": text(),
        "connections": strings(),
        "lookups": strings(),
        "dependencies": s.DictField(required=False, help_text="With expand=connection."),
        "schedules": s.ListField(child=s.DictField(), required=False, help_text="With expand=schedule."),
        "tracingLevel": text(),
        "lastUpdated": s.DateTimeField(),
        "links": Link(many=True),
    },
)
IntegrationPage = page("IntegrationPage", IntegrationDocument)
SwitchRequest = document(
    "SwitchRequest",
    "What to change.",
    {
        "status": s.ChoiceField(["ACTIVATED", "CONFIGURED"], required=False),
        "tracingEnabledFlag": s.BooleanField(
            required=False, help_text="OIC's; let pass: the stream is always kept."
        ),
        "payloadTracingEnabledFlag": s.BooleanField(
            required=False, help_text="Tracing level audit or production; needs the permission to trace."
        ),
    },
)
ActivationStatus = document(
    "ActivationStatus", "Whether it is on.", {"activationStatus": s.ChoiceField(["ACTIVATED", "CONFIGURED"])}
)
CloneRequest = document(
    "CloneRequest",
    "The new flow.",
    {
        "code": s.CharField(help_text="Its identifier."),
        "name": s.CharField(required=False),
        "connections": s.DictField(
            child=s.CharField(), required=False, help_text="The code's name → the clone's own."
        ),
        "lookups": s.DictField(child=s.CharField(), required=False),
        "flows": s.DictField(
            child=s.CharField(), required=False, help_text="A flow it calls → that flow's clone."
        ),
        "withExtensions": s.BooleanField(required=False, help_text="Copy the extensions; true."),
        "withSchedules": s.BooleanField(required=False, help_text="Copy the schedules, off; true."),
    },
)
_Schedule = document(
    "Schedule",
    "When it runs by itself, and with what.",
    {
        "requestId": text(),
        "name": text(),
        "enabled": s.BooleanField(),
        "cron": text(),
        "intervalSeconds": s.IntegerField(allow_null=True),
        "timeZone": text(),
        "parameters": s.DictField(),
        "nextRunDate": s.DateTimeField(allow_null=True),
    },
)
ScheduleAnswer = document(
    "ScheduleAnswer",
    "The flow's schedules now.",
    {"scheduleStatus": s.ChoiceField(["STARTED", "STOPPED"]), "schedules": _Schedule(many=True)},
)
RunRequest = document(
    "RunRequest",
    "All optional.",
    {
        "action": s.ChoiceField(["NOW"], required=False),
        "parameters": s.DictField(child=s.CharField(), required=False),
    },
)
RunAnswer = document(
    "RunAnswer",
    "The instance that runs.",
    {
        "instanceId": s.UUIDField(),
        "runId": s.UUIDField(),
        "jobId": s.UUIDField(),
        "integrationId": text(),
        "parameters": s.DictField(),
        "links": Link(many=True),
    },
)
_Property = document(
    "ConnectionProperty",
    "A setting of the adapter.",
    {"propertyName": text(), "propertyValue": s.CharField(allow_null=True)},
)
ConnectionChange = document(
    "ConnectionChange",
    "What to change; at least one.",
    {
        "description": s.CharField(required=False, allow_blank=True),
        "agentGroupId": s.CharField(required=False, allow_null=True),
        "connectionProperties": _Property(many=True, required=False),
        "securityProperties": _Property(many=True, required=False),
        "settings": s.DictField(required=False, help_text="The same by name, in their own types."),
        "secrets": s.DictField(child=s.CharField(), required=False),
    },
)
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
