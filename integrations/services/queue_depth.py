"""How many wake-ups the queue holds."""

import structlog
from django_q.brokers import get_broker

log = structlog.get_logger(__name__)


def queue_depth() -> str:
    """The number of wake-ups queued, or that the queue cannot be asked: a figure for people."""
    try:
        return str(get_broker().queue_size())
    except Exception as error:  # noqa: BLE001  (any broker's any error: the health page is for just that case)
        log.warning("queue_not_reachable", error=str(error))
        return "not reachable"
