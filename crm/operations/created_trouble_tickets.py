"""CreatedTroubleTickets: new tickets, placed in the outage model (seed 004 section 5.1)."""

from typing import Any

from crm.models import CallerContact, TroubleTicket
from crm.operations.base import Asked, Done, Operation
from crm.operations.problems import Problems
from crm.operations.ticket_checks import TicketChecks
from crm.operations.ticket_forwarding import forwarding_over, tickets_forward
from crm.operations.ticket_replies import created_reply, incident_records
from crm.outage.bulk import Row, json_text, put_rows
from crm.outage.contacts import CONTACT, contact_row, ways_of
from crm.outage.draft import Draft
from crm.outage.landbase import LandbaseDown, find_places
from crm.outage.placing import confirm_by_number, find_service_points, join_incidents
from crm.outage.positions import Projector
from crm.wire.values import text_of
from integrations.models.ids import time_ordered_key

_TICKET = (
    "id",
    "name",
    "kind",
    "trouble_code",
    "comment",
    "source",
    "csr_id",
    "language_id",
    "event_at",
    "received_at",
    "call_back",
    "callback_media",
    "callback_periods",
    "hazards",
    "special_caller",
    "usage_point",
    "service_point",
    "location",
    "x",
    "y",
    "incident",
    "message",
    "last_update_user",
    "created_at",
    "updated_at",
)


class CreatedTroubleTickets(Operation):
    """Each ticket by itself: one that cannot be created does not hold up the others."""

    name = "CreatedTroubleTickets"
    service = "ReceiveTroubleTickets"
    verb, noun, replies = "created", "TroubleTickets", "TroubleTickets"
    asks_in = answers_in = "TroubleTickets"
    item_path = ("TroubleTickets", "TroubleTicket")

    def prepare(self, asked: Asked) -> list[Draft]:
        """The checked tickets, their landbase searches answered."""
        source = text_of(asked.header.get("Source"))
        settings = asked.settings
        projector = Projector(settings.projection_of(source), settings.model_projection)
        checks = TicketChecks(settings, asked.problems, asked.now, projector)
        given = self.items(asked.payload)
        drafts = [checks.check(one, place, source) for place, one in enumerate(given, 1)]
        _search_landbase(asked, drafts)
        return drafts

    def perform(self, asked: Asked, prepared: Any) -> Done:
        """Write those that can be created."""
        drafts: list[Draft] = prepared
        good = [draft for draft in drafts if not draft.fatal]
        find_service_points(good)
        status = asked.settings.properties.text("incident.status.new", "New")
        join_incidents(good, status=status, now=asked.now)
        _write(good, asked)
        records = incident_records({draft.incident for draft in good if draft.affected})
        tickets = [created_reply(draft, records) for draft in drafts]
        kept = tickets_forward(asked, good)
        incidents = {draft.incident for draft in good}
        payload = {"TroubleTickets": {"TroubleTicket": tickets}}
        return Done(payload, len(drafts), len(good), kept, incidents)

    def afterwards(self, asked: Asked, done: Done) -> bool:
        """Confirm what has tickets enough; wait for the outage core system, where the tickets are forwarded to one."""
        enough = asked.settings.properties.number("incident.confirm.tickets", 0)
        confirm_by_number(done.incidents, tickets=enough, now=asked.now)
        return forwarding_over(asked, done.kept)


def _search_landbase(asked: Asked, drafts: list[Draft]) -> None:
    """Fill in what the landbase knows; a ticket it does not know is unlocated, and so is one when it is down."""
    searching = [draft for draft in drafts if draft.search is not None and not draft.fatal]
    try:
        places = find_places(asked.settings, [draft.search for draft in searching if draft.search])
    except LandbaseDown:
        for draft in searching:
            _location_into_comment(draft, asked.problems, asked.settings.comment_limit)
        return
    for draft, place in zip(searching, places, strict=True):
        draft.found = place
        if place is None:
            asked.problems.add("UnlocatableLandbaseTroubleTicket", named=draft.label)


def _location_into_comment(draft: Draft, problems: Problems, limit: int) -> None:
    """Where it is stands in its comment, whole; what the caller said is shortened for it if need be."""
    text = draft.search.text[:limit] if draft.search else ""
    room = max(limit - len(text) - 1, 0)
    if len(draft.comment) > room:
        problems.add("CommentExceedsLimit", named=draft.label)
    draft.comment = f"{draft.comment[:room]}\n{text}".strip()


def _write(drafts: list[Draft], asked: Asked) -> None:
    tickets: list[Row] = []
    contacts: list[Row] = []
    # Keys of one millisecond sort by chance: put in order, they tell the order of the message.
    keys = sorted(time_ordered_key() for _ in drafts)
    for draft, key in zip(drafts, keys, strict=True):
        draft.id = key
        tickets.append(_ticket(draft, asked))
        ways = ways_of(draft.given.get("CustomerData"))
        contacts += [contact_row(key, place, way, asked.now) for place, way in enumerate(ways)]
    put_rows(TroubleTicket, _TICKET, tickets)
    put_rows(CallerContact, CONTACT, contacts)


def _ticket(draft: Draft, asked: Asked) -> Row:
    x, y = draft.found or draft.point or (None, None)
    given = draft.given
    csr = text_of(given.get("csrId"))
    return (
        draft.id,
        text_of(given.get("name")),
        str(draft.kind),
        draft.trouble_code,
        draft.comment,
        draft.source,
        csr,
        draft.language,
        draft.event_at,
        draft.received_at,
        draft.call_back,
        json_text(draft.media),
        json_text(draft.periods),
        json_text(draft.hazards),
        draft.special,
        draft.usage_point,
        draft.service_point,
        json_text(given.get("Location")),
        x,
        y,
        draft.incident,
        asked.message.hex,
        csr,
        asked.now,
        asked.now,
    )
