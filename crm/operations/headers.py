"""The headers of what the hub sends: replies, callbacks to the IVR, tickets to an outage core system."""

from datetime import datetime
from typing import Any

from crm.config import Config
from crm.wire.values import moment_text, text_of

REVISION = "2.0"
Plain = dict[str, Any]


def sent_header(
    settings: Config, now: datetime, *, verb: str, noun: str, key: str, correlation: str | None
) -> Plain:
    """A header in the hub's name (seed 004 tables 10.4 to 10.20). `key`: the MessageID."""
    return {
        "Verb": verb,
        "Noun": noun,
        "Revision": REVISION,
        "Timestamp": moment_text(now),
        "Source": settings.source_name,
        "MessageID": key,
        "CorrelationID": correlation,
    }


def correlation_of(header: Plain) -> str:
    """What links an answer to this header: its CorrelationID, else its MessageID (section 10.1.1); "" without both."""
    return text_of(header.get("CorrelationID")) or text_of(header.get("MessageID"))
