"""Filters of the call centre's templates: badges, callers, coordinates. Data is always escaped."""

from django import template

from crm import present
from crm.models import TroubleTicket

register = template.Library()
register.filter("kind_badge", present.kind_badge)
register.filter("stage_badge", present.stage_badge)
register.filter("state_badge", present.state_badge)
register.filter("hazard_badges", present.hazard_badges)
register.filter("caller_of", present.caller_of)
register.filter("phone_of", present.phone_of)
register.filter("incident_name", present.incident_name)
register.filter("briefly", present.briefly)


@register.filter
def ticket_name(row: TroubleTicket) -> str:
    """Its external id, or the end of its mRID."""
    return row.name or present.brief(row.pk)


@register.filter
def coordinate(value: float) -> str:
    """A coordinate as exact as it is kept: six places are a hand's breadth."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
