"""The one view behind every flow's URL (contract, "Inbound REST")."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from hub.address import client_address
from hub.asked import Asked
from integrations.api import documents
from integrations.api.auth import CallerAuthentication, client_of
from integrations.api.errors import BadRequest, Forbidden
from integrations.api.faults import INSTANCE_HEADER
from integrations.api.message import body_limit, read_message
from integrations.api.negotiation import AlwaysJson
from integrations.engine.faults import UnknownFlow
from integrations.engine.registry import spec_at
from integrations.engine.spec import FlowSpec
from integrations.models import Client, Flow, Instance
from integrations.services.audit import audit
from integrations.services.instance_execute import instance_execute
from integrations.services.instance_submit import Submission, flow_expect, instance_submit

REPEATED_HEADER = "X-Busbar-Repeated"
LONGEST_KEY = 200
_flows_of_client = Asked(
    lambda client, identifier: Flow.objects.filter(clients=client, identifier=identifier), int, str
)


class FlowView(APIView):
    """POST a message to a flow."""

    authentication_classes = [CallerAuthentication]
    permission_classes: list[Any] = []  # each flow's own, in `_may_call`
    content_negotiation_class = AlwaysJson
    http_method_names = ["post"]
    instance_id = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """405 before 401: that an address takes POST only is no secret."""
        if request.method != "POST":
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="flow_call",
        summary="Send a message to a flow",
        description=documents.FLOW_CALL,
        tags=["Flows"],
        parameters=[*documents.FLOW_PATH, OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request=documents.FLOW_REQUEST,
        responses=documents.FLOW_ANSWERS,
    )
    def post(self, request: Request, **at: str) -> Response:
        """Check who calls what, take the message, run it or queue it, answer."""
        client = client_of(request)
        if client is None:
            raise NotAuthenticated
        spec = spec_at(at["identifier"], at["resource"])
        flow = self._may_call(request, client, spec)
        if spec.trigger.kind != "inbound":
            raise UnknownFlow(f"{spec.identifier} is not started by a call")
        flow_expect(identifier=spec.identifier, resource=at["resource"], version=at["version"], flow=flow)
        message = read_message(
            request._request, multipart=spec.trigger.multipart, limit=body_limit(spec.identifier)
        )
        submission = instance_submit(
            identifier=spec.identifier,
            resource=at["resource"],
            version=at["version"],
            message=message.content,
            attachment=message.attachment,
            attachment_name=message.attachment_name,
            client=client,
            message_id=_message_id(request),
            # A file may take minutes to come, in which somebody may switch the flow off.
            flow=None if spec.trigger.multipart else flow,
        )
        return self._answer(request, spec, submission)

    def _may_call(self, request: Request, client: Client, spec: FlowSpec) -> Flow:
        """The flow's row. Forbidden, and on record, before anything else about the flow is told."""
        flow = _flows_of_client.first(client.pk, spec.identifier)
        if flow is not None:
            return flow
        audit(
            actor=client.client_id,
            action="call_refused",
            subject=f"flow:{spec.identifier}",
            address=client_address(request._request) or None,
        )
        raise Forbidden(
            f"Client {client.client_id} may not call {spec.identifier}",
            hint="An administrator can add the flow to the client.",
        )

    def _answer(self, request: Request, spec: FlowSpec, submission: Submission) -> Response:
        """200 with the flow's answer where the caller waits for one, 202 with where to look otherwise."""
        instance = submission.instance
        self.instance_id = str(instance.pk)
        headers = {INSTANCE_HEADER: self.instance_id}
        if submission.repeated:
            headers[REPEATED_HEADER] = "true"
        if spec.waits and not submission.repeated:
            done = instance_execute(instance=instance)
            if not spec.accepts:
                return Response(done.body, status=done.status, headers=headers)
            instance.refresh_from_db(fields=["status"])
        elif spec.waits and instance.ended and not spec.accepts:
            return Response(submission.answer, headers=headers)
        accepted = accepted_body(request, instance)
        return Response(accepted, status=202, headers={**headers, "Location": accepted["links"]["self"]})


class ProjectFlowView(FlowView):
    """The address OIC's projects have; it reaches the same flows, whichever project it names."""

    @extend_schema(
        operation_id="flow_call_in_project",
        summary="Send a message to a flow, by its project's address",
        description=documents.FLOW_CALL,
        tags=["Flows"],
        parameters=[
            *documents.FLOW_PATH,
            OpenApiParameter(
                "project", str, OpenApiParameter.PATH, description="The project's code; not looked at."
            ),
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER),
        ],
        request=documents.FLOW_REQUEST,
        responses=documents.FLOW_ANSWERS,
    )
    def post(self, request: Request, **at: str) -> Response:
        """As without the project."""
        return super().post(request, **at)


def accepted_body(request: Request, instance: Instance) -> dict[str, Any]:
    """What a caller is told of an instance that is under way: its id, its status and where to follow it."""
    at = {"instance_id": instance.pk}
    return {
        "instanceId": str(instance.pk),
        "status": instance.status,
        "links": {
            "self": reverse("integrations-api:instance", kwargs=at, request=request),
            "activityStream": reverse("integrations-api:activity-stream", kwargs=at, request=request),
        },
    }


def _message_id(request: Request) -> str | None:
    """The Idempotency-Key header, which wins over the flow's own field; None where there is none."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise BadRequest(
            f"The Idempotency-Key header is not printable text of at most {LONGEST_KEY} characters"
        )
    return key or None
