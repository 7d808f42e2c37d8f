"""What all endpoints' descriptions are made of: serializers by name and fields, pages, faults."""

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


def page(name: str, item: type[s.Serializer[Any]]) -> type[s.Serializer[Any]]:
    """The page of a collection of such items."""
    return document(
        name,
        "A page of a collection.",
        {
            "items": item(many=True),
            "hasMore": s.BooleanField(),
            "limit": s.IntegerField(),
            "offset": s.IntegerField(),
            "totalResults": s.IntegerField(),
            "links": Link(many=True),
        },
    )


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
    answer: type[s.Serializer[Any]], *, status: int = 200, missing: bool = False, conflict: bool = False
) -> dict[int, Any]:
    """The answers of a monitoring endpoint."""
    more = [code for code, wanted in ((404, missing), (409, conflict)) if wanted]
    return {status: answer, **faults(400, 401, 403, *more, 503)}


_MEANINGS = {
    400: "What was sent is not valid; the detail names the place.",
    401: "The credentials are missing or not valid.",
    403: "The caller may not do this.",
    404: "There is no such thing.",
    405: "Another method.",
    409: "Another content under the same id, or a state that does not allow it.",
    413: "The body is larger than the flow takes.",
    415: "The Content-Type is not one the flow reads.",
    422: "A lookup or mapping of the hub does not cover the message.",
    502: "The target did not answer, or refused.",
    503: "The hub is busy, or the flow is not active; Retry-After says when to try again.",
    504: "The target did not answer in time.",
}
