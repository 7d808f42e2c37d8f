"""Alerts: what the rules have found, the open ones first."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hub.theme import display
from integrations.admin.base import RecordAdmin
from integrations.admin.keyset import KeysetMixin
from integrations.models import Alert
from integrations.present import badge, between, link


class OpenFilter(admin.SimpleListFilter):
    """Open ones, unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Open is what the list shows by itself."""
        return [("over", "Over"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """The stock ones, with "Open" for the first, which is called "All" otherwise."""
        given = list(super().choices(changelist))
        return [{**given[0], "display": "Open"}, *given[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        """By whether it has ended."""
        if self.value() == "all":
            return queryset
        return queryset.filter(ended_at__isnull=self.value() != "over")


@admin.register(Alert)
class AlertAdmin(KeysetMixin, RecordAdmin[Alert]):
    """One line a thing that needs somebody; the rule says who is told of it."""

    keyset = "first_at"
    panel_template = "admin/integrations/alert/page.html"
    list_display = ("title", "state", "count", "rule_page", "first_at", "lasted", "told_at")
    list_filter = (OpenFilter, "rule__event", "rule")
    linked = ("ended_at__isnull",)
    list_select_related = ("rule",)
    actions = None

    @display(description="State")
    def state(self, row: Alert) -> SafeString:
        """Open, or over."""
        return badge("over", variant="plain") if row.ended_at else badge("open")

    @display(description="Rule")
    def rule_page(self, row: Alert) -> SafeString:
        """The rule's page."""
        return link(self.page_of(row.rule), row.rule.name)

    @display(description="Lasted")
    def lasted(self, row: Alert) -> str:
        """Until it was over, or until now."""
        return between(row.first_at, row.ended_at)
