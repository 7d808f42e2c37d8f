"""The call centre's pages in the console, one file a model; Django's admin finds them here."""

from crm.admin import (
    callback,
    caller,
    crew,
    incident,
    landbase,
    message,
    object_events,
    overview,
    service_delivery_point,
    ticket,
)

__all__ = [
    "callback",
    "caller",
    "crew",
    "incident",
    "landbase",
    "message",
    "object_events",
    "overview",
    "service_delivery_point",
    "ticket",
]
