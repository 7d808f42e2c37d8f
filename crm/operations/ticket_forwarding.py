"""Forwarding new tickets to an outage core system, where `ims.connection` names one (seed 004 table 5.1, IMS).

The message is queued with the tickets, in their transaction, and carried by a flow: none is lost, none waits for the
other system. Who sent the tickets is told where that one has not answered within `ims.callback.seconds`.
"""

from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import transaction

from crm.config import FORWARD_TICKETS
from crm.operations.base import Asked
from crm.operations.headers import correlation_of, sent_header
from crm.operations.ticket_replies import located
from crm.outage.bulk import mrid_of
from crm.outage.draft import Draft
from crm.wire.codec import to_json
from crm.wire.types import message_type
from crm.wire.values import moment_text
from integrations.engine.faults import Fault
from integrations.models import Instance
from integrations.models.instance import ENDED
from integrations.services.instance_submit import instance_submit
from integrations.storage.errors import StorageError

log = structlog.get_logger(__name__)
CONNECTION, SECONDS = "ims.connection", "ims.callback.seconds"
NOUN, MESSAGE, RESOURCE = "TroubleTickets", "CreatedTroubleTickets", "forwardTickets"
_FIRST_POLL, _LONGEST_POLL = 0.02, 0.25
Plain = dict[str, Any]


def tickets_forward(asked: Asked, drafts: Sequence[Draft]) -> list[UUID | None]:
    """Queue them for the outage core system, inside the transaction that writes them; for `forwarding_over`.

    Nothing where none is set up. Where they cannot be queued that is logged, and the tickets are created all the same.
    """
    connection = asked.settings.properties.text(CONNECTION, "")
    if not connection or not drafts:
        return []
    try:
        with transaction.atomic():
            submission = instance_submit(
                identifier=FORWARD_TICKETS,
                resource=RESOURCE,
                version="1.0",
                message=orjson.dumps(_message(asked, drafts)),
                client=asked.client,
                message_id=str(asked.message),
            )
    except (Fault, StorageError) as error:
        log.error(
            "tickets_not_forwarded", connection=connection, message=str(asked.message), error=str(error)
        )
        return [None]
    return [submission.instance.pk]


def forwarding_over(asked: Asked, forwarded: Sequence[UUID | None]) -> bool:
    """Wait for the outage core system's answer; True, and ImsCallbackNotReceived, where none has come in time.

    `forwarded`: what `tickets_forward` gave, committed by now.
    """
    if not forwarded:
        return False
    seconds = asked.settings.properties.number(SECONDS, 10)
    if all(key is not None and _succeeds(key, seconds) for key in forwarded):
        return False
    asked.problems.add("ImsCallbackNotReceived", value=f"{seconds} s")
    return True


def _succeeds(key: UUID, seconds: float) -> bool:
    """Whether the instance succeeds within this time; False as soon as it has ended otherwise."""
    deadline, wait = monotonic() + seconds, _FIRST_POLL
    while True:
        status = Instance.objects.filter(pk=key).values_list("status", flat=True).first()
        if status == Instance.Status.SUCCEEDED:
            return True
        left = deadline - monotonic()
        if status is None or status in ENDED or left <= 0:
            return False
        sleep(min(wait, left))
        wait = min(wait * 2, _LONGEST_POLL)


def _message(asked: Asked, drafts: Sequence[Draft]) -> Plain:
    """The tickets as the hub has understood them, as JSON, under the caller's CorrelationID."""
    header = asked.header
    key = str(asked.message)
    correlation = correlation_of(header) or key
    made = sent_header(asked.settings, asked.now, verb="created", noun=NOUN, key=key, correlation=correlation)
    told = {**made, "User": header.get("User")}
    document = {"Header": told, "Payload": {NOUN: {"TroubleTicket": [_ticket(one) for one in drafts]}}}
    return to_json(document, message_type(NOUN, MESSAGE))


def _ticket(draft: Draft) -> Plain:
    """Codes in the catalogue's words, coordinates in the outage model's projection, the rest as it came."""
    return {
        **draft.given,
        "mRID": mrid_of(draft.id),
        "callBack": draft.call_back,
        "comment": draft.comment or None,
        "createdDateTime": moment_text(draft.event_at),
        "firstCallDateTime": moment_text(draft.received_at),
        "languageId": draft.language,
        "source": draft.source,
        "troubleCode": draft.trouble_code,
        "IncidentHazard": [{"mRID": hazard} for hazard in draft.hazards] or None,
        "Location": _locations(draft),
    }


def _locations(draft: Draft) -> list[Plain] | None:
    given: list[Plain] = draft.given.get("Location") or []
    if draft.found is not None:
        return located(given, draft.found)
    if draft.point is None:
        return given or None
    (at,) = located([{}], draft.point)
    return [{**one, **at} if one.get("PositionPoint") else one for one in given]
