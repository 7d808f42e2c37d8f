"""What all endpoints' descriptions are made of: serializers by name and fields, pages, faults."""

import copy
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers as s

Fields = dict[str, s.Field[Any, Any, Any, Any]]


class FaultDetail(s.Serializer[Any]):
    """One place or cause."""

    type = s.CharField()
    title = s.CharField()
    instance = s.CharField()
    connection = s.CharField(required=False)
    targetStatus = s.IntegerField(required=False)  # noqa: N815  (OIC's spelling)

    def get_fields(self) -> Fields:
        """With the names Python cannot spell."""
        return {**super().get_fields(), "o:errorPath": s.CharField(), "o:errorCode": s.CharField()}


class FaultDocument(s.Serializer[Any]):
    """Why a call failed; docs/faults.md lists the codes."""

    type = s.CharField()
    title = s.CharField()
    status = s.CharField(help_text="The HTTP status, as a string.")
    detail = s.CharField()
    instance = s.CharField(help_text="The instance's id; empty where none came to be.")

    def get_fields(self) -> Fields:
        """With the names Python cannot spell."""
        return {
            **super().get_fields(),
            "o:errorCode": s.CharField(help_text="HUB-…"),
            "o:errorDetails": FaultDetail(many=True),
        }


class Link(s.Serializer[Any]):
    """Where something is."""

    rel = s.CharField()
    href = s.CharField()


def document(name: str, about: str, fields: Fields) -> type[s.Serializer[Any]]:
    """A serializer class; only the OpenAPI document uses it."""
    return type(name, (s.Serializer,), {"__doc__": about, **fields})


_PAGE: Fields = {
    "hasMore": s.BooleanField(),
    "limit": s.IntegerField(),
    "offset": s.IntegerField(),
    "totalResults": s.IntegerField(help_text="Counted up to 10,000."),
    "totalResultsExact": s.BooleanField(help_text="False where there are more than totalResults."),
}


def page(name: str, item: type[s.Serializer[Any]], more: Fields | None = None) -> type[s.Serializer[Any]]:
    """The page of a collection of such items."""
    fields = {"items": item(many=True), **_PAGE, "links": Link(many=True), **(more or {})}
    return document(name, "A page of a collection.", fields)


def optional(fields: Fields) -> Fields:
    """The same fields, none of which has to be there."""
    return {name: _optional(field) for name, field in fields.items()}


def _optional(field: Any) -> Any:
    """A copy that is not required; REST framework makes further copies from what it was called with."""
    made = copy.deepcopy(field)
    made._kwargs = {**made._kwargs, "required": False}
    made.required = False
    return made


def text(*, null: bool = False, about: str = "") -> s.CharField:
    """A text."""
    return s.CharField(allow_null=null, help_text=about or None)


def strings() -> s.ListField:
    """A list of texts."""
    return s.ListField(child=s.CharField())


def faults(*statuses: int) -> dict[int, OpenApiResponse]:
    """The fault answers of an endpoint; all have one body."""
    return {status: OpenApiResponse(FaultDocument, description=_MEANINGS[status]) for status in statuses}


def answers(
    answer: Any,
    *,
    status: int = 200,
    missing: bool = False,
    conflict: bool = False,
    also: Sequence[int] = (),
    media: str = "application/json",
) -> dict[Any, Any]:
    """The answers of a monitoring or design endpoint; `also`: further faults. None answers with no body."""
    more = [code for code, wanted in ((404, missing), (409, conflict)) if wanted]
    good = answer if answer is not None else OpenApiResponse(description="Done.")
    return {(status, media): good, **faults(400, 401, 403, *more, *also, 503)}


_MEANINGS = {
    400: "What was sent is not valid; the detail names the place.",
    401: "The credentials are missing or not valid.",
    403: "The caller may not do this.",
    404: "There is no such thing.",
    405: "Another method.",
    409: "Another content under the same id, or a state that does not allow it.",
    412: "What it needs is not there; each thing that is missing is named.",
    413: "The body is larger than the flow takes.",
    415: "The Content-Type is not one the flow reads.",
    422: "A lookup or mapping of the hub does not cover the message.",
    502: "The target did not answer, or refused.",
    503: "The hub is busy, or the flow is not active; Retry-After says when to try again.",
    504: "The target did not answer in time.",
}
