"""One more way to reach one of a ticket's callers, added by an operator."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from crm.models import CallerContact, TroubleTicket
from crm.outage.contacts import search_text
from crm.outage.holding import hold_ticket
from crm.services.texts import expect_text
from integrations.engine.faults import Conflict, InvalidMessage
from integrations.services.audit import audit

Media = CallerContact.Media
LONGEST_FIRST, LONGEST = 520, 255


@dataclass(frozen=True, slots=True)
class _Way:
    first_name: str
    last_name: str
    media: str
    value: str


def contact_add(
    *, ticket: TroubleTicket, first_name: str, last_name: str, media: str, value: str, actor: str
) -> CallerContact:
    """Add a contact after those that are there; they stay as they are.

    InvalidMessage where there is neither a name nor a value or the value does not fit its kind; Conflict where the
    ticket is archived or has the same contact already.
    """
    way = _Way(
        expect_text("First name", first_name.strip(), LONGEST_FIRST),
        expect_text("Last name", last_name.strip(), LONGEST),
        media.strip(),
        expect_text("Value", value.strip(), LONGEST),
    )
    _expect_reachable(way)
    with transaction.atomic():
        row = hold_ticket(ticket.pk)
        made = _add(row, way)
        row.last_update_user, row.updated_at = actor, timezone.now()
        row.save(update_fields=["last_update_user", "updated_at"])
        detail = {"contact": made.pk, "media": way.media}
        audit(actor=actor, action="contact_add", subject=f"troubleticket:{row.pk}", detail=detail)
    return made


def _expect_reachable(way: _Way) -> None:
    if way.media not in Media.values:
        known = ", ".join(one for one in Media.values if one)
        raise InvalidMessage(f"{way.media!r} is no kind of contact", hint=f"It has to be one of {known}.")
    if not way.media:
        if way.value:
            raise InvalidMessage(f"What {way.value!r} is has to be said", hint="Choose the kind of contact.")
        if not way.first_name and not way.last_name:
            raise InvalidMessage("A contact needs a name, or a way to reach it")
        return
    if not way.value:
        raise InvalidMessage(f"The contact's {Media(way.media).label.lower()} is missing")
    if way.media == Media.EMAIL:
        _expect_email(way.value)
    elif not any(one.isdigit() for one in way.value):
        raise InvalidMessage(f"{way.value!r} has no digit and is no number to call")


def _expect_email(value: str) -> None:
    try:
        validate_email(value)
    except ValidationError:
        raise InvalidMessage(f"{value!r} is no e-mail address") from None


def _add(ticket: TroubleTicket, way: _Way) -> CallerContact:
    known = CallerContact.objects.filter(ticket=ticket)
    same = known.filter(first_name=way.first_name, last_name=way.last_name, media=way.media, value=way.value)
    if same.exists():
        raise Conflict("The ticket has this contact already")
    last = known.aggregate(last=Max("position"))["last"]
    return CallerContact.objects.create(
        ticket=ticket,
        position=0 if last is None else last + 1,
        first_name=way.first_name,
        last_name=way.last_name,
        media=way.media,
        value=way.value,
        search=search_text(way.value) if way.value else "",
    )
