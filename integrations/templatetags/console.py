"""Filters and tags of the console's templates."""

from datetime import datetime
from typing import Any

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.safestring import SafeString

from integrations import present
from integrations.services.connection_accept_host_key import host_key_fingerprint

register = template.Library()
register.filter("size", present.size)
register.filter("duration", present.duration)
register.filter("short", present.short)
register.filter("as_text", present.as_text)
register.filter("fingerprint", host_key_fingerprint)


@register.filter
def state(value: str, text: str = "") -> SafeString:
    """A state as a coloured label."""
    return present.badge(str(value), text)


@register.simple_tag
def between(start: datetime | None, end: datetime | None) -> str:
    """How long from one time to another, or until now."""
    return present.between(start, end)


@register.filter
def page(row: Model | None) -> str:
    """The URL of a row's page in the console."""
    if row is None:
        return ""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@register.inclusion_tag("admin/integrations/parts/post_button.html", takes_context=True)
def post_button(
    context: dict[str, Any], row: Model, name: str, label: str, variant: str = "plain"
) -> dict[str, Any]:
    """A form of one button that POSTs to a row's action; nothing for whom it is not allowed."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])
    return {
        "shown": name in context.get("allowed", {}),
        "url": url,
        "label": label,
        "variant": variant,
        "csrf_token": context.get("csrf_token"),
    }
