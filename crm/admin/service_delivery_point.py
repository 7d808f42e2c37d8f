"""Service delivery points: where customers are connected, how important they are, what feeds them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.admin.audited import AuditedAdmin
from crm.admin.filters import PriorityFilter
from crm.admin.map import Place, draw
from crm.config import config
from crm.models import Incident, ServiceDeliveryPoint, TroubleTicket
from crm.present import list_address, stage_badge
from hub.theme import display
from integrations.admin.base import COUNTED

NEWEST = 20  # tickets on a point's page


class CustomerPriorityFilter(PriorityFilter):
    """The customer's priority."""

    column = "customer_priority"


@admin.register(ServiceDeliveryPoint)
class ServiceDeliveryPointAdmin(AuditedAdmin[ServiceDeliveryPoint]):
    """Mostly imported (`manage.py crm_import`); single ones are put right here."""

    panel_template = "admin/crm/point/panel.html"
    list_display = ("mrid", "customer_priority", "transformer_id", "address", "located", "updated_at")
    list_filter = (CustomerPriorityFilter,)
    search_fields = ("mrid",)  # the box; what it finds is get_search_results
    search_help_text = "Id or transformer, exact; or part of an address."
    fields = ("mrid", "customer_priority", "transformer_id", "address", "x", "y")
    sortable_by = ("mrid",)

    @display(description="On the map")
    def located(self, row: ServiceDeliveryPoint) -> SafeString | str:
        """Whether its coordinates are known."""
        return "" if row.x is None or row.y is None else format_html("{}", "yes")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ServiceDeliveryPoint], search_term: str
    ) -> tuple[QuerySet[ServiceDeliveryPoint], bool]:
        """By index; only what no index knows is looked for in the addresses."""
        term = search_term.strip()
        if not term:
            return queryset, False
        exact = queryset.filter(Q(mrid=term) | Q(transformer_id=term))
        return (exact if exact.exists() else queryset.filter(address__icontains=term)), False

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceDeliveryPoint | None = None) -> Any:
        """The id stays: tickets name it."""
        return ["mrid"] if obj else []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """One that tickets name stays: they would not be of any place any more."""
        number = TroubleTicket.objects.filter(service_point__in=objs)[:COUNTED].count()
        if number:
            return [], {}, set(), [f"{number} trouble ticket(s) of it, archived ones among them"]
        return super().get_deleted_objects(objs, request)

    def panel(self, request: HttpRequest, row: ServiceDeliveryPoint | None) -> dict[str, Any]:
        """Its newest tickets, whether its power is out, and where it is."""
        if row is None:
            return {}
        tickets = TroubleTicket.objects.filter(service_point=row).select_related("incident")
        place = (
            [] if row.x is None or row.y is None else [Place(row.x, row.y, "point", f"{row} {row.address}")]
        )
        return {
            "tickets": tickets.order_by("-id")[:NEWEST],
            "tickets_link": list_address(TroubleTicket, f"service_point__mrid__exact={row.pk}&set=all"),
            "incidents": [(one, stage_badge(one)) for one in _open(row)],
            "map": draw(place, config().model_projection),
        }


def _open(row: ServiceDeliveryPoint) -> list[Incident]:
    """Incidents that are open at it: its own, or of what feeds it."""
    scopes = [f"service point {row.pk}"] + (
        [f"transformer {row.transformer_id}"] if row.transformer_id else []
    )
    return list(Incident.objects.filter(restored_at__isnull=True, scope__in=scopes).exclude(scope=""))
