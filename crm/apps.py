"""The crm app; its flows are discovered like those of any app."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from integrations.models import NetworkLocation


def _housekeep() -> None:
    from crm.services.crm_housekeep import crm_housekeep

    crm_housekeep()


def _fill_service_points(rows: "Iterable[NetworkLocation]", **_: Any) -> None:
    from crm.services.service_points_from_network import service_points_from_network

    service_points_from_network(locations=rows)


def _lookups_used() -> dict[str, list[str]]:
    from crm.config import PACKAGE
    from lookups.models import Lookup

    names = Lookup.objects.filter(package=PACKAGE).values_list("name", flat=True)
    return {key: ["Call centre interface"] for key in names}


class Crm(AppConfig):
    """Trouble tickets, incidents and callbacks."""

    name = "crm"
    label = "crm"
    verbose_name = "Call centre"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the beat housekeep, hear of the network's service points, ship the WSDLs the hub calls by."""
        from integrations.adapters.wsdl_folders import wsdl_folder
        from integrations.engine.network_locations import locations_noted
        from integrations.services.chores import chore
        from lookups.usage import usage_from

        chore("crm housekeeping", 3600, _housekeep)
        locations_noted.connect(_fill_service_points, dispatch_uid="crm service points")
        usage_from(_lookups_used)
        wsdl_folder("crm", Path(__file__).parent / "wsdl")
