"""GetTroubleTickets: active tickets, archived ones, or both (seed 004 chapter 6)."""

from typing import Any

from django.db.models import QuerySet

from crm.models import Incident, TroubleTicket
from crm.operations.base import Asked, Done, Operation, Plain
from crm.operations.problems import Stop
from crm.operations.ticket_replies import tickets_reply
from crm.wire.values import text_of, uuid_or_none

ACTIVE, ARCHIVED, ALL = "active", "archived", "all"
BY_ID, BY_NAME, BY_INCIDENT, BY_POINT = "mRID", "name", "IncidentRecord", "UsagePoint"


class GetTroubleTickets(Operation):
    """Exactly one of four criteria; the header's Context says which tickets are meant."""

    name = "GetTroubleTickets"
    service = "GetTroubleTickets"
    verb, noun, replies = "get", "TroubleTickets", "TroubleTickets"
    asks_in, answers_in = "GetTroubleTickets", "TroubleTickets"
    context = True
    repeatable = False  # it changes nothing: a repeat is answered with what holds then

    def prepare(self, asked: Asked) -> tuple[str, str, str]:
        """Context, criterion, value. Stop."""
        context = text_of(asked.header.get("Context"))
        if not context:
            raise Stop("ContextMissing")
        if context.casefold() not in (ACTIVE, ARCHIVED, ALL):
            raise Stop("InvalidContext", context)
        given = _criteria(asked.request.get("GetTroubleTickets") or {})
        if not given:
            raise Stop("SearchCriteriaMissing")
        if len(given) > 1:
            raise Stop("MultipleSearchCriteriaProvided")
        ((criterion, value),) = given.items()
        return context.casefold(), criterion, value

    def perform(self, asked: Asked, prepared: Any) -> Done:
        """Find them; the active ones first."""
        context, criterion, value = prepared
        whole = criterion in (BY_ID, BY_NAME)
        rows = list(_details(_found(context, criterion, value), whole=whole))
        rows.sort(key=lambda row: row.archived_at is not None)
        if not rows:
            _nothing(asked, criterion, value)
        tickets = tickets_reply(rows, asked.settings, whole=whole)
        payload = {"TroubleTickets": {"TroubleTicket": tickets}} if tickets else None
        return Done(payload, 1, len(tickets))


def _criteria(given: Plain) -> dict[str, str]:
    values = {
        BY_ID: text_of(given.get("mRID")),
        BY_NAME: text_of(given.get("name")),
        BY_INCIDENT: text_of((given.get("IncidentRecord") or {}).get("mRID")),
        BY_POINT: text_of((given.get("UsagePoint") or {}).get("mRID")),
    }
    return {name: value for name, value in values.items() if value}


def _found(context: str, criterion: str, value: str) -> "QuerySet[TroubleTicket]":
    rows = TroubleTicket.objects.order_by("pk")
    if context != ALL:
        rows = rows.filter(archived_at__isnull=context == ACTIVE)
    if criterion == BY_NAME:
        # In the words of the index of names, or SQLite would not use it.
        return rows.filter(name=value).exclude(name="")
    if criterion == BY_POINT:
        return rows.filter(service_point_id=value)
    key = uuid_or_none(value)
    if criterion == BY_ID:
        return rows.filter(pk=key) if key else rows.none()
    if key is None or not Incident.objects.filter(pk=key).exists():
        raise Stop("EntityNotFound", value, "mRID")
    return rows.filter(incident_id=key)


def _details(rows: "QuerySet[TroubleTicket]", *, whole: bool) -> "QuerySet[TroubleTicket]":
    if not whole:
        return rows
    return rows.select_related("incident").prefetch_related("contacts", "incident__crews")


def _nothing(asked: Asked, criterion: str, value: str) -> None:
    if criterion == BY_ID:
        raise Stop("EntityNotFound", value, "mRID")
    if criterion == BY_NAME:
        raise Stop("EntityNotFound", value, "name")
    asked.problems.add("EntityNotFound", value=value, case="no tickets")
