"""Instances and their activity streams in the OpenAPI document."""

from rest_framework import serializers as s

from integrations.api.documents.base import Fields, Link, document, optional, page, text

_Tracking = document(
    "Tracking", "A business key.", {"name": text(), "value": text(), "primary": s.BooleanField()}
)
_Fault = document(
    "InstanceFault", "Why it failed.", {"class": text(), "code": text(), "text": text(), "step": text()}
)
WHO: Fields = {
    "id": s.UUIDField(),
    "instanceId": s.UUIDField(),
    "integrationId": text(about="CODE|VERSION"),
    "code": text(),
    "integrationName": text(),
    "integrationVersion": text(),
}
_INSTANCE: Fields = {
    **WHO,
    "packageName": text(),
    "projectCode": text(),
    "status": s.ChoiceField(["IN_PROGRESS", "COMPLETED", "FAILED", "ABORTED"]),
    "state": text(about="The hub's own, finer state."),
    "creationDate": s.DateTimeField(),
    "date": s.DateTimeField(),
    "lastTrackedTime": s.DateTimeField(),
    "duration": s.IntegerField(allow_null=True, help_text="Milliseconds."),
    "invokedBy": text(),
    "cause": text(),
    "runId": s.UUIDField(allow_null=True, help_text="Of a scheduled run, or one by hand."),
    "parentInstanceId": s.UUIDField(allow_null=True),
    "replayOf": s.UUIDField(allow_null=True),
    "instanceReportingLevel": text(),
    "hasRecoverableFaults": s.BooleanField(),
    "isDataAccurate": s.BooleanField(),
    "isPurged": s.BooleanField(),
    "pkName": text(),
    "pkValue": text(),
    "secondaryTrackingName": text(),
    "secondaryTrackingValue": text(),
    "tertiaryTrackingName": text(),
    "tertiaryTrackingValue": text(),
    "trackings": _Tracking(many=True),
    "attempts": s.IntegerField(),
    "fault": _Fault(allow_null=True),
    "links": Link(many=True),
}
InstanceDocument = document("Instance", "One execution of a flow.", _INSTANCE)
_Milestone = document(
    "FlowMilestone",
    "A step that was begun.",
    {
        "name": text(),
        "state": text(),
        "attempt": s.IntegerField(),
        "startDate": s.DateTimeField(),
        "endDate": s.DateTimeField(allow_null=True),
    },
)
_ErrorMilestone = document(
    "ErrorMilestone",
    "A line of the stream that tells of an error.",
    {
        "time": s.DateTimeField(),
        "attempt": s.IntegerField(),
        "message": text(),
        "connection": text(null=True),
        "statusCode": s.IntegerField(allow_null=True),
    },
)
_Trail = document(
    "InstanceTrail",
    "What a person or client did to it.",
    {"time": s.DateTimeField(), "actor": text(), "action": text()},
)
InstanceDetail = document(
    "InstanceDetail",
    "One execution of a flow, at length.",
    {
        **_INSTANCE,
        "flowMilestones": _Milestone(many=True),
        "errorMilestones": _ErrorMilestone(many=True),
        "auditTrail": _Trail(many=True),
    },
)
_Stored = document(
    "StoredPayload",
    "A payload a tracing level kept; only for callers who may read payloads.",
    {
        "sha256": text(),
        "size": s.IntegerField(),
        "contentType": text(),
        "content": s.CharField(required=False, help_text="With payloads=true: its text, cut after 64 KiB."),
    },
)
ActivityDocument = document(
    "Activity",
    "One line of an activity stream.",
    {
        "time": s.DateTimeField(),
        "attempt": s.IntegerField(),
        "kind": text(),
        "level": s.ChoiceField(["info", "warning", "error"]),
        "message": text(),
        "durationMs": s.FloatField(allow_null=True),
        "connection": text(null=True),
        "operation": text(),
        "statusCode": s.IntegerField(allow_null=True),
        "bytesOut": s.IntegerField(allow_null=True),
        "bytesIn": s.IntegerField(allow_null=True),
        "payloadIn": _Stored(required=False, allow_null=True),
        "payloadOut": _Stored(required=False, allow_null=True),
    },
)
WINDOW: Fields = {"timeWindow": text(about="As q says it; empty: all that is kept.")}
_Item = document(
    "InstanceItem",
    "An instance; with fields=id or runId that alone, with groupBy=integration a flow and how many it has.",
    {
        **optional(_INSTANCE),
        "version": s.CharField(required=False),
        "noOfInstances": s.IntegerField(required=False),
        "lastCreationDate": s.DateTimeField(required=False),
    },
)
InstancePage = page("InstancePage", _Item, WINDOW)
ActivityPage = page("ActivityPage", ActivityDocument)
AbortRequest = document("AbortRequest", "Why; may be left out.", {"reason": s.CharField(required=False)})
