"""Lookups as the design API shows them, in OIC's words."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from integrations.api.monitoring import links_to
from integrations.api.shapes import moment
from integrations.models import Flow
from lookups.models import Lookup
from lookups.usage import users_by_lookup


@dataclass(frozen=True, slots=True)
class Usage:
    """Folded lookup name → the flows that read it; and which flows are active."""

    users: dict[str, list[str]]
    active: set[str]

    def of(self, lookup: Lookup) -> list[str]:
        """What reads this lookup."""
        return self.users.get(lookup.folded, [])


def usage_by_lookup() -> Usage:
    """As it is now."""
    users = {name: [user.name for user in users] for name, users in users_by_lookup().items()}
    return Usage(users, set(Flow.objects.filter(active=True).values_list("identifier", flat=True)))


def lookup_summary(request: Request, lookup: Any, usage: Usage) -> dict[str, Any]:
    """A lookup without its rows. Nothing is locked for editing here: two who change one row are told so."""
    at = {"lookup_name": lookup.name}
    users = usage.of(lookup)
    return {
        "id": lookup.name,
        "name": lookup.name,
        "description": lookup.description,
        "package": lookup.package,
        "columns": lookup.columns,
        "rowCount": lookup.row_total,
        "status": "CONFIGURED",
        "usage": len(users),
        "usageActive": sum(user in usage.active for user in users),
        "lockedFlag": False,
        "lockedBy": "",
        "lockedDate": None,
        "created": moment(lookup.created_at),
        "createdBy": lookup.made_by or "",
        "lastUpdated": moment(lookup.updated_at),
        "lastUpdatedBy": lookup.changed_by or "",
        "keywords": lookup.package,
        "links": links_to(
            self=reverse("integrations-api:lookup", kwargs=at, request=request),
            archive=reverse("integrations-api:lookup-archive", kwargs=at, request=request),
        ),
    }


def lookup_shape(request: Request, lookup: Any) -> dict[str, Any]:
    """A lookup with its rows, in their order."""
    rows = Lookup.objects.get(pk=lookup.pk).rows.order_by("position", "pk")
    shown = []
    for cells, begins, ends in rows.values_list("cells", "valid_from", "valid_until"):
        row: dict[str, Any] = {"rowData": cells}
        if begins or ends:
            row |= {
                "validFrom": begins.isoformat() if begins else "",
                "validUntil": ends.isoformat() if ends else "",
            }
        shown.append(row)
    return {**lookup_summary(request, lookup, usage_by_lookup()), "rows": shown}
