"""Callers' contacts: from a message to rows, and from rows to the one person a message can name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.models import CallerContact
from crm.outage.bulk import Row
from crm.wire.values import text_of

Media = CallerContact.Media
# Member of CustomerData, its inner member, and what it is.
_WAYS = (
    ("electronicAddress", "email1", Media.EMAIL),
    ("landlinePhone", "localNumber", Media.LANDLINE),
    ("mobilePhone", "localNumber", Media.MOBILE),
)
_LONGEST = 255  # of a name as messages carry it; ours has the middle name in it
Way = tuple[str, str, str, str, str]  # first name, last name, media, value, what it is searched by
# The columns that `contact_row` fills.
CONTACT = (
    "ticket",
    "position",
    "first_name",
    "last_name",
    "media",
    "value",
    "search",
    "preferred",
    "created_at",
)


def contact_row(ticket: str, position: int, way: Way, now: datetime) -> Row:
    """A new contact of the ticket with this key, as `put_rows` takes it."""
    return (ticket, position, *way, False, now)


def ways_of(person: dict[str, Any] | None) -> list[Way]:
    """A CustomerData's contacts, each with the person's name; one without a value where only the name is known."""
    if not person:
        return []
    first = f"{text_of(person.get('firstName'))} {text_of(person.get('mName'))}".strip()
    last = text_of(person.get("lastName"))
    found = [
        (first, last, str(media), value, search_text(value))
        for outer, inner, media in _WAYS
        if (value := text_of((person.get(outer) or {}).get(inner)))
    ]
    return found or ([(first, last, "", "", "")] if first or last else [])


def search_text(value: str) -> str:
    """What a contact is found by: an address in small letters, a number's digits."""
    if "@" in value:
        return value.casefold()[:255]
    return "".join(one for one in value if one.isdigit()) or value.casefold()[:255]


def person_of(contacts: Sequence[CallerContact]) -> dict[str, Any] | None:
    """The CustomerData of a ticket or callback: the person of the preferred contact, else the first caller.

    Of each kind the preferred contact goes, else that person's first, else the first of all (seed 004 table 10.10).
    """
    if not contacts:
        return None
    chief = next((one for one in contacts if one.preferred), contacts[0])
    found: dict[str, Any] = {
        "firstName": chief.first_name[:_LONGEST] or None,
        "lastName": chief.last_name or None,
    }
    for outer, inner, media in _WAYS:
        of_kind = [one for one in contacts if one.media == media]
        own = [
            one for one in of_kind if (one.first_name, one.last_name) == (chief.first_name, chief.last_name)
        ]
        if of_kind:
            best = next((one for one in of_kind if one.preferred), (own or of_kind)[0])
            found[outer] = {inner: best.value}
    return found
