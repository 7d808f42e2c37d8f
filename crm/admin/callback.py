"""The callback queue: who is called next, who has whom, and what came of it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.admin.base import CrmRecordAdmin
from crm.admin.callback_summary import callback_summary
from crm.admin.filters import PriorityFilter, is_searching
from crm.admin.find import find_callbacks
from crm.admin.forms import ResultForm
from crm.admin.queue_filters import (
    CallbackStateFilter,
    HolderFilter,
    LanguageFilter,
    ReasonFilter,
)
from crm.admin.words import language, period
from crm.models import Callback
from crm.present import briefly, caller_of, incident_link, phone_of, state_badge, yes_or_not
from crm.services.callback_close import callback_close
from crm.services.callbacks_automatic import callbacks_automatic
from crm.services.callbacks_release import callbacks_release
from hub.theme import display
from integrations.admin.base import PostAction, actor_of
from integrations.engine.faults import Fault
from integrations.present import badge

AT_ONCE = 5_000  # callbacks that one bulk action takes
_MAY = "crm.change_callback"


@admin.register(Callback)
class CallbackAdmin(CrmRecordAdmin[Callback]):
    """In the order in which they are handed out; closed ones by when they were made."""

    post_actions = (
        PostAction("automatic", _MAY),
        PostAction("manual", _MAY),
        PostAction("release", _MAY),
        PostAction("result", _MAY),
    )
    panel_template = "admin/crm/callback/page.html"
    change_list_template = "admin/crm/callback/list.html"
    list_display = (
        "current",
        "priority",
        "customer",
        "reason",
        "spoken",
        "of_incident",
        "holder",
        "since",
        "back_at",
        "outcome",
        "by_ivr",
    )
    list_display_links = ("current", "customer")
    list_filter = (
        CallbackStateFilter,
        "automatic",
        PriorityFilter,
        LanguageFilter,
        ReasonFilter,
        HolderFilter,
    )
    list_select_related = ("ticket", "incident")
    linked = ("incident__id__exact",)
    search_fields = ("id",)  # the box; what it finds is get_search_results
    search_help_text = (
        "Phone, last name, service point, external id, e-mail or mRID (of a callback, ticket or incident). Numbers may "
        "be written in any way, of a name the beginning will do, the rest has to be exact. Closed ones are found too."
    )
    sortable_by = ()
    actions = ("mark_automatic", "mark_manual", "release_selected")

    @display(description="State")
    def current(self, row: Callback) -> SafeString:
        """In colour."""
        return state_badge(row)

    @display(description="Customer")
    def customer(self, row: Callback) -> SafeString:
        """Whom to call, and where."""
        name, phone = caller_of(row.ticket), phone_of(row.ticket)
        return format_html('{}<div class="bb-under">{}</div>', name or "not named", phone)

    @display(description="Language")
    def spoken(self, row: Callback) -> str:
        """What they speak."""
        return language(row.language_id)

    @display(description="Incident")
    def of_incident(self, row: Callback) -> SafeString | str:
        """The one it tells of."""
        return incident_link(row.incident)

    @display(description="With")
    def holder(self, row: Callback) -> str:
        """Who has it."""
        return row.assigned_to

    @display(description="Since")
    def since(self, row: Callback) -> str:
        """When it was assigned; of one that nobody has, when it was made."""
        return briefly(row.assigned_at or row.created_at)

    @display(description="Back at")
    def back_at(self, row: Callback) -> SafeString | str:
        """When it goes back to the queue by itself; one whose time is over is handed out again."""
        if row.release_at is None or row.state != row.State.ASSIGNED:
            return ""
        return badge("overdue", "now") if row.release_at <= timezone.now() else briefly(row.release_at)

    @display(description="Result")
    def outcome(self, row: Callback) -> str:
        """What came of it so far."""
        return row.result

    @display(description="IVR")
    def by_ivr(self, row: Callback) -> SafeString | str:
        """Whether it is for the IVR alone."""
        return yes_or_not(row.automatic)

    def get_ordering(self, request: HttpRequest) -> Any:
        """The queue's own order has an index as long as closed ones are left out."""
        queued = request.GET.get("state", "") in {"", "queued", "assigned"} and not is_searching(request)
        return self.opts.ordering if queued else ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        """With the tickets' contacts: two questions a page."""
        return super().get_queryset(request).prefetch_related("ticket__contacts")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Callback], search_term: str
    ) -> tuple[QuerySet[Callback], bool]:
        """By index alone."""
        term = search_term.strip()
        return (find_callbacks(queryset, term) if term else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, beneath what the queue holds."""
        more = {"summary": callback_summary()} if self.has_view_permission(request) else {}
        return super().changelist_view(request, more | (extra_context or {}))

    def panel(self, request: HttpRequest, row: Callback | None) -> dict[str, Any]:
        """The whole page."""
        return _context(row) | {"form": ResultForm()} if row else {}

    # -- the buttons -------------------------------------------------------------------------------------

    def post_automatic(self, request: HttpRequest, row: Callback) -> None:
        """For the IVR."""
        self._mark(request, [row.pk], automatic=True)

    def post_manual(self, request: HttpRequest, row: Callback) -> None:
        """For people again."""
        self._mark(request, [row.pk], automatic=False)

    def post_release(self, request: HttpRequest, row: Callback) -> None:
        """Take it from who has it."""
        self._release(request, [row.pk])

    def post_result(self, request: HttpRequest, row: Callback) -> HttpResponse | None:
        """What came of it, told by hand; what a service refuses stays in the form."""
        form = ResultForm(request.POST)
        if form.is_valid():
            try:
                callback_close(callback=row, actor=actor_of(request), **form.cleaned_data)
            except Fault as fault:
                form.refused(fault)
        if form.errors:
            return self.page(request, row, _context(row) | {"form": form})
        closed = row.state == row.State.CLOSED
        said = "it is closed" if closed else "it is called again later"
        self.message_user(request, f"{row.result} is recorded: {said}.", messages.SUCCESS)
        return None

    # -- bulk --------------------------------------------------------------------------------------------

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Asked by the bulk actions."""
        return request.user.has_perm(_MAY)

    @admin.action(description="Give to the IVR (automatic)", permissions=["handle"])
    def mark_automatic(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        """Those that nobody has."""
        self._mark(request, _keys(queryset), automatic=True)

    @admin.action(description="Give to people (not automatic)", permissions=["handle"])
    def mark_manual(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        """Those that nobody has."""
        self._mark(request, _keys(queryset), automatic=False)

    @admin.action(description="Release to the queue", permissions=["handle"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        """Those that somebody has."""
        self._release(request, _keys(queryset))

    def _mark(self, request: HttpRequest, keys: list[Any], *, automatic: bool) -> None:
        done = callbacks_automatic(callbacks=keys, automatic=automatic, actor=actor_of(request))
        said = "for the IVR now" if automatic else "for people now"
        why = "it was so already, somebody has it, or it is closed"
        self._say(request, done, len(keys), said, why)

    def _release(self, request: HttpRequest, keys: list[Any]) -> None:
        done = callbacks_release(callbacks=keys, actor=actor_of(request))
        self._say(request, done, len(keys), "back in the queue", "nobody has it")

    def _say(self, request: HttpRequest, done: int, asked: int, said: str, why: str) -> None:
        """How many it was done to; of the others why not."""
        if done:
            self.message_user(request, f"{done} callback{'' if done == 1 else 's'} {said}.", messages.SUCCESS)
        if left := asked - done:
            what = f"{left} callback{' was' if left == 1 else 's were'} left as before"
            self.message_user(request, f"{what}: {why}.", messages.WARNING)


def _keys(rows: QuerySet[Callback]) -> list[Any]:
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def _context(row: Callback) -> dict[str, Any]:
    """A callback's page: whom to call, why, and what was said so far."""
    ticket = row.ticket
    return {
        "title": f"Callback to {caller_of(ticket) or ticket}"[:120],
        "ticket": ticket,
        "incident": row.incident,
        "contacts": list(ticket.contacts.all()),
        "language": language(row.language_id),
        "periods": [text for one in ticket.callback_periods if (text := period(one))],
        "over": row.release_at is not None and row.release_at <= timezone.now(),
        "is_open": row.state != row.State.CLOSED,
        "is_assigned": row.state == row.State.ASSIGNED,
    }
