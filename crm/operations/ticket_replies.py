"""What replies say of tickets and incidents (seed 004 tables 10.4 to 10.15)."""

from collections.abc import Iterable, Sequence
from typing import Any

from crm.config import Config
from crm.models import Incident, TroubleTicket
from crm.outage.bulk import mrid_of
from crm.outage.contacts import person_of
from crm.outage.draft import Draft
from crm.wire.values import moment_text

Plain = dict[str, Any]
Kind = TroubleTicket.Kind
ENERGIZED, DEENERGIZED = "ENERGIZED", "DEENERGIZED"
CREATED, UPDATED, FAILED = "CREATED", "UPDATED", "FAILED"


def status(value: str) -> Plain:
    """A status element."""
    return {"value": value}


def created_reply(draft: Draft, records: dict[str, Plain]) -> Plain:
    """What a ticket that came is answered with; in the request's order, those that failed among them."""
    if draft.fatal:
        return {"status": status(FAILED)}
    found: Plain = {"mRID": mrid_of(draft.id), "previousTroubleTicketsCount": draft.previous}
    if draft.affected:
        found["IncidentRecord"] = records.get(draft.incident)
    if "Location" in draft.given:
        found["Location"] = located(draft.given["Location"], draft.found)
    if draft.service_point is not None:
        found["status"] = status(DEENERGIZED if draft.affected else ENERGIZED)
        found["UsagePoint"] = {"mRID": draft.service_point}
    else:
        found["status"] = status(CREATED)
    return found


def located(locations: list[Plain], point: tuple[float, float] | None) -> list[Plain]:
    """Location elements as they came; a landbase search's with the point it found."""
    if point is None:
        return locations
    at = {"xPosition": repr(point[0]), "yPosition": repr(point[1])}
    return [{**one, "PositionPoint": at} for one in locations]


def incident_records(incidents: Iterable[str]) -> dict[str, Plain]:
    """IncidentRecord elements by the incidents' keys."""
    wanted = list(incidents)
    if not wanted:
        return {}
    rows = Incident.objects.filter(pk__in=wanted).order_by().prefetch_related("crews")
    return {row.pk.hex: incident_record(row) for row in rows}


def incident_record(row: Incident) -> Plain:
    """Basic information about an incident (table 10.5)."""
    codes = {"name": row.cause or None, "subCode": row.subcause or None}
    return {
        "mRID": str(row.pk),
        "comment": row.comment or None,
        "createdDateTime": moment_text(row.created_at),
        "estimatedRestorationTime": moment_text(row.estimated_restoration_at),
        "Crews": [{"mRID": crew.mrid, "name": crew.name} for crew in row.crews.all()] or None,
        "OutageRecord": {"OutageCodes": [codes]} if row.cause or row.subcause else None,
        "status": status(row.status),
    }


def tickets_reply(rows: Sequence[TroubleTicket], settings: Config, *, whole: bool) -> list[Plain]:
    """Tickets that were asked for, with all that is known of each or in short (tables 10.9 to 10.12)."""
    return [_whole(row, settings) if whole else _short(row, settings) for row in rows]


def _short(row: TroubleTicket, settings: Config) -> Plain:
    source = settings.archived_source(row.source) if row.archived_at else row.source
    point = (row.x, row.y) if row.kind == Kind.LANDBASE and row.x is not None and row.y is not None else None
    return {
        "mRID": str(row.pk),
        "callBack": row.call_back,
        "comment": row.comment or None,
        "createdDateTime": moment_text(row.event_at),
        "source": source,
        "troubleCode": row.trouble_code,
        "Location": located(row.location, point) or None,
        "UsagePoint": {"mRID": row.service_point_id} if row.service_point_id else None,
    }


def _whole(row: TroubleTicket, settings: Config) -> Plain:
    return {
        **_short(row, settings),
        "csrId": row.csr_id or None,
        "firstCallDateTime": moment_text(row.received_at),
        "languageId": None if row.archived_at else row.language_id,
        "CustomerData": person_of(list(row.contacts.all())),
        "IncidentHazard": [{"mRID": hazard} for hazard in row.hazards] or None,
        "IncidentRecord": incident_record(row.incident) if row.incident else None,
    }
