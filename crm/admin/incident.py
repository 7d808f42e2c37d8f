"""Incidents: how far each is, what the call centre is told of it, its tickets on a map."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.admin.base import CrmRecordAdmin
from crm.admin.find import find_incidents
from crm.admin.forms import IncidentForm, RestoreForm
from crm.admin.incident_page import callbacks_of, incident_context, tickets_of
from crm.admin.queue_filters import ConfirmedFilter, StageFilter, StatusFilter
from crm.models import Callback, Incident, TroubleTicket
from crm.present import briefly, counted, incident_name, number_link, stage_badge, yes_or_not
from crm.services.incident_change import Changed, incident_change
from crm.services.incident_confirm import incident_confirm
from crm.services.incident_restore import Restored, incident_restore
from crm.services.incidents_archive import incidents_archive
from hub.theme import display
from integrations.admin.base import PostAction, actor_of
from integrations.engine.faults import Fault

_FIELDS = {"estimated_restoration_at": "estimated restoration", "confirmed_at": "confirmation"}


@admin.register(Incident)
class IncidentAdmin(CrmRecordAdmin[Incident]):
    """What is done to an incident is done by services; its page has a form for each."""

    post_actions = (
        PostAction("update", "crm.change_incident"),
        PostAction("confirm", "crm.change_incident"),
        PostAction("unconfirm", "crm.change_incident"),
        PostAction("restore", "crm.change_incident"),
        PostAction("archive", "crm.change_incident"),
    )
    panel_template = "admin/crm/incident/page.html"
    list_display = (
        "incident",
        "stage",
        "status",
        "confirmed",
        "tickets",
        "open_callbacks",
        "at_work",
        "opened",
        "estimated",
    )
    list_display_links = ("incident",)
    list_filter = (StageFilter, StatusFilter, ConfirmedFilter)
    search_fields = ("id",)  # the box; what it finds is get_search_results
    search_help_text = (
        "Transformer, service point, mRID; or a ticket's external id, phone or last name. Exact, but of a name the "
        "beginning will do and numbers may be written in any way. Archived ones are found too."
    )
    sortable_by = ()
    actions = None

    @display(description="Incident")
    def incident(self, row: Incident) -> SafeString:
        """Its transformer, with the service point that it began with; else the end of its mRID."""
        point = row.service_point_id or "not located"
        under = "" if point == incident_name(row) else point
        return format_html('{}<div class="bb-under">{}</div>', incident_name(row), under)

    @display(description="Stage")
    def stage(self, row: Incident) -> SafeString:
        """In colour."""
        return stage_badge(row)

    @display(description="Confirmed")
    def confirmed(self, row: Incident) -> SafeString | str:
        """Whether it is."""
        return yes_or_not(row.confirmed_at is not None)

    @display(description="Tickets")
    def tickets(self, row: Any) -> SafeString | str:
        """How many, leading to them."""
        return number_link(row.ticket_number, tickets_of(row))

    @display(description="Callbacks open")
    def open_callbacks(self, row: Any) -> SafeString | str:
        """How many are to be made still, leading to them."""
        return number_link(row.callback_number, callbacks_of(row))

    @display(description="Crews")
    def at_work(self, row: Incident) -> str:
        """Their names."""
        return ", ".join(crew.name for crew in row.crews.all())

    @display(description="Opened")
    def opened(self, row: Incident) -> str:
        """When."""
        return briefly(row.created_at)

    @display(description="Restoration")
    def estimated(self, row: Incident) -> SafeString | str:
        """When the power is to come back; of a restored one, when it did."""
        at, said = (
            (row.restored_at, "restored") if row.restored_at else (row.estimated_restoration_at, "estimated")
        )
        return format_html('{}<div class="bb-under">{}</div>', briefly(at), said) if at else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        """With crews: two questions a page."""
        return super().get_queryset(request).prefetch_related("crews")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the numbers of the page's rows: two questions."""
        listed = super().get_changelist_instance(request)
        rows = listed.result_list = list(listed.result_list)
        keys = [row.pk for row in rows]
        tickets = counted(TroubleTicket.objects.all(), "incident", keys)
        callbacks = counted(Callback.objects.exclude(state=Callback.State.CLOSED), "incident", keys)
        for row in rows:
            row.ticket_number, row.callback_number = tickets.get(row.pk, 0), callbacks.get(row.pk, 0)
        return listed

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Incident], search_term: str
    ) -> tuple[QuerySet[Incident], bool]:
        """By index alone."""
        term = search_term.strip()
        return (find_incidents(queryset, term) if term else queryset), False

    def panel(self, request: HttpRequest, row: Incident | None) -> dict[str, Any]:
        """The whole page."""
        if row is None:
            return {}
        return incident_context(row) | {"form": IncidentForm(row), "restore_form": RestoreForm()}

    # -- the buttons -------------------------------------------------------------------------------------

    def post_update(self, request: HttpRequest, row: Incident) -> HttpResponse | None:
        """Change what was changed in the form; what a service refuses stays in it."""
        form = IncidentForm(row, request.POST)
        if form.is_valid():
            try:
                changed = incident_change(incident=row, actor=actor_of(request), **form.changes())
            except Fault as fault:
                form.refused(fault)
            else:
                self.message_user(request, _changed(changed), messages.SUCCESS)
        if form.errors:
            return self.page(
                request, row, incident_context(row) | {"form": form, "restore_form": RestoreForm()}
            )
        return None

    def post_confirm(self, request: HttpRequest, row: Incident) -> None:
        """It counts as one from now on."""
        incident_confirm(incident=row, actor=actor_of(request))
        self.message_user(
            request, "Confirmed: callers of its service points are told of it.", messages.SUCCESS
        )

    def post_unconfirm(self, request: HttpRequest, row: Incident) -> None:
        """It was none after all, as far as is known."""
        incident_change(incident=row, actor=actor_of(request), confirmed=False)
        self.message_user(request, "It counts as not confirmed again.", messages.SUCCESS)

    def post_restore(self, request: HttpRequest, row: Incident) -> HttpResponse | None:
        """The power is back; what a service refuses stays in the form."""
        form = RestoreForm(request.POST)
        if form.is_valid():
            try:
                restored = incident_restore(incident=row, actor=actor_of(request), at=form.cleaned_data["at"])
            except Fault as fault:
                form.refused(fault)
            else:
                self.message_user(request, _restored(restored), messages.SUCCESS)
        if form.errors:
            return self.page(
                request, row, incident_context(row) | {"form": IncidentForm(row), "restore_form": form}
            )
        return None

    def post_archive(self, request: HttpRequest, row: Incident) -> None:
        """Out of the active set, with its tickets."""
        done = incidents_archive(incidents=[row.pk], actor=actor_of(request))
        if done.incidents:
            tickets = _number(done.tickets, "ticket")
            self.message_user(request, f"Archived with {tickets}.", messages.SUCCESS)
        else:
            self.message_user(
                request,
                "Only a closed incident is archived: restore it, then close its callbacks.",
                messages.ERROR,
            )


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _changed(changed: Changed) -> str:
    """What is different now."""
    if not changed.fields:
        return "Nothing was changed."
    named = ", ".join(_FIELDS.get(name, name) for name in changed.fields)
    calls = f" {_number(changed.callbacks, 'callback')} created." if changed.callbacks else ""
    return f"Changed: {named}.{calls}"


def _restored(restored: Restored) -> str:
    """What follows from it."""
    if restored.closed:
        return "Restored. No callback is to be made, so it is closed."
    return f"Restored. {_number(restored.callbacks, 'callback')} in the queue; with the last it is closed."
