"""Lookups in the OpenAPI document."""

from typing import Any

from rest_framework import serializers as s

from integrations.api.documents.base import Fields, Link, document, page, strings, text

_SUMMARY: Fields = {
    "id": text(),
    "name": text(),
    "description": text(),
    "package": text(),
    "columns": strings(),
    "rowCount": s.IntegerField(),
    "status": text(),
    "usage": s.IntegerField(help_text="How many flows read it."),
    "usageActive": s.IntegerField(),
    "lockedFlag": s.BooleanField(help_text="Never: nothing is locked for editing."),
    "lockedBy": text(),
    "lockedDate": s.DateTimeField(allow_null=True),
    "created": s.DateTimeField(),
    "createdBy": text(),
    "lastUpdated": s.DateTimeField(),
    "lastUpdatedBy": text(),
    "keywords": text(),
    "links": Link(many=True),
}
_Row = document(
    "LookupRow",
    "Values in the order of the columns; the days between which they hold, where there are any.",
    {
        "rowData": strings(),
        "validFrom": s.CharField(required=False, allow_blank=True, help_text="yyyy-MM-dd, or empty."),
        "validUntil": s.CharField(required=False, allow_blank=True, help_text="yyyy-MM-dd, or empty."),
    },
)
LookupSummary = document("LookupSummary", "A lookup without its rows.", _SUMMARY)
LookupDocument = document("Lookup", "A lookup with its rows.", {**_SUMMARY, "rows": _Row(many=True)})
LookupPage = page("LookupPage", LookupSummary)
LookupRequest = document(
    "LookupRequest",
    "A lookup to make, or what to replace of one; what GET gives can be sent back.",
    {
        "name": s.CharField(required=False, help_text="Needed to make one; a lookup keeps its name."),
        "description": s.CharField(required=False, allow_blank=True),
        "columns": s.ListField(child=s.CharField(), required=False),
        "rows": _Row(many=True, required=False),
    },
)
LookupImported = document(
    "LookupImported", "What a file has replaced.", {"name": text(), "rowCount": s.IntegerField()}
)


class ArchiveParts(s.Serializer[Any]):
    """A file of a lookup's rows."""

    file = s.FileField()


ARCHIVE_REQUEST: dict[str, Any] = {"multipart/form-data": ArchiveParts}
