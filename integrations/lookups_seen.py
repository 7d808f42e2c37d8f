"""What lookups' pages learn from the hub: which flows read them, and where refusals and decisions are audited."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from hub.address import client_address
from lookups.usage import User


def lookups_used() -> dict[str, list[User]]:
    """Lookup name → the flows that read it, linked to their pages."""
    from integrations.engine.registry import specs  # noqa: PLC0415  (models are not there when apps are set up)
    from integrations.models import Flow  # noqa: PLC0415  (as above)

    pages = dict(Flow.objects.values_list("identifier", "pk"))
    used: dict[str, list[User]] = {}
    for spec in specs():
        user = User(spec.identifier, _page(pages.get(spec.identifier)))
        for lookup in spec.lookups:
            used.setdefault(lookup, []).append(user)
    return used


def _page(key: int | None) -> str:
    try:
        return reverse("admin:integrations_flow_change", args=[key]) if key else ""
    except NoReverseMatch:  # the console is switched off
        return ""


def lookups_audit(request: HttpRequest, action: str, subject: str, detail: dict[str, Any]) -> None:
    """An entry of the audit trail."""
    from integrations.services.audit import audit  # noqa: PLC0415  (as above)

    actor, address = request.user.get_username(), client_address(request) or None
    audit(actor=actor, action=action, subject=subject[:200], detail=detail, address=address)
