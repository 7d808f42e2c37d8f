"""monitoring/instances/{id}/activityStream and monitoring/logs: what an instance did, line by line."""

import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api import documents
from integrations.api.auth import actor_of
from integrations.api.criteria import choice
from integrations.api.errors import Forbidden
from integrations.api.instances import VIEW, instance_or_404
from integrations.api.monitoring import MonitoringView, address_of, may, parameters_of
from integrations.api.paging import PAGING, page_of
from integrations.api.shapes import activity_shape, moment, payload_shape
from integrations.api.stream_payloads import PayloadTexts
from integrations.models import Activity
from integrations.services.payload_view import READ_MASKED

READ_PAYLOAD = "integrations.read_payload"
MOST_LINES = 10_000  # of a log


class ActivityStreamView(MonitoringView):
    """One instance's activity stream."""

    rights = {"GET": VIEW}
    shows_own = True

    @extend_schema(
        operation_id="instances_activity_stream",
        summary="What an instance did, line by line",
        description="OIC's older address of the stream; activityStreamDetails gives the same.",
        tags=["Monitoring"],
        parameters=documents.STREAM_QUERY,
        responses=documents.answers(documents.ActivityPage, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """A page of lines in the order they happened. `payloads=true` adds kept payloads, for who may read them."""
        parameters = parameters_of(request, PAGING | {"payloads"})
        instance = instance_or_404(request, instance_id)
        with_text = choice(parameters, "payloads", ("false", "true")) == "true"
        reads = may(request, READ_PAYLOAD)
        if with_text and not reads:
            raise Forbidden(f"{actor_of(request)} does not have the permission {READ_PAYLOAD}")
        lines = instance.activities.select_related("connection")
        if reads:
            lines = lines.select_related("payload_in", "payload_out")
        texts = PayloadTexts(instance, unmasked=may(request, READ_MASKED)) if with_text else None
        page = page_of(request, lines, parameters, lambda line: _line(line, reads=reads, texts=texts))
        if texts:
            texts.note(actor=actor_of(request), address=address_of(request))
        return Response(page)


class ActivityStreamDetailsView(ActivityStreamView):
    """The same at OIC's newer address."""

    @extend_schema(
        operation_id="instances_activity_stream_details",
        summary="What an instance did, line by line (OIC's newer address)",
        description="The same as activityStream.",
        tags=["Monitoring"],
        parameters=documents.STREAM_QUERY,
        responses=documents.answers(documents.ActivityPage, missing=True),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> Response:
        """As activityStream."""
        return super().get(request, instance_id)


class LogView(MonitoringView):
    """One instance's activity stream as a text file."""

    rights = {"GET": VIEW}
    shows_own = True

    @extend_schema(
        operation_id="logs_get",
        summary="An instance's activity stream as text, without payloads",
        tags=["Monitoring"],
        responses=documents.answers(
            OpenApiResponse(OpenApiTypes.STR, description="A line each."),
            media="text/plain",
            missing=True,
        ),
    )
    def get(self, request: Request, instance_id: uuid.UUID) -> HttpResponse:
        """A line each, the first MOST_LINES of them."""
        parameters_of(request)
        instance = instance_or_404(request, instance_id)
        lines = instance.activities.select_related("connection").order_by("id")
        text = "".join(islice(_text_lines(lines[:MOST_LINES].iterator(chunk_size=500)), MOST_LINES))
        headers = {
            "Content-Disposition": f'attachment; filename="{instance.pk}.log"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


def _text_lines(lines: Iterator[Activity]) -> Iterator[str]:
    for line in lines:
        at, said = moment(line.at), " ".join(line.text.split())
        where = f" [{line.connection.name}]" if line.connection else ""
        yield f"{at} attempt {line.attempt} {line.level.upper()} {line.kind}{where}: {said}\n"


def _line(line: Activity, *, reads: bool, texts: PayloadTexts | None) -> dict[str, Any]:
    if not reads:
        return activity_shape(line, None)
    sides = {"payloadOut": line.payload_out, "payloadIn": line.payload_in}
    shown = {
        side: payload_shape(kept, texts.text_of(kept) if texts and kept else None)
        for side, kept in sides.items()
    }
    return activity_shape(line, shown)
