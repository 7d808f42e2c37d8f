"""How the call centre's rows are shown: badges, names, links. Knows no admin, so that templates may use it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Count, Model, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.models import Callback, CallerContact, Incident, TroubleTicket
from integrations.present import badge, link

M = TypeVar("M", bound=Model)
STAGES = {"open": "warn", "restored": "busy", "closed": "good", "archived": "plain"}
KINDS = {"customer": "busy", "landbase": "good", "location": "good", "unlocated": "warn"}
HELD = {"queued": "warn", "assigned": "busy", "closed": "good"}


def brief(key: Any) -> str:
    """An mRID short enough for a list: its end, as its beginning is the time it was made."""
    return f"…{str(key)[-8:]}" if key else ""


def list_address(model: type[Model], query: str = "") -> str:
    """A model's list, with a query string."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{address}?{query}" if query else address


def page_address(model: type[Model], key: Any) -> str:
    """The page of the row with this key, which need not be read for it."""
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[key])


def page_link(model: type[Model], key: Any, text: str = "") -> SafeString | str:
    """A link to a row's page; "" without a key."""
    return link(page_address(model, key), text or brief(key)) if key else ""


def stage_badge(row: Incident) -> SafeString:
    """How far an incident is, in colour."""
    return badge(row.stage, variant=STAGES[row.stage])


def kind_badge(row: TroubleTicket) -> SafeString:
    """What places a ticket, in colour."""
    return badge(row.kind, str(row.get_kind_display()), KINDS.get(row.kind, "plain"))


def state_badge(row: Callback) -> SafeString:
    """Where a callback is, in colour."""
    return badge(row.state, str(row.get_state_display()), HELD.get(row.state, "plain"))


def hazard_badges(row: TroubleTicket) -> SafeString:
    """A ticket's hazards, and whether police or fire department called."""
    marks = [badge("hazard", str(one), "bad") for one in row.hazards]
    if row.special_caller:
        marks.append(badge("special caller", variant="warn"))
    return format_html_join(" ", "{}", ((mark,) for mark in marks))


def contact_of(contacts: Iterable[CallerContact]) -> CallerContact | None:
    """The contact to use first: the preferred one, else the first caller's."""
    rows = list(contacts)
    return next((one for one in rows if one.preferred), rows[0] if rows else None)


def caller_of(ticket: TroubleTicket) -> str:
    """Who is to be spoken to; "" where no name is known. The contacts should be prefetched."""
    found = contact_of(ticket.contacts.all())
    return f"{found.first_name} {found.last_name}".strip() if found else ""


def phone_of(ticket: TroubleTicket) -> str:
    """How they are reached: as they prefer, else by a telephone, else by e-mail."""
    rows = [one for one in ticket.contacts.all() if one.value]
    chief = contact_of(sorted(rows, key=lambda one: one.media == CallerContact.Media.EMAIL))
    return chief.value if chief else ""


def incident_name(row: Incident) -> str:
    """What people know an incident by: its transformer or service point, else the end of its mRID."""
    return row.transformer_id or row.service_point_id or brief(row.pk)


def incident_link(row: Incident | None) -> SafeString | str:
    """A link to an incident's page."""
    return page_link(Incident, row.pk, incident_name(row)) if row else ""


def yes_or_not(value: bool) -> SafeString | str:
    """A word where it is so, nothing where it is not: a column of crosses hides the few that count."""
    return badge("yes", variant="busy") if value else ""


def counted(rows: "QuerySet[Any]", column: str, keys: Sequence[UUID]) -> dict[UUID, int]:
    """How many rows each of the keys has, in one question."""
    found = rows.filter(**{f"{column}__in": keys}).order_by().values(column).annotate(number=Count("pk"))
    return {one[column]: one["number"] for one in found}


def number_link(number: int, address: str) -> SafeString | str:
    """A number that leads to what it counts; nothing for none."""
    return format_html('<a class="bb-link" href="{}">{}</a>', address, number) if number else ""


def briefly(at: datetime | None) -> str:
    """A time as a list has it: of today the time of day, of this year without the year."""
    if at is None:
        return ""
    local, now = timezone.localtime(at), timezone.localtime()
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%-d %b %H:%M}" if local.year == now.year else f"{local:%-d %b %Y %H:%M}"
