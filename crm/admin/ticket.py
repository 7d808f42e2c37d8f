"""Trouble tickets: found by phone, name, service point or id; their contacts are kept here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.admin.base import CrmRecordAdmin
from crm.admin.find import find_tickets
from crm.admin.forms import ContactForm
from crm.admin.ticket_filters import (
    HazardFilter,
    KindFilter,
    SourceFilter,
    TicketSetFilter,
    TroubleFilter,
    of_active_incidents,
    only_active,
)
from crm.admin.ticket_page import ticket_context
from crm.models import CallerContact, ServiceDeliveryPoint, TroubleTicket
from crm.present import (
    brief,
    briefly,
    caller_of,
    hazard_badges,
    incident_link,
    kind_badge,
    page_link,
    phone_of,
    yes_or_not,
)
from crm.services.contact_add import contact_add
from crm.services.contact_prefer import contact_prefer
from hub.theme import display
from integrations.admin.base import PostAction, actor_of
from integrations.admin.keyset import KeysetMixin
from integrations.engine.faults import Fault
from integrations.present import badge


@admin.register(TroubleTicket)
class TroubleTicketAdmin(KeysetMixin, CrmRecordAdmin[TroubleTicket]):
    """The list is by number and not sortable otherwise: of a million tickets no other order is to be had at once."""

    post_actions = (
        PostAction("prefer", "crm.change_troubleticket"),
        PostAction("add_contact", "crm.change_troubleticket"),
    )
    panel_template = "admin/crm/ticket/page.html"
    list_display = (
        "ticket",
        "kind_of",
        "trouble",
        "caller",
        "point",
        "of_incident",
        "received",
        "wants_call",
    )
    list_display_links = ("ticket",)
    list_filter = (TicketSetFilter, KindFilter, TroubleFilter, SourceFilter, HazardFilter)
    linked = ("id__gte", "incident__id__exact", "message__id__exact", "service_point__mrid__exact")
    search_fields = ("id",)  # the box; what it finds is get_search_results
    search_help_text = (
        "Phone, last name, service point, external id, e-mail or mRID (of a ticket or an incident). Numbers may be "
        "written in any way, of a name the beginning will do, the rest has to be exact. Archived ones are found too."
    )
    list_select_related = ("incident",)
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    keyset = "id"

    @display(description="Ticket")
    def ticket(self, row: TroubleTicket) -> SafeString | str:
        """Its external id, or the end of its mRID; whether it is archived."""
        name = row.name or brief(row.pk)
        return format_html("{} {}", name, badge("archived")) if row.archived_at else name

    @display(description="Kind")
    def kind_of(self, row: TroubleTicket) -> SafeString:
        """In colour."""
        return kind_badge(row)

    @display(description="Trouble")
    def trouble(self, row: TroubleTicket) -> SafeString:
        """The code, and what is dangerous."""
        return format_html("{} {}", row.trouble_code, hazard_badges(row))

    @display(description="Caller")
    def caller(self, row: TroubleTicket) -> SafeString:
        """Who is to be spoken to, and how they are reached."""
        name, phone = caller_of(row), phone_of(row)
        return (
            format_html('{}<div class="bb-under">{}</div>', name, phone) if phone else format_html("{}", name)
        )

    @display(description="Service point")
    def point(self, row: TroubleTicket) -> SafeString | str:
        """The one it is of; one that is not known here as it was given."""
        known = page_link(ServiceDeliveryPoint, row.service_point_id, row.service_point_id or "")
        return known or (format_html("{} {}", row.usage_point, badge("unknown")) if row.usage_point else "")

    @display(description="Incident")
    def of_incident(self, row: TroubleTicket) -> SafeString | str:
        """The one it joined."""
        return incident_link(row.incident)

    @display(description="Received")
    def received(self, row: TroubleTicket) -> SafeString:
        """When the hub got it, and from where."""
        return format_html('{}<div class="bb-under">{}</div>', briefly(row.created_at), row.source)

    @display(description="Callback")
    def wants_call(self, row: TroubleTicket) -> SafeString | str:
        """Whether one is wanted."""
        return yes_or_not(row.call_back)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TroubleTicket]:
        """With contacts: two questions a page."""
        return super().get_queryset(request).prefetch_related("contacts")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TroubleTicket], search_term: str
    ) -> tuple[QuerySet[TroubleTicket], bool]:
        """By index alone."""
        term = search_term.strip()
        return (find_tickets(queryset, term) if term else queryset), False

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any
    ) -> Any:
        """Counts active tickets by their incidents: the table begins with the archived ones."""
        paginator = super().get_paginator(request, queryset, per_page, *args, **kwargs)
        if only_active(request):
            # What its cached property would work out.
            paginator.count = self.paginator(of_active_incidents(queryset), per_page).count
        return paginator

    def panel(self, request: HttpRequest, row: TroubleTicket | None) -> dict[str, Any]:
        """The whole page."""
        return ticket_context(row) | {"form": ContactForm()} if row else {}

    # -- the buttons -------------------------------------------------------------------------------------

    def post_prefer(self, request: HttpRequest, row: TroubleTicket) -> None:
        """Use one contact first, or no longer."""
        asked = request.POST.get("contact", "")
        contact = row.contacts.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None  # noqa: PLR2004  (a 64-bit number)
        if contact is None:
            self.message_user(request, "The ticket has no such contact any more.", messages.ERROR)
            return
        preferred = request.POST.get("preferred") != "no"
        contact_prefer(contact=contact, preferred=preferred, actor=actor_of(request))
        self.message_user(request, _said(contact), messages.SUCCESS)

    def post_add_contact(self, request: HttpRequest, row: TroubleTicket) -> HttpResponse | None:
        """One more way to reach the caller; what a service refuses stays in the form."""
        form = ContactForm(request.POST)
        if form.is_valid():
            try:
                contact_add(ticket=row, actor=actor_of(request), **form.contact())
            except Fault as fault:
                form.refused(fault)
        if form.errors:
            return self.page(request, row, ticket_context(row) | {"form": form})
        self.message_user(request, "The contact is added.", messages.SUCCESS)
        return None


def _said(contact: CallerContact) -> str:
    return f"{contact} is preferred now." if contact.preferred else f"{contact} is no longer preferred."
