"""The flows' inbound endpoint in the OpenAPI document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers as s

from integrations.api.documents.base import faults

FLOW_CALL = """
A synchronous flow answers 200 with the target's answer; an asynchronous one 202, once the message is on disk.

The message is a JSON body, or the part `request` of a multipart whose part `file` is the file. A message has an id:
the header Idempotency-Key, else the flow's own field. The same id with the same content is not done twice: a
succeeded instance gives its stored answer (X-Busbar-Repeated: true), a running one is named, a failed one goes on
from its checkpoint. Every answer about an instance names it in X-Busbar-Instance.
"""
FLOW_PATH = [
    OpenApiParameter(
        "adapter",
        str,
        OpenApiParameter.PATH,
        enum=["rest", "oracleutilities"],
        description="Either word reaches any flow.",
    ),
    OpenApiParameter("identifier", str, OpenApiParameter.PATH, description="The flow's identifier or alias."),
    OpenApiParameter(
        "version", str, OpenApiParameter.PATH, description="1.0, or the package's exact version."
    ),
    OpenApiParameter("resource", str, OpenApiParameter.PATH, description="The flow's trigger."),
]


class AcceptedLinks(s.Serializer[Any]):
    """Where to follow an instance."""

    self = s.CharField()
    activityStream = s.CharField()  # noqa: N815  (the contract's spelling)


class Accepted(s.Serializer[Any]):
    """The message is on disk; a worker does the rest."""

    instanceId = s.UUIDField()  # noqa: N815  (the contract's spelling)
    status = s.CharField()
    links = AcceptedLinks()


class FlowParts(s.Serializer[Any]):
    """A message with a file."""

    request = s.CharField(help_text="The JSON message.")
    file = s.FileField(required=False)


FLOW_REQUEST: dict[str, Any] = {"application/json": OpenApiTypes.OBJECT, "multipart/form-data": FlowParts}
FLOW_ANSWERS: dict[int, Any] = {
    200: OpenApiResponse(OpenApiTypes.OBJECT, description="The flow's answer."),
    202: OpenApiResponse(
        Accepted,
        description="Accepted; Location says where to follow it.",
        examples=[
            OpenApiExample(
                "Accepted",
                value={
                    "instanceId": "018f4e2a-7c11-7d2e-9b5e-2f1f6f0f5a10",
                    "status": "ready",
                    "links": {
                        "self": "/ic/api/integration/v1/monitoring/instances/018f4e2a-7c11-7d2e-9b5e-2f1f6f0f5a10",
                        "activityStream": "/ic/api/integration/v1/monitoring/instances/"
                        "018f4e2a-7c11-7d2e-9b5e-2f1f6f0f5a10/activityStream",
                    },
                },
            )
        ],
    ),
    **faults(400, 401, 403, 404, 405, 409, 413, 415, 422, 502, 503, 504),
}
