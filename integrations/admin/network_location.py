"""Network locations: where a service point hangs in the network, as DERMS last said."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from integrations.admin.base import RecordAdmin
from integrations.models import NetworkLocation


@admin.register(NetworkLocation)
class NetworkLocationAdmin(RecordAdmin[NetworkLocation]):
    """Found by service point, transformer or feeder, exact."""

    panel_template = "admin/integrations/network_location/page.html"

    list_display = (
        "service_point_id",
        "division",
        "transformer_id",
        "feeder_id",
        "substation_id",
        "effective_at",
        "noted_at",
    )
    list_filter = ("division",)
    search_fields = ("service_point_id",)
    search_help_text = "Exact: a service point, a transformer or a feeder."
    actions = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[NetworkLocation], search_term: str
    ) -> tuple[QuerySet[NetworkLocation], bool]:
        """Exact, by index."""
        term = search_term.strip()
        by = Q(service_point_id=term) | Q(transformer_id=term) | Q(feeder_id=term)
        return (queryset.filter(by) if term else queryset), False
