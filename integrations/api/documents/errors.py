"""Errors, and orders about them, in the OpenAPI document."""

from rest_framework import serializers as s

from integrations.api.documents.base import Fields, Link, document, optional, page, strings, text
from integrations.api.documents.instances import WHO, WINDOW

_ERROR: Fields = {
    **WHO,
    "faultId": text(),
    "status": s.ChoiceField(["open", "resubmitted", "recovered", "discarded"]),
    "faultClass": text(),
    "errorCode": text(),
    "errorMessage": text(),
    "errorDetails": text(),
    "errorLocation": text(),
    "family": s.IntegerField(),
    "recoverable": s.BooleanField(),
    "failures": s.IntegerField(),
    "retryCount": s.IntegerField(),
    "creationDate": s.DateTimeField(),
    "lastUpdated": s.DateTimeField(),
    "pkName": text(),
    "pkValue": text(),
    "settledBy": text(),
    "reason": text(),
    "integration": s.DictField(required=False, help_text="With expand=integration."),
    "connections": s.ListField(
        child=s.DictField(), required=False, help_text="With expand=connection: where a call failed."
    ),
    "links": Link(many=True),
}
ErrorDocument = document("ErrorInstance", "A failed instance as operators see it.", _ERROR)
_Item = document(
    "ErrorItem",
    "An error; with groupBy a group of them and how many it has.",
    {
        **optional(_ERROR),
        "version": s.CharField(required=False),
        "connection": s.CharField(
            required=False, help_text="With groupBy=connection; empty: no failed call."
        ),
        "noOfErrors": s.IntegerField(required=False),
        "firstFailed": s.DateTimeField(required=False),
        "lastFailed": s.DateTimeField(required=False),
    },
)
ErrorPage = page("ErrorPage", _Item, WINDOW)
_Refusal = document("Refusal", "Why one was not done.", {"id": s.UUIDField(), "reason": text()})
_WHICH: Fields = {
    "ids": s.ListField(child=s.CharField(), required=False, min_length=1, max_length=500),
    "flowCode": s.CharField(required=False, help_text="Instead of ids: the open errors of this flow,"),
    "flowVersion": s.CharField(required=False, help_text="of this version,"),
    "timewindow": s.ChoiceField(
        ["1h", "6h", "1d", "2d", "3d", "RETENTIONPERIOD"],
        required=False,
        help_text="which failed in this window.",
    ),
    "connectionCode": s.CharField(
        required=False, help_text="Instead of ids: the open errors with a failed call at this connection,"
    ),
    "startDate": s.CharField(required=False, help_text="from yyyy-MM-dd HH:mm:ss in UTC"),
    "endDate": s.CharField(required=False, help_text="to then."),
}
_AGAIN: Fields = {
    "fromStart": s.BooleanField(required=False, help_text="Not from the last checkpoint."),
    "reason": s.CharField(required=False),
    "recoveryTraceLevel": s.ChoiceField(
        ["Production", "Audit", "Debug"],
        required=False,
        help_text="Trace the flow at this level for an hour; needs the permission to.",
    ),
}
ResubmitRequest = document(
    "ResubmitRequest",
    "How to send it again; all optional.",
    {**_AGAIN, "message": s.DictField(required=False, help_text="An edited message; needs a reason.")},
)
ResubmitManyRequest = document(
    "ResubmitManyRequest",
    "Which to send again: ids, or a flow's or a connection's open errors.",
    {
        **_WHICH,
        **_AGAIN,
        "rate": s.IntegerField(
            required=False, min_value=1, max_value=6000, help_text="Instances a minute of a selection; 60."
        ),
    },
)
_REASON: Fields = {"reason": s.CharField()}
DiscardRequest = document("DiscardRequest", "Why.", _REASON)
DiscardManyRequest = document("DiscardManyRequest", "Which, and why.", {**_WHICH, **_REASON})
_SentAgain = document(
    "SentAgain",
    "A failed instance and the one that does its work now.",
    {"failedInstanceId": s.UUIDField(), "resubmittedInstanceId": s.UUIDField(), "links": Link(many=True)},
)
ResubmitAnswer = document(
    "ResubmitAnswer",
    "What was sent again and what was not; of a selection, the order that is worked off from now on.",
    {
        "message": text(),
        "recoveryJobId": text(null=True),
        "redirectUrl": text(null=True, about="Where the order is followed."),
        "resubmitRequested": s.BooleanField(),
        "resubmitSuccessful": s.BooleanField(),
        "acceptedIds": strings(),
        "invalidIds": strings(),
        "nonRecoverableIds": strings(),
        "refusals": _Refusal(many=True),
        "resubmittedInstancesCount": s.IntegerField(),
        "resubmittedFailedInstances": _SentAgain(many=True),
        "links": Link(many=True),
    },
)
DiscardAnswer = document(
    "DiscardAnswer",
    "What was discarded and what was not.",
    {
        "message": text(),
        "discardedIds": strings(),
        "invalidIds": strings(),
        "refusals": _Refusal(many=True),
        "remaining": s.IntegerField(help_text="How many of a selection are left."),
    },
)
_JOB: Fields = {
    "id": text(),
    "recoveryJobId": text(),
    "title": text(),
    "status": s.ChoiceField(["awaiting", "running", "paused", "cancelled", "finished"]),
    "reason": text(),
    "requestedBy": text(),
    "approvedBy": text(),
    "rate": s.IntegerField(help_text="Instances a minute."),
    "totalInstances": s.IntegerField(),
    "creationDate": s.DateTimeField(),
    "startDate": s.DateTimeField(allow_null=True),
    "endDate": s.DateTimeField(allow_null=True),
    "links": Link(many=True),
}
JobDocument = document("RecoveryJob", "An order to resubmit.", _JOB)
JobPage = page("RecoveryJobPage", JobDocument)
_COUNTS = ("waiting", "resubmitted", "refused", "dropped", "recovered", "failedAgain", "underWay")
JobDetail = document(
    "RecoveryJobDetail",
    "An order to resubmit, and what became of its instances.",
    {**_JOB, **{name: s.IntegerField() for name in _COUNTS}},
)
