"""What messages say of callbacks (seed 004 tables 10.17 and 10.20)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from crm.models import Callback
from crm.operations.ticket_replies import incident_record
from crm.outage.contacts import person_of
from crm.wire.values import moment_text

_LONGEST = 255  # of what the schema has as a short text
Plain = dict[str, Any]


def callbacks_reply(rows: Sequence[Callback]) -> list[Plain]:
    """CallBack elements, each with its incident and its ticket."""
    prefetch_related_objects(
        list(rows), "ticket__contacts", "incident__crews"
    )  # two statements each, however many
    return [_callback(row) for row in rows]


def _callback(row: Callback) -> Plain:
    ticket = row.ticket
    return {
        "mRID": str(row.pk),
        "comment": row.comment or None,
        "contactDetail": ", ".join(ticket.callback_media)[:_LONGEST] or None,
        "csrId": row.assigned_to or None,
        "dateTime": moment_text(row.assigned_at),
        "problemInfo": ticket.comment or None,
        "Reason": row.reason,
        "IncidentRecord": incident_record(row.incident),
        "TroubleTickets": [
            {
                "languageId": row.language_id,
                "troubleCode": ticket.trouble_code,
                "CustomerData": person_of(list(ticket.contacts.all())),
                "UsagePoint": {"mRID": ticket.service_point_id} if ticket.service_point_id else None,
            }
        ],
    }
