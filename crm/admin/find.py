"""What the search boxes find: each term by an index, and no part of a word in a million rows."""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from crm.models import Callback, CallerContact, Incident, ReceivedMessage, TroubleTicket
from crm.outage.contacts import search_text
from crm.wire.values import uuid_or_none

M = TypeVar("M", bound=Model)
AT_MOST = 1_000  # rows that one index gives for a term
_NUMBER = re.compile(r"[+(\s]*\d[\d\s()/.+-]*")
_SHORTEST = 2  # letters of a name; fewer would be half the telephone book


def find_tickets(rows: QuerySet[TroubleTicket], term: str) -> QuerySet[TroubleTicket]:
    """Tickets by mRID, incident's mRID, external id, service point, phone, e-mail or caller's last name."""
    key = uuid_or_none(term)
    return rows.filter(pk__in=_tickets_of(key) if key else _tickets(term))


def find_incidents(rows: QuerySet[Incident], term: str) -> QuerySet[Incident]:
    """Incidents by mRID, transformer, service point, or by what their tickets are found by."""
    key = uuid_or_none(term)
    tickets = _tickets_of(key) if key else _tickets(term)
    own: Iterable[Any] = [key] if key else _incidents(term)
    return rows.filter(pk__in={*own, *_values(TroubleTicket.objects.filter(pk__in=tickets), "incident")})


def find_callbacks(rows: QuerySet[Callback], term: str) -> QuerySet[Callback]:
    """Callbacks by mRID, incident's mRID, or by what their tickets are found by."""
    key = uuid_or_none(term)
    tickets = _tickets_of(key) if key else _tickets(term)
    found = set(_values(Callback.objects.filter(ticket__in=tickets), "pk"))
    if key:
        found |= {key, *_values(Callback.objects.filter(incident=key), "pk")}
    return rows.filter(pk__in=found)


def find_messages(rows: QuerySet[ReceivedMessage], term: str) -> QuerySet[ReceivedMessage]:
    """Messages by the id their sender gave them, or by ours."""
    found = set(_values(ReceivedMessage.objects.filter(message_id=term), "pk"))
    key = uuid_or_none(term)
    return rows.filter(pk__in=found | ({key} if key else set()))


def _values(rows: "QuerySet[M]", column: str) -> list[Any]:
    return list(rows.order_by().values_list(column, flat=True)[:AT_MOST])


def _tickets_of(key: UUID) -> set[UUID]:
    return {key, *_values(TroubleTicket.objects.filter(incident=key), "pk")}


def _tickets(term: str) -> set[UUID]:
    # What an index leaves out is said once more: SQLite uses a partial one for no less.
    named = TroubleTicket.objects.filter(name=term).exclude(name="")
    at_point = TroubleTicket.objects.filter(service_point=term)
    return set(chain(_values(named, "pk"), _values(at_point, "pk"), _callers(term)))


def _callers(term: str) -> Iterable[UUID]:
    contacts = CallerContact.objects
    if "@" in term or _NUMBER.fullmatch(term):
        return _values(contacts.filter(search=search_text(term)).exclude(search=""), "ticket")
    if len(term) < _SHORTEST:
        return []
    return chain.from_iterable(_values(_named(spelling), "ticket") for spelling in _spellings(term))


def _spellings(name: str) -> list[str]:
    """A name as it may stand in the table, which is searched as it is written."""
    return list(dict.fromkeys([name, name.upper(), name.lower(), name.title()]))


def _named(beginning: str) -> QuerySet[CallerContact]:
    rows = CallerContact.objects.filter(last_name__gte=beginning, last_name__startswith=beginning)
    after = _after(beginning)
    return rows.filter(last_name__lt=after) if after else rows


def _after(beginning: str) -> str:
    """A text behind all that begin like this in any sorting order; "" where there is none."""
    for end in range(len(beginning), 0, -1):
        letter = beginning[end - 1]
        if letter.isascii() and letter.isalnum() and letter not in "zZ9":
            return beginning[: end - 1] + chr(ord(letter) + 1)
    return ""


def _incidents(term: str) -> set[UUID]:
    """By the scope of open ones, and by the service point that an incident began with."""
    of_scope = Incident.objects.filter(
        restored_at__isnull=True, scope__in=[f"transformer {term}", f"service point {term}"]
    ).exclude(scope="")
    at_point = Incident.objects.filter(service_point=term)
    of_transformer = Incident.objects.filter(service_point__transformer_id=term)
    return {key for rows in (of_scope, at_point, of_transformer) for key in _values(rows, "pk")}
