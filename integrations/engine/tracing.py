"""Tracing levels: what an instance keeps beside its activity stream; debug goes back by itself."""

from django.utils import timezone

from integrations.models import Flow


def effective_tracing(flow: Flow) -> str:
    """The level that holds now: production once a debug level's time is over."""
    if flow.tracing_until and flow.tracing_until <= timezone.now():
        return Flow.Tracing.PRODUCTION
    return flow.tracing


def keeps_payloads(flow: Flow, *, debug: bool = False) -> bool:
    """Whether payloads are kept; with `debug`, whether also every mapping's input and output."""
    level = effective_tracing(flow)
    return level == Flow.Tracing.DEBUG or (level == Flow.Tracing.AUDIT and not debug)
