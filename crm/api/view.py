"""POST a message to an operation as JSON: {Header, Request, Payload} → {Header, Reply, Payload}."""

from typing import Any

import orjson
from django.db import InterfaceError, OperationalError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.documents import ANSWERS, ASKED, DESCRIPTION
from crm.operations.base import Operation
from crm.operations.problems import Stop
from crm.operations.registry import OPERATIONS, operation_named
from crm.services.caller import expect_may_call
from crm.services.message_receive import Replayed, Reply, StandbySite, message_receive, message_refuse
from crm.soap.view import STANDBY, cause_of, internal_error
from crm.wire.codec import Malformed, decode, from_json, to_json
from crm.wire.types import message_element, message_type
from integrations.api.auth import CHALLENGE, CallerAuthentication, client_of
from integrations.api.errors import NotFound, Unauthenticated, WrongMediaType
from integrations.api.faults import fault_response
from integrations.api.message import body_limit, read_message
from integrations.api.negotiation import AlwaysJson
from integrations.models import Client


class OperationView(APIView):
    """One operation."""

    authentication_classes = [CallerAuthentication]
    permission_classes: list[Any] = []  # each operation's own
    content_negotiation_class = AlwaysJson
    http_method_names = ["post"]

    @extend_schema(
        operation_id="crm_operation",
        summary="Call an operation of the call centre's interface",
        description=DESCRIPTION,
        tags=["CRM"],
        parameters=[
            OpenApiParameter(
                "operation", str, OpenApiParameter.PATH, enum=[operation.name for operation in OPERATIONS]
            )
        ],
        request=ASKED,
        responses=ANSWERS,
    )
    def post(self, request: Request, operation: str) -> Response:
        """The operation's reply, 200 whatever its Result; faults in the hub's own form."""
        client = client_of(request)
        if client is None:
            raise NotAuthenticated
        found = operation_named(operation)
        if found is None:
            known = ", ".join(one.name for one in OPERATIONS)
            raise NotFound(f"There is no operation {operation[:60]!r}", hint=f"There are {known}.")
        expect_may_call(client, found.name)
        _expect_unpacked(request)
        message = read_message(request._request, multipart=False, limit=body_limit(found.name))
        return _answer(found, orjson.loads(message.content), client)  # as `read_message` has checked it


def _answer(operation: Operation, content: Any, client: Client) -> Response:
    try:
        reply = _received(operation, content, client)
    except Replayed as error:
        response = fault_response(Unauthenticated(f"The message was refused as a replay: {error}"))
        response["WWW-Authenticate"] = CHALLENGE
        return response
    except StandbySite:
        return _unable(operation, STANDBY)
    except (OperationalError, InterfaceError):  # the hub's own form says when to send it again
        raise
    except Exception as error:  # noqa: BLE001  (said and on record, whatever it is)
        return _unable(operation, cause_of(error))
    return Response(_json(operation, reply.document))


def _received(operation: Operation, content: Any, client: Client) -> Reply:
    try:
        element = from_json(content, message_element(operation.asks_in, operation.name))
    except Malformed as error:
        stop = Stop("InvalidMessage", str(error))
        header = _header(operation, content)
        return message_refuse(operation=operation, stop=stop, header=header, client=client, transport="rest")
    return message_receive(operation=operation, message=element, client=client, transport="rest")


def _header(operation: Operation, content: Any) -> dict[str, Any]:
    """The header of what is not valid, as far as it can be read: the reply names its CorrelationID."""
    given = content.get("Header") if isinstance(content, dict) else None
    kind = message_element(operation.asks_in, operation.name).type
    member = kind.by_name["Header"] if kind else None
    if not given or member is None or member.type is None:
        return {}
    try:
        return decode(from_json(given, member), member.type)
    except Malformed:
        return {}


def _expect_unpacked(request: Request) -> None:
    packed = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if packed not in ("", "identity"):
        raise WrongMediaType(f"Content-Encoding {packed[:60]} is not read here", hint="Send it unpacked.")


def _unable(operation: Operation, text: str) -> Response:
    """The fault message InternalServerError (table 5.1, unable to process the request)."""
    return Response({"Reply": {"Result": "FAILED", "Error": [internal_error(operation, text)]}}, status=500)


def _json(operation: Operation, document: dict[str, Any]) -> dict[str, Any]:
    # An empty list of errors says more plainly than none that there are none.
    said = {**document, "Reply": {**document["Reply"], "Error": document["Reply"].get("Error") or []}}
    return to_json(said, message_type(operation.answers_in, operation.answer_element))
