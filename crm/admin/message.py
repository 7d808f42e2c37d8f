"""Received messages: what came in, what was answered; header and reply for who may read payloads."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.admin.base import CrmRecordAdmin
from crm.admin.filters import CodeFilter
from crm.admin.find import find_messages
from crm.models import ReceivedMessage, TroubleTicket
from crm.operations.registry import OPERATIONS
from crm.present import briefly, list_address
from hub.theme import display
from integrations.admin.base import actor_of, address_of, refuse, subject_of
from integrations.admin.filters import RecentFilter
from integrations.admin.keyset import KeysetMixin
from integrations.admin.payload import SHOWN
from integrations.engine.masking import mask_or_withhold, mask_value, patterns_of
from integrations.present import badge, duration, pretty_json, short
from integrations.services.audit import audit
from integrations.services.payload_view import READ_MASKED

_RESULTS = {"OK": "good", "PARTIAL": "warn", "FAILED": "bad"}
_READ = "integrations.read_payload"


class ReceivedRecentlyFilter(RecentFilter):
    """By when it came."""

    column = "received_at"


class OperationFilter(CodeFilter):
    """What was asked for."""

    title, parameter_name, column = "operation", "operation", "operation"

    def codes(self) -> list[tuple[str, str]]:
        """All there are."""
        return [(one.name, one.name) for one in OPERATIONS]


class ResultFilter(CodeFilter):
    """What was answered."""

    title, parameter_name, column = "result", "result", "result"

    def codes(self) -> list[tuple[str, str]]:
        """All there are."""
        return [(one, one) for one in _RESULTS]


@admin.register(ReceivedMessage)
class ReceivedMessageAdmin(KeysetMixin, CrmRecordAdmin[ReceivedMessage]):
    """A record. What a message said of customers is on a page of its own, and reading it is audited."""

    panel_template = "admin/crm/message/page.html"
    list_display = (
        "what",
        "outcome",
        "items",
        "said",
        "sender",
        "received",
        "again",
    )
    list_display_links = ("what",)
    list_filter = (ReceivedRecentlyFilter, OperationFilter, ResultFilter)
    list_select_related = ("client",)
    search_fields = ("id",)  # the box; what it finds is get_search_results
    search_help_text = "MessageID, or the hub's own id; exact."
    sortable_by = ()
    actions = None
    keyset = "received_at"

    @display(description="Operation")
    def what(self, row: ReceivedMessage) -> SafeString:
        """With the id that its sender gave it."""
        return format_html('{}<div class="bb-under">{}</div>', row.operation, short(row.message_id, 24))

    @display(description="Result")
    def outcome(self, row: ReceivedMessage) -> SafeString | str:
        """In colour."""
        return result_badge(row)

    @display(description="Reasons")
    def said(self, row: ReceivedMessage) -> str:
        """What was wrong."""
        return short(", ".join(map(str, row.reasons)), 80)

    @display(description="From")
    def sender(self, row: ReceivedMessage) -> SafeString:
        """Who logged in; the source and the user that the header names, and which way it came."""
        named = ", ".join(part for part in (row.transport.upper(), row.source, row.user_id) if part)
        client = row.client.client_id if row.client else ""
        return format_html('{}<div class="bb-under">{}</div>', client, short(named, 60))

    @display(description="Received")
    def received(self, row: ReceivedMessage) -> SafeString:
        """When, and how long its answer took."""
        took = duration(row.milliseconds)
        return format_html('{}<div class="bb-under">{}</div>', briefly(row.received_at), took)

    @display(description="Repeats")
    def again(self, row: ReceivedMessage) -> int | str:
        """How often it came once more and got the first answer."""
        return row.repeats or ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceivedMessage]:
        """Without replies, which can be as long as a thousand tickets."""
        return super().get_queryset(request).defer("reply", "header")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReceivedMessage], search_term: str
    ) -> tuple[QuerySet[ReceivedMessage], bool]:
        """Exact."""
        term = search_term.strip()
        return (find_messages(queryset, term) if term else queryset), False

    def panel(self, request: HttpRequest, row: ReceivedMessage | None) -> dict[str, Any]:
        """What is known of it but its content."""
        if row is None:
            return {}
        return {
            "title": f"{row.operation} of {row.source or row.client or 'nobody'}"[:120],
            "outcome": result_badge(row),
            "took": duration(row.milliseconds),
            "ticket_number": row.tickets.count(),
            "tickets_link": list_address(TroubleTicket, f"message__id__exact={row.pk}&set=all"),
            "may_read": request.user.has_perm(_READ),
        }

    # -- content -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Header and reply are a page of their own."""
        view = self.admin_site.admin_view(self.content_view)
        return [path("<path:object_id>/content/", view, name=self.url_name("content")), *super().get_urls()]

    def content_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Header and reply as JSON, escaped, up to a bound; the reading is audited."""
        subject = f"{self.opts.model_name}:{unquote(object_id)}"[:200]
        if not (self.has_view_permission(request) and request.user.has_perm(_READ)):
            refuse(request, action="read_payload", subject=subject)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404("There is no such message")
        patterns = () if request.user.has_perm(READ_MASKED) else patterns_of(None)
        audit(
            actor=actor_of(request),
            action="read_payload",
            subject=subject_of(row),
            detail={"masked": bool(patterns)},
            address=address_of(request),
        )
        reply = pretty_json(mask_or_withhold(bytes(row.reply), "", patterns)) if row.reply is not None else ""
        context = {
            "title": f"Content of {row}"[:120],
            "header": json.dumps(mask_value(row.header, patterns), indent=2, ensure_ascii=False),
            "reply": reply[:SHOWN],
            "cut": len(reply) > SHOWN,
        }
        return self.page(request, row, context, "admin/crm/message/content.html")


def result_badge(row: ReceivedMessage) -> SafeString | str:
    """A reply's Result, in colour; nothing for a message that is under way."""
    return badge(row.result, variant=_RESULTS.get(row.result, "plain")) if row.result else ""
