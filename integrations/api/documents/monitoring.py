"""Instances, activity streams and errors in the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers as s

from integrations.api.documents.base import Fields, Link, document, page, strings, text

_Tracking = document(
    "Tracking", "A business key.", {"name": text(), "value": text(), "primary": s.BooleanField()}
)
_Fault = document(
    "InstanceFault", "Why it failed.", {"class": text(), "code": text(), "text": text(), "step": text()}
)
_WHO: Fields = {
    "id": s.UUIDField(),
    "instanceId": s.UUIDField(),
    "integrationId": text(about="CODE|VERSION"),
    "code": text(),
    "integrationName": text(),
    "integrationVersion": text(),
}
InstanceDocument = document(
    "Instance",
    "One execution of a flow.",
    {
        **_WHO,
        "packageName": text(),
        "status": s.ChoiceField(["IN_PROGRESS", "COMPLETED", "FAILED", "ABORTED"]),
        "state": text(about="The hub's own, finer state."),
        "creationDate": s.DateTimeField(),
        "date": s.DateTimeField(),
        "lastTrackedTime": s.DateTimeField(),
        "duration": s.IntegerField(allow_null=True, help_text="Milliseconds."),
        "invokedBy": text(),
        "cause": text(),
        "parentInstanceId": s.UUIDField(allow_null=True),
        "replayOf": s.UUIDField(allow_null=True),
        "instanceReportingLevel": text(),
        "hasRecoverableFaults": s.BooleanField(),
        "isDataAccurate": s.BooleanField(),
        "isPurged": s.BooleanField(),
        "pkName": text(),
        "pkValue": text(),
        "trackings": _Tracking(many=True),
        "attempts": s.IntegerField(),
        "fault": _Fault(allow_null=True),
        "links": Link(many=True),
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
ErrorDocument = document(
    "ErrorInstance",
    "A failed instance as operators see it.",
    {
        **_WHO,
        "status": s.ChoiceField(["open", "resubmitted", "recovered", "discarded"]),
        "faultClass": text(),
        "errorCode": text(),
        "errorMessage": text(),
        "errorDetails": text(),
        "errorLocation": text(),
        "family": s.IntegerField(),
        "recoverable": s.BooleanField(),
        "failures": s.IntegerField(),
        "creationDate": s.DateTimeField(),
        "lastUpdated": s.DateTimeField(),
        "pkName": text(),
        "pkValue": text(),
        "settledBy": text(),
        "reason": text(),
        "links": Link(many=True),
    },
)
_Refusal = document("Refusal", "Why one was not done.", {"id": s.UUIDField(), "reason": text()})

InstancePage = page("InstancePage", InstanceDocument)
ActivityPage = page("ActivityPage", ActivityDocument)
ErrorPage = page("ErrorPage", ErrorDocument)

_AGAIN: Fields = {
    "fromStart": s.BooleanField(required=False, help_text="Not from the last checkpoint."),
    "reason": s.CharField(required=False),
}
_IDS: Fields = {"ids": s.ListField(child=s.CharField(), min_length=1, max_length=500)}
ResubmitRequest = document(
    "ResubmitRequest",
    "How to send it again; all optional.",
    {**_AGAIN, "message": s.DictField(required=False, help_text="An edited message; needs a reason.")},
)
ResubmitManyRequest = document("ResubmitManyRequest", "Which to send again.", {**_IDS, **_AGAIN})
DiscardRequest = document("DiscardRequest", "Why.", {"reason": s.CharField()})
DiscardManyRequest = document("DiscardManyRequest", "Which, and why.", {**_IDS, "reason": s.CharField()})
_SentAgain = document(
    "SentAgain",
    "A failed instance and the one that does its work now.",
    {"failedInstanceId": s.UUIDField(), "resubmittedInstanceId": s.UUIDField(), "links": Link(many=True)},
)
ResubmitAnswer = document(
    "ResubmitAnswer",
    "What was sent again and what was not.",
    {
        "message": text(),
        "resubmitRequested": s.BooleanField(),
        "resubmitSuccessful": s.BooleanField(),
        "acceptedIds": strings(),
        "invalidIds": strings(),
        "nonRecoverableIds": strings(),
        "refusals": _Refusal(many=True),
        "resubmittedInstancesCount": s.IntegerField(),
        "resubmittedFailedInstances": _SentAgain(many=True),
    },
)
DiscardAnswer = document(
    "DiscardAnswer",
    "What was discarded and what was not.",
    {"message": text(), "discardedIds": strings(), "invalidIds": strings(), "refusals": _Refusal(many=True)},
)

PAGING = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="Items a page, 50 by default, 1000 at most."),
    OpenApiParameter("offset", OpenApiTypes.INT, description="Items to pass over."),
]


def _q(names: str) -> OpenApiParameter:
    return OpenApiParameter(
        "q", str, description=f"Criteria, e.g. {{code:'…', status:'FAILED'}}; knows {names}."
    )


INSTANCE_QUERY = [
    _q(
        "timewindow (1h, 6h, 1d, 2d, 3d, RETENTIONPERIOD), startdate and enddate (yyyy-MM-dd HH:mm:ss in UTC), code, "
        "version, status, state, primaryValue, businessIDValue, id, parentInstanceId, includePurged"
    ),
    *PAGING,
    OpenApiParameter("orderBy", str, enum=["creationdate"]),
    OpenApiParameter("fields", str, enum=["all", "id"]),
]
ERROR_QUERY = [_q("status, code, errorCode, faultClass, primaryValue, family"), *PAGING]
STREAM_QUERY = [
    *PAGING,
    OpenApiParameter("payloads", str, enum=["false", "true"], description="With the texts of kept payloads."),
]
